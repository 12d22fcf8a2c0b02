// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin/config"
)

// Config is what an operator may set of a listener. Plugins embed it in their
// open parameters, or its sections where the names fit better. It comes from
// config.Decode, which sets the defaults.
type Config struct {
	Ack        string   `json:"ack" default:"delivered" enum:"delivered,queued" desc:"When a request is answered 200. delivered: the framework has consumed its events. queued: its events wait in memory, and are lost if the process ends before the framework takes them."`
	HealthPath string   `json:"healthPath" example:"/healthz" desc:"Path on which GET and HEAD tell whether the listener takes requests: 200, or 503. Empty: none."`
	SocketMode string   `json:"socketMode" default:"0660" desc:"Permissions of a unix socket, in octal."`
	TLS        *TLS     `json:"tls" desc:"Serve HTTPS instead of HTTP."`
	Auth       Auth     `json:"auth" desc:"What clients must show. All that is set here is demanded."`
	Limits     Limits   `json:"limits" desc:"What is refused, and what is held in memory."`
	Timeouts   Timeouts `json:"timeouts" desc:"How long things may take."`

	socketMode fs.FileMode
}

// TLS configures HTTPS. Its files are read again when they change.
type TLS struct {
	Cert       string `json:"cert" required:"true" example:"/etc/falco/collector.crt" desc:"PEM file with the certificate and its chain. Read again when it changes."`
	Key        string `json:"key" example:"/etc/falco/collector.key" desc:"PEM file with the private key. Empty: the key stands in the file of the certificate."`
	ClientCA   string `json:"clientCA" example:"/etc/falco/clients.crt" desc:"PEM file with the certificate authorities of clients. When set, clients must present a certificate that one of them signed."`
	MinVersion string `json:"minVersion" default:"1.2" enum:"1.2,1.3" desc:"Oldest TLS version to accept."`
}

// Auth configures how clients prove who they are, besides TLS certificates.
type Auth struct {
	BearerToken config.Secret `json:"bearerToken" example:"file:/etc/falco/collector.token" desc:"Token demanded in the Authorization header."`
	HMAC        *HMAC         `json:"hmac" desc:"Demand an HMAC-SHA256 signature of the body as it is sent, that is, before decompression."`
}

// HMAC configures a signature over request bodies.
type HMAC struct {
	Secret config.Secret `json:"secret" required:"true" example:"env:COLLECTOR_HMAC_KEY" desc:"Key of the signature."`
	Header string        `json:"header" default:"X-Hub-Signature-256" desc:"Header with the signature: hexadecimal, with or without sha256= before it."`
}

// Limits bounds requests and memory.
type Limits struct {
	MaxBodySize    config.Size `json:"maxBodySize" default:"0" max:"1GiB" desc:"Largest request body, as sent and decompressed. 0: the largest payload, and at least 12MiB where one body may hold several events."`
	MaxEvents      int         `json:"maxEvents" default:"65536" min:"1" max:"1048576" unit:"events" desc:"Most events in one request."`
	MaxHeaderSize  config.Size `json:"maxHeaderSize" default:"32KiB" min:"1KiB" max:"1MiB" desc:"Largest request header."`
	MaxConnections int         `json:"maxConnections" default:"1024" min:"1" max:"65536" unit:"connections" desc:"Most connections, and so most requests, at a time."`
	MaxMemory      config.Size `json:"maxMemory" default:"64MiB" min:"1MiB" max:"64GiB" desc:"Most memory for request bodies, from their first byte until they are answered. Must hold three bodies of the largest size and 32 bytes for each of the most events."`
}

// Timeouts bounds waits.
type Timeouts struct {
	Header   time.Duration `json:"header" default:"10s" min:"1ms" max:"1h" desc:"For a TLS handshake, and for a request's header."`
	Read     time.Duration `json:"read" default:"60s" min:"1ms" max:"1h" desc:"For a request with its body."`
	Idle     time.Duration `json:"idle" default:"2m" min:"1ms" max:"24h" desc:"Between two requests on one connection."`
	Queue    time.Duration `json:"queue" default:"5s" min:"1ms" max:"1h" desc:"For room in memory or in the queue. Then the answer is 503."`
	Delivery time.Duration `json:"delivery" default:"20s" min:"1ms" max:"1h" desc:"For the framework to consume a request's events. Then the answer is 503, or 504 if it may have taken some."`
	Write    time.Duration `json:"write" default:"10s" min:"1ms" max:"1h" desc:"For the client to take the answer."`
}

// Validate checks what the tags cannot.
func (c *Config) Validate() error {
	mode, err := strconv.ParseUint(c.SocketMode, 8, 32)
	if err != nil || mode > 0o777 {
		return fmt.Errorf("socketMode %q: want octal permissions from 0000 to 0777", c.SocketMode)
	}
	c.socketMode = fs.FileMode(mode)
	if p := c.HealthPath; p != "" && (p[0] != '/' || path.Clean(p) != p) {
		return fmt.Errorf("healthPath %q: want an absolute path, such as /healthz", p)
	}
	return nil
}

// Validate checks what the tags cannot.
func (h *HMAC) Validate() error {
	if !isToken(h.Header) {
		return fmt.Errorf("header %q: want the name of an HTTP header", h.Header)
	}
	return nil
}

// isToken tells whether s is a token in the sense of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit {
			switch c {
			case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
			default:
				return false
			}
		}
	}
	return s != ""
}
