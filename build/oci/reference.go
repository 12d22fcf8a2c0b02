// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// Target is a place in a registry that plugins and rules are published under.
type Target struct {
	Registry  string // host, or host:port
	Namespace string // what comes before /plugin/NAME and /ruleset/NAME
	PlainHTTP bool
	client    remote.Client
}

// Options say how a registry is spoken to. Zero is right for most.
type Options struct {
	// PlainHTTP is "true", "false" or "". The latter is true for a registry on this machine, and false for all others.
	PlainHTTP string
	// HTTP sends the requests; nil sends them as others do, and repeats those that fail for a passing reason.
	HTTP *http.Client
}

// ParseTarget reads REGISTRY/NAMESPACE, for instance ghcr.io/aerie-falco/plugins.
// Credentials are those of the Docker configuration, where docker login puts them.
func ParseTarget(ref string, o Options) (Target, error) {
	const form = "give REGISTRY/NAMESPACE, such as ghcr.io/aerie-falco/plugins"
	t := Target{}
	var ok bool
	t.Registry, t.Namespace, ok = strings.Cut(ref, "/")
	if !ok || strings.Contains(ref, "://") || strings.ContainsAny(t.Namespace, ":@") {
		return Target{}, fmt.Errorf("reading the target %q: %s, without a scheme, tag or digest", ref, form)
	}
	// one repository below has to be valid for all to be: only names of plugins differ
	if err := (registry.Reference{Registry: t.Registry, Repository: t.Namespace + "/plugin/name"}).Validate(); err != nil {
		return Target{}, fmt.Errorf("reading the target %q: %w; %s", ref, err, form)
	}
	t.PlainHTTP = t.Loopback()
	if o.PlainHTTP != "" {
		plain, err := strconv.ParseBool(o.PlainHTTP)
		if err != nil {
			return Target{}, fmt.Errorf("reading the target %q: plain HTTP is %q; say true or false", ref, o.PlainHTTP)
		}
		t.PlainHTTP = plain
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return Target{}, fmt.Errorf("reading the credentials for %s: %w", t.Registry, err)
	}
	sender := o.HTTP
	if sender == nil {
		sender = retry.DefaultClient
	}
	t.client = &auth.Client{Client: sender, Cache: auth.NewCache(), Credential: credentials.Credential(store)}
	return t, nil
}

// Loopback reports whether the registry is on this machine: nobody else gets what is put there.
func (t Target) Loopback() bool {
	host := t.Registry
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && address.IsLoopback()
}

// PluginRepository is where the plugin of that name is, below the registry.
func (t Target) PluginRepository(name string) string { return t.Namespace + "/plugin/" + name }

// RulesRepository is where the rules of the plugin of that name are, below the registry.
func (t Target) RulesRepository(name string) string { return t.Namespace + "/ruleset/" + name }

// repository opens a repository of the registry. Nothing is sent yet.
func (t Target) repository(path string) (*remote.Repository, error) {
	r := &remote.Repository{Client: t.client, Reference: registry.Reference{Registry: t.Registry, Repository: path}, PlainHTTP: t.PlainHTTP}
	return r, r.Reference.Validate()
}
