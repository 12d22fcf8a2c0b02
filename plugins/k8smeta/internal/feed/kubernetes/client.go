// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/socket"
)

const (
	pageSize  = 250
	maxPage   = 128 << 20 // bytes of an answer to list
	maxPages  = 1 << 12   // of a list
	maxListed = 1 << 17   // objects of a list, as many as a feed knows
	maxChange = 16 << 20  // bytes of one change of a watch; the API server stores objects up to some 1.5 MB

	// Watches last between watchTime and twice that, and then go on from where
	// they were: so that a server that has more than its share gets rid of some.
	watchTime = 5 * time.Minute
	// watchGrace is how much longer than that a watch may take to end.
	watchGrace = 30 * time.Second
	// maxLists is how many lists are asked for at a time, so that a node that
	// starts is no burden.
	maxLists = 16
	// breath is the least time between two lists or watches of one query.
	breath = time.Second
)

// resource is what is read of an object.
type resource struct {
	Metadata struct {
		Name            string            `json:"name"`
		GenerateName    string            `json:"generateName"`
		Namespace       string            `json:"namespace"`
		UID             string            `json:"uid"`
		ResourceVersion string            `json:"resourceVersion"`
		Labels          map[string]string `json:"labels"`
		Annotations     map[string]string `json:"annotations"`
		OwnerReferences []owner           `json:"ownerReferences"`
	} `json:"metadata"`
	Spec struct {
		// An object of strings in a Service, other things in other kinds.
		Selector json.RawMessage `json:"selector"`
	} `json:"spec"`
	Status struct {
		PodIP string `json:"podIP"`
	} `json:"status"`
}

type owner struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Controller bool   `json:"controller"`
}

// query is a set of objects.
type query struct {
	path     string // /api/v1/pods
	selector string // fieldSelector; empty: all
	meta     bool   // metadata is all that is needed
}

// follower is told what a query finds.
type follower interface {
	// replace tells all objects that there are.
	replace(all []resource)
	// put tells an object that is new or has changed, remove one that is gone.
	put(r *resource)
	remove(r *resource)
	// refused counts a change that could not be read.
	refused(err error)
}

// statusError is an answer that is none, or a watch's last word.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the API server answers %d: %.500s", e.code, e.text)
}

// isStatus tells whether err is such an answer with one of the codes.
func isStatus(err error, codes ...int) bool {
	var status *statusError
	if !errors.As(err, &status) {
		return false
	}
	for _, c := range codes {
		if status.code == c {
			return true
		}
	}
	return false
}

// client is one connection to the API server, or some if the server allows few
// requests a connection.
type client struct {
	access *access
	http   *http.Client
	lists  chan struct{} // has an element for each list under way
}

func newClient(a *access) *client {
	return &client{lists: make(chan struct{}, maxLists), access: a, http: &http.Client{
		Transport: &http.Transport{
			DialContext:           socket.Dial,
			TLSClientConfig:       a.tls,
			Proxy:                 a.proxy,
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: time.Minute,
			IdleConnTimeout:       90 * time.Second,
			HTTP2:                 &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		},
		// Credentials are for the server that was configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// get asks for a query's list or watch.
func (c *client) get(ctx context.Context, q query, parameters url.Values) (io.ReadCloser, error) {
	if q.selector != "" {
		parameters.Set("fieldSelector", q.selector)
	}
	u := c.access.server.JoinPath(q.path)
	u.RawQuery = parameters.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "k8smeta")
	r.Header.Set("Accept", "application/json")
	if q.meta {
		what := "PartialObjectMetadata"
		if parameters.Get("watch") == "" {
			what = "PartialObjectMetadataList"
		}
		r.Header.Set("Accept", "application/json;as="+what+";g=meta.k8s.io;v=v1, application/json")
	}
	if err := c.access.authorize(r); err != nil {
		return nil, err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, 4096))
	var status struct{ Message string }
	if json.Unmarshal(body, &status) != nil || status.Message == "" {
		status.Message = fmt.Sprintf("%.200q", body)
	}
	return nil, &statusError{answer.StatusCode, status.Message}
}

// list returns all objects of a query, and the version to watch from. With
// fresh, they are as of now and not as the server's cache has them.
func (c *client) list(ctx context.Context, q query, fresh bool) (all []resource, version string, err error) {
	select {
	case c.lists <- struct{}{}:
		defer func() { <-c.lists }()
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	parameters := url.Values{"limit": {strconv.Itoa(pageSize)}}
	if !fresh {
		parameters.Set("resourceVersion", "0")
	}
	for pages := 1; ; pages++ {
		body, err := c.get(ctx, q, parameters)
		if err != nil {
			return nil, "", fmt.Errorf("list %s: %w", q.path, err)
		}
		var page struct {
			Metadata struct {
				ResourceVersion string `json:"resourceVersion"`
				Continue        string `json:"continue"`
			} `json:"metadata"`
			Items []resource `json:"items"`
		}
		err = json.NewDecoder(io.LimitReader(body, maxPage)).Decode(&page)
		body.Close()
		if err != nil {
			return nil, "", fmt.Errorf("list %s: read the answer: %w", q.path, err)
		}
		if page.Metadata.ResourceVersion == "" {
			return nil, "", fmt.Errorf("list %s: the answer is no list of objects", q.path)
		}
		all = append(all, page.Items...)
		if page.Metadata.Continue == "" {
			return all, page.Metadata.ResourceVersion, nil
		}
		if len(all) > maxListed || pages == maxPages {
			return nil, "", fmt.Errorf("list %s: it goes on after %d objects on %d pages; there are at most %d on %d", q.path, len(all), pages, maxListed, maxPages)
		}
		parameters = url.Values{"limit": {strconv.Itoa(pageSize)}, "continue": {page.Metadata.Continue}}
	}
}

// follow lists a query's objects and watches them, for ever: it returns only
// when something fails or ctx is done. That a watch is over, or too old to be
// gone on with, is in the nature of watches.
func (c *client) follow(ctx context.Context, q query, f follower) error {
	for fresh := false; ; fresh = true {
		listed := time.Now()
		all, version, err := c.list(ctx, q, fresh)
		if isStatus(err, http.StatusGone) && !fresh {
			continue
		}
		if err != nil {
			return err
		}
		f.replace(all)
		for err == nil {
			started := time.Now()
			err = c.watch(ctx, q, &version, f)
			if err == nil {
				err = rest(ctx, started)
			}
		}
		if !isStatus(err, http.StatusGone) {
			return err
		}
		if err := rest(ctx, listed); err != nil {
			return err
		}
	}
}

// rest waits until a breath after started.
func rest(ctx context.Context, started time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(started.Add(breath))):
		return nil
	}
}

// watch tells what happens after version, and moves version along. It returns
// nil when the server ends it in good order.
func (c *client) watch(ctx context.Context, q query, version *string, f follower) error {
	lasts := watchTime + rand.N(watchTime)
	ctx, cancel := context.WithTimeout(ctx, lasts+watchGrace)
	defer cancel()
	body, err := c.get(ctx, q, url.Values{
		"watch": {"1"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {*version},
		"timeoutSeconds": {strconv.Itoa(int(lasts.Seconds()))},
	})
	if err != nil {
		return fmt.Errorf("watch %s: %w", q.path, err)
	}
	defer body.Close()
	limited := &io.LimitedReader{R: body}
	changes := json.NewDecoder(limited)
	for {
		limited.N = maxChange
		var change struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := changes.Decode(&change); err != nil {
			if errors.Is(err, io.EOF) && limited.N > 0 {
				return nil
			}
			if limited.N <= 0 {
				err = fmt.Errorf("a change of more than %d bytes", maxChange)
			}
			return fmt.Errorf("watch %s: %w", q.path, err)
		}
		if change.Type == "ERROR" {
			var status struct {
				Code    int
				Message string
			}
			_ = json.Unmarshal(change.Object, &status) // what cannot be read says nothing
			return fmt.Errorf("watch %s: %w", q.path, &statusError{status.Code, status.Message})
		}
		var r resource
		if err := json.Unmarshal(change.Object, &r); err != nil {
			f.refused(fmt.Errorf("watch %s: read a change: %w", q.path, err))
			continue
		}
		if v := r.Metadata.ResourceVersion; v != "" {
			*version = v
		}
		switch change.Type {
		case "ADDED", "MODIFIED":
			f.put(&r)
		case "DELETED":
			f.remove(&r)
		case "BOOKMARK":
		default:
			f.refused(fmt.Errorf("watch %s: unknown change %.64q", q.path, change.Type))
		}
	}
}
