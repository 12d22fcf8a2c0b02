// SPDX-License-Identifier: Apache-2.0

// Package webhook receives events over HTTP. A Listener is a source instance:
// a plugin opens one with what its operator configured and a function that
// turns a request body into events.
//
//	func (p *Plugin) Open(ctx context.Context, params string) (source.Instance, error) {
//		var c openParams // embeds webhook.Config
//		if err := config.Decode(params, &c); err != nil {
//			return nil, err
//		}
//		return webhook.Listen(ctx, c.Config, webhook.Endpoint{Addr: c.Addr, MaxEventSize: 256 << 10})
//	}
//
// # The way of a request
//
// Path, method, bearer token, content type and announced length are looked at
// before the body is read. Then come the signature, which covers the body as it
// was received, the decompression, and the Decoder. A request is taken as a
// whole or not at all: nothing of it is queued before all of it was found good.
// Its events wait in the queue until the framework takes them, and the request
// is answered 200 when the framework has consumed the last of them.
//
// # Answers
//
//	200  all events were delivered (ack delivered), or accepted (ack queued)
//	400  the body is empty, did not arrive whole, or could not be decoded
//	401  bearer token or signature is missing, or the token is wrong
//	403  the signature does not match the body
//	404  another path than the endpoint's
//	405  another method than POST
//	408  the body did not arrive within the read timeout
//	413  body, decompressed body or one of its events is over its limit, or
//	     there are too many events; the reason names the limit
//	415  content type or content encoding is not supported
//	431  the header is over its limit
//	500  the decoder failed by a mistake of its own
//	503  nothing of the request was delivered: no room within the queue timeout,
//	     not taken within the delivery timeout, or the source is closing
//	504  part of the request may have been delivered, but not all of it is known
//	     to be: the delivery timeout passed, or the source closed, at that moment
//
// 503 and 504 carry Retry-After. Sending a request again after 504, or after a
// connection that broke before the answer, may deliver events twice: delivery is
// at least once.
//
// # Bounds
//
// A connection serves one request at a time, so that the limit of connections
// is also one of requests. The memory limit covers every body from its first
// byte until its request is answered, decompressed data and event lists
// included. Every wait has an end; Close ends all of them.
package webhook
