// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/aerie-falco/aerie/shared/ingest/webhook"
	kit "github.com/aerie-falco/aerie/shared/plugin/config"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// webhookConfig is what can be set of a webhook besides what the official plugin knows.
type webhookConfig struct {
	_ struct{} `config:"allowUnknown"`

	ClientCA       string           `json:"clientCA" example:"/etc/falco/apiserver-ca.crt" desc:"PEM file with the certificate authorities of clients. When set, clients of https:// must present a certificate that one of them signed."`
	MinTLSVersion  string           `json:"minTLSVersion" default:"1.2" enum:"1.2,1.3" desc:"Oldest TLS version to accept."`
	BearerToken    kit.Secret       `json:"bearerToken" example:"file:/etc/falco/k8saudit.token" desc:"Token demanded in the Authorization header: env:NAME or file:PATH."`
	HealthPath     string           `json:"healthPath" example:"/healthz" desc:"Path on which GET and HEAD tell whether requests are taken: 200, or 503. Empty: none."`
	MaxConnections int              `json:"maxConnections" default:"1024" min:"1" max:"65536" unit:"connections" desc:"Most connections, and so most requests, at a time."`
	MaxMemory      kit.Size         `json:"maxMemory" default:"0" max:"64GiB" desc:"Most memory for request bodies, from their first byte until they are answered. 0: 64MiB, or what three of the largest bodies and their events take."`
	Timeouts       webhook.Timeouts `json:"timeouts" desc:"How long things may take."`
}

// Bounds of a webhook that are not configured.
const (
	maxRequestEvents = 1 << 16
	maxHeader        = 32 << 10
	defaultMemory    = 64 << 20
	spareMemory      = 4 << 20 // for lists of events, and decompression
)

func (p *Plugin) openWebhook(ctx context.Context, at place) (source.Instance, error) {
	c := p.config.Webhook
	body := p.config.WebhookMaxBatchSize
	memory := c.MaxMemory
	if memory == 0 {
		memory = max(defaultMemory, 3*body+spareMemory)
	}
	settings := webhook.Config{
		Ack:        "delivered",
		SocketMode: "0660", // there are no unix sockets
		HealthPath: c.HealthPath,
		Auth:       webhook.Auth{BearerToken: c.BearerToken},
		Limits: webhook.Limits{
			MaxBodySize: body, MaxEvents: maxRequestEvents, MaxHeaderSize: maxHeader,
			MaxConnections: c.MaxConnections, MaxMemory: memory,
		},
		Timeouts: c.Timeouts,
	}
	if at.scheme == "https" {
		settings.TLS = &webhook.TLS{Cert: p.config.SSLCertificate, ClientCA: c.ClientCA, MinVersion: c.MinTLSVersion}
	} else if c.ClientCA != "" {
		return nil, errors.New("open webhook: webhook.clientCA demands certificates of clients, which only https:// has")
	}
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	bodies := &bodies{log: newSplitLog(ctx), maxEvent: p.maxEventSize()}
	l, err := webhook.Listen(ctx, settings, webhook.Endpoint{
		Addr: at.host, Path: at.path, ContentTypes: []string{"application/json"},
		Decode: bodies.decode, Splits: true, MaxEventSize: p.maxEventSize(),
	})
	if err != nil {
		return nil, err // not a nil *Listener in an interface
	}
	return l, nil
}

// bodies decodes request bodies, on many goroutines at once.
type bodies struct {
	log      *splitLog
	maxEvent int
	spare    sync.Pool // *documents
}

func (b *bodies) decode(r *http.Request, body []byte, out *webhook.Events) error {
	d, ok := b.spare.Get().(*documents)
	if !ok {
		d = &documents{maxEvent: b.maxEvent}
	}
	t, err := d.split(body, out.Add)
	b.spare.Put(d)
	b.log.note(t, err, r.RemoteAddr)
	var large errTooLarge
	if errors.As(err, &large) {
		return &webhook.Refusal{Code: http.StatusRequestEntityTooLarge, Text: err.Error()}
	}
	return err
}
