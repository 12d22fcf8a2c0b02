// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// APIOptions are how an API server differs from the plainest.
type APIOptions struct {
	TLS *tls.Config // nil: plain HTTP
	// Token is the bearer token that requests must have; empty: none.
	Token string
	// Intercept may answer a request instead, and then returns true. It is
	// called from many goroutines.
	Intercept func(w http.ResponseWriter, r *http.Request) bool
}

// API is an API server that listens: list and watch of the kinds that the
// plugin knows, with field selectors, chunks and bookmarks.
type API struct {
	cluster *Cluster
	options APIOptions
	server  *http.Server
	address net.Addr
	ctx     context.Context // done at Close
	cancel  context.CancelFunc
	ran     chan struct{}

	mu      sync.Mutex
	watches map[*watch]bool
	changed chan struct{} // closed when watches change
}

// watch is one request that is being watched.
type watch struct {
	resource string
	end      context.CancelFunc
}

// NewAPI makes an API server of a cluster that listens on address, host:port
// with port 0 for any.
func NewAPI(address string, cluster *Cluster, o APIOptions) (*API, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("API server: %w", err)
	}
	a := &API{
		cluster: cluster, options: o, address: listener.Addr(),
		ran: make(chan struct{}), watches: make(map[*watch]bool), changed: make(chan struct{}),
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.server = &http.Server{Handler: http.HandlerFunc(a.serve), TLSConfig: o.TLS, ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		defer close(a.ran)
		if o.TLS != nil {
			_ = a.server.ServeTLS(listener, "", "") // ends with Close only
			return
		}
		_ = a.server.Serve(listener)
	}()
	return a, nil
}

// Address is host:port.
func (a *API) Address() string { return a.address.String() }

// URL is what a client is given.
func (a *API) URL() string {
	if a.options.TLS != nil {
		return "https://" + a.Address()
	}
	return "http://" + a.Address()
}

// Close cuts all connections, as if the process had died.
func (a *API) Close() {
	a.cancel()
	_ = a.server.Close()
	<-a.ran
}

// Watches lists the resources that are being watched, sorted: "pods",
// "shop/services", with the name behind it where one is selected. changed is
// closed when that is different.
func (a *API) Watches() (resources []string, changed <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for w := range a.watches {
		resources = append(resources, w.resource)
	}
	slices.Sort(resources)
	return resources, a.changed
}

// note adds or removes a watch.
func (a *API) note(w *watch, there bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if there {
		a.watches[w] = true
	} else {
		delete(a.watches, w)
	}
	close(a.changed)
	a.changed = make(chan struct{})
}

// EndWatches ends what is being watched in good order, as a server does when
// its time is over. It returns how many there were.
func (a *API) EndWatches() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	for w := range a.watches {
		w.end()
	}
	return len(a.watches)
}

// kinds are the resources by the last word of their path.
var kinds = map[string]struct{ kind, group string }{
	"pods":                   {metadata.Pod, "v1"},
	"namespaces":             {metadata.Namespace, "v1"},
	"services":               {metadata.Service, "v1"},
	"replicationcontrollers": {metadata.ReplicationController, "v1"},
	"replicasets":            {metadata.ReplicaSet, "apps/v1"},
	"deployments":            {metadata.Deployment, "apps/v1"},
}

func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	if a.options.Intercept != nil && a.options.Intercept(w, r) {
		return
	}
	if a.options.Token != "" && r.Header.Get("Authorization") != "Bearer "+a.options.Token {
		fail(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
		return
	}
	if r.Method != http.MethodGet {
		fail(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "the stand-in answers GET only")
		return
	}
	q, err := readQuery(r)
	if err != nil {
		fail(w, http.StatusNotFound, "NotFound", err.Error())
		return
	}
	if r.URL.Query().Get("watch") == "1" || r.URL.Query().Get("watch") == "true" {
		a.watch(w, r, q)
		return
	}
	a.list(w, r, q)
}

// query is what a request asks for.
type query struct {
	resource, kind, group, namespace string
	fields                           map[string]string // field selector
}

// readQuery reads /api/v1/RESOURCE, /apis/GROUP/v1/namespaces/NAMESPACE/RESOURCE
// and the field selector.
func readQuery(r *http.Request) (query, error) {
	var q query
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	q.resource = path[len(path)-1]
	known, ok := kinds[q.resource]
	prefix := []string{"api", "v1"}
	if known.group == "apps/v1" {
		prefix = []string{"apis", "apps", "v1"}
	}
	if !ok || len(path) <= len(prefix) || !slices.Equal(path[:len(prefix)], prefix) {
		return q, fmt.Errorf("the stand-in does not serve %s", r.URL.Path)
	}
	q.kind, q.group = known.kind, known.group
	switch rest := path[len(prefix):]; {
	case len(rest) == 1:
	case len(rest) == 3 && rest[0] == "namespaces":
		q.namespace = rest[1]
	default:
		return q, fmt.Errorf("the stand-in does not serve %s", r.URL.Path)
	}
	q.fields = make(map[string]string)
	for term := range strings.SplitSeq(r.URL.Query().Get("fieldSelector"), ",") {
		if term == "" {
			continue
		}
		field, value, ok := strings.Cut(term, "=")
		if !ok || field != "spec.nodeName" && field != "metadata.name" {
			return q, fmt.Errorf("field label not supported: %q", term)
		}
		q.fields[field] = strings.TrimPrefix(value, "=")
	}
	return q, nil
}

// String is how Watches names it.
func (q query) String() string {
	out := q.resource
	if q.namespace != "" {
		out = q.namespace + "/" + out
	}
	if name := q.fields["metadata.name"]; name != "" {
		out += "/" + name
	}
	return out
}

func (q query) matches(o *Object) bool {
	if o == nil || o.Kind != q.kind || q.namespace != "" && o.Meta.Namespace != q.namespace {
		return false
	}
	if name, ok := q.fields["metadata.name"]; ok && o.Meta.Name != name {
		return false
	}
	node, ok := q.fields["spec.nodeName"]
	return !ok || o.Spec.NodeName == node
}

func (a *API) list(w http.ResponseWriter, r *http.Request, q query) {
	objects, version, _ := a.cluster.now()
	objects = slices.DeleteFunc(objects, func(o *Object) bool { return !q.matches(o) })
	start, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	start = min(max(start, 0), len(objects))
	end := len(objects)
	meta := map[string]any{"resourceVersion": strconv.FormatUint(version, 10)}
	if limit > 0 && start+limit < end {
		end = start + limit
		meta["continue"] = strconv.Itoa(end)
	}
	items := []any{}
	for _, o := range objects[start:end] {
		items = append(items, o.tree)
	}
	answer(w, http.StatusOK, map[string]any{"kind": q.kind + "List", "apiVersion": q.group, "metadata": meta, "items": items})
}

func (a *API) watch(w http.ResponseWriter, r *http.Request, q query) {
	version, err := strconv.ParseUint(r.URL.Query().Get("resourceVersion"), 10, 64)
	if err != nil {
		fail(w, http.StatusBadRequest, "BadRequest", "the stand-in watches from a resourceVersion only")
		return
	}
	ctx, end := context.WithCancel(r.Context())
	defer end()
	if seconds, _ := strconv.Atoi(r.URL.Query().Get("timeoutSeconds")); seconds > 0 {
		ctx, end = context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
		defer end()
	}
	mine := &watch{q.String(), end}
	a.note(mine, true)
	defer a.note(mine, false)

	bookmarks := r.URL.Query().Get("allowWatchBookmarks") == "true"
	out := json.NewEncoder(w)
	tell := func(what string, object any) error {
		if err := out.Encode(map[string]any{"type": what, "object": object}); err != nil {
			return err
		}
		return http.NewResponseController(w).Flush()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	for {
		changes, next, ok := a.cluster.since(version)
		if !ok {
			_ = tell("ERROR", failure(http.StatusGone, "Expired", fmt.Sprintf("too old resource version: %d", version)))
			return
		}
		for _, ch := range changes {
			version = ch.version
			before, after := q.matches(ch.before), q.matches(ch.after)
			var err error
			switch {
			case !before && after:
				err = tell("ADDED", ch.after.tree)
			case before && after:
				err = tell("MODIFIED", ch.after.tree)
			case before:
				err = tell("DELETED", ch.before.at(ch.version).tree)
			}
			if err != nil {
				return
			}
		}
		if bookmarks && len(changes) > 0 {
			mark := map[string]any{"kind": q.kind, "apiVersion": q.group, "metadata": map[string]any{"resourceVersion": strconv.FormatUint(version, 10)}}
			if tell("BOOKMARK", mark) != nil {
				return
			}
		}
		select {
		case <-a.ctx.Done():
			panic(http.ErrAbortHandler)
		case <-ctx.Done():
			return
		case <-next:
		}
	}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the client has gone if it fails
}

// failure is a Status, as the API server describes what went wrong.
func failure(code int, reason, text string) map[string]any {
	return map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": text}
}

func fail(w http.ResponseWriter, code int, reason, text string) {
	answer(w, code, failure(code, reason, text))
}

// Kubeconfig is the text of a kubeconfig file for the server, with its token if
// it wants one. ca is the PEM certificate that signs its own, if it has one.
func (a *API) Kubeconfig(ca []byte) ([]byte, error) {
	if a.options.TLS != nil && len(ca) == 0 {
		return nil, errors.New("kubeconfig: an API server with TLS needs the CA's certificate")
	}
	cluster := map[string]any{"server": a.URL()}
	if len(ca) > 0 {
		cluster["certificate-authority-data"] = ca // base64 in JSON
	}
	user := map[string]any{}
	if a.options.Token != "" {
		user["token"] = a.options.Token
	}
	// JSON is YAML.
	return json.MarshalIndent(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "standin",
		"clusters": []any{map[string]any{"name": "standin", "cluster": cluster}},
		"users":    []any{map[string]any{"name": "standin", "user": user}},
		"contexts": []any{map[string]any{"name": "standin", "context": map[string]any{"cluster": "standin", "user": "standin"}}},
	}, "", "  ")
}
