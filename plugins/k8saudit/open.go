// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/aerie-falco/aerie/shared/ingest/file"
	"github.com/aerie-falco/aerie/shared/ingest/tail"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// Sourcing is the source capability. The init configuration sets the size of events.
var Sourcing = source.Options{MaxEventSize: 262144}

// Open opens what the open parameters name: a webhook, a file to follow, or a file or
// directory to read once.
func (p *Plugin) Open(ctx context.Context, params string) (source.Instance, error) {
	at, err := readOpenParams(params)
	if err != nil {
		return nil, fmt.Errorf("open parameters %q: %w", userinfo.ReplaceAllString(params, "://…@"), err)
	}
	var in source.Instance
	switch at.scheme {
	case "http", "https":
		in, err = p.openWebhook(ctx, at)
	case "file":
		var s *tail.Source
		if s, err = p.openTail(ctx, at.path); err == nil {
			in = sized{s, p.maxEventSize()}
		}
	default:
		var s *file.Source
		if s, err = file.Open(ctx, at.path, p.lines(ctx)); err == nil {
			in = sizedFile{sized{s, p.maxEventSize()}, s}
		}
	}
	if err != nil {
		return nil, err
	}
	return in, nil
}

// userinfo is where a password may stand, which errors do not show.
var userinfo = regexp.MustCompile(`://[^/]*@`)

// place is what open parameters name.
type place struct {
	scheme string // "" for a path
	host   string // of a webhook: host:port
	path   string // decoded
}

var (
	errEmpty  = errors.New("want http://HOST:PORT/PATH, https://HOST:PORT/PATH, file:///PATH, or the path of a file or directory; they are empty")
	errPort   = errors.New("want a port, as in http://:9765/k8s-audit")
	errHost   = errors.New("want no host but localhost, and an absolute path, as in file:///var/log/kube-audit.log")
	errNoPath = errors.New("want an absolute path, as in file:///var/log/kube-audit.log")
	errQuery  = errors.New("want ? and # in the path to be written as %3F and %23")
	errUser   = errors.New("want no user in the address; a bearer token is set by webhook.bearerToken in init_config")
)

func readOpenParams(params string) (place, error) {
	text := strings.TrimSpace(params)
	if text == "" {
		return place{}, errEmpty
	}
	switch scheme := schemeOf(text); scheme {
	case "":
		return place{path: text}, nil
	case "http", "https":
		return readAddress(scheme, text)
	case "file":
		return readFile(text[len("file://"):])
	default:
		return place{}, fmt.Errorf("unknown scheme %q; use http, https, file or a path", scheme)
	}
}

// schemeOf returns what stands before "://" in lower case, if that can be a scheme
// (RFC 3986, section 3.1). All else is a path, colons and percent signs included.
func schemeOf(text string) string {
	scheme, _, ok := strings.Cut(text, "://")
	if !ok || scheme == "" {
		return ""
	}
	scheme = strings.ToLower(scheme)
	for i := range len(scheme) {
		c := scheme[i]
		switch {
		case c >= 'a' && c <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return ""
		}
	}
	return scheme
}

func readAddress(scheme, text string) (place, error) {
	u, err := url.Parse(text)
	if err != nil {
		return place{}, errors.Unwrap(err) // without the text, which the caller names
	}
	if u.User != nil {
		return place{}, errUser
	}
	if u.Port() == "" {
		return place{}, errPort
	}
	path := u.Path
	if path == "" {
		path = "/"
	}
	return place{scheme: scheme, host: u.Host, path: path}, nil
}

func readFile(rest string) (place, error) {
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return place{}, errNoPath
	}
	if host := rest[:slash]; host != "" && !strings.EqualFold(host, "localhost") {
		return place{}, errHost
	}
	if strings.ContainsAny(rest, "?#") {
		return place{}, errQuery
	}
	path, err := url.PathUnescape(rest[slash:])
	if err != nil {
		return place{}, err
	}
	return place{scheme: "file", path: path}, nil
}

func (p *Plugin) maxEventSize() int { return int(p.config.MaxEventSize) }

// EventString shows an event: its payload, as it is.
func (p *Plugin) EventString(e *event.Event) (string, error) {
	payload, ok := e.Payload()
	if !ok {
		return "", fmt.Errorf("show event %d: it is of type %d and has no plugin payload", e.Num(), e.Type())
	}
	return string(payload), nil
}
