// SPDX-License-Identifier: Apache-2.0

// Package oci publishes packaged plugins and rules to an OCI registry, in the form
// that falcoctl installs.
package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/aerie-falco/aerie/build/release"
	"github.com/aerie-falco/aerie/build/ruleset"
)

// Published is an artifact in a registry.
type Published struct {
	Repository string // with the registry
	Digest     digest.Digest
	Tags       []string // that point to it now
}

// Reference names the artifact by its digest, as what signs and verifies wants it.
func (p Published) Reference() string { return p.Repository + "@" + p.Digest.String() }

// upload is one artifact on its way to its repository.
type upload struct {
	artifact
	to   *remote.Repository
	done bool // the version is published already, with the same content
}

// Publish publishes the plugin of that name, and its rules if it has any, from a
// packaged release.
//
// Nobody finds what has no tag, and tags come last, the version's before those
// that move. So a run that is cut off leaves nothing that looks like a release, and
// the next one goes on from there. A version that is published already is left as
// it is; if its content is another, it is refused before anything is sent.
func Publish(ctx context.Context, from release.Packaged, name string, t Target, log io.Writer) ([]Published, error) {
	doing := fmt.Sprintf("publishing %s to %s/%s", name, t.Registry, t.Namespace)
	uploads, err := prepare(ctx, from, name, t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	// compared twice, so that what somebody else publishes in the meantime is not overwritten
	for _, step := range []func(*upload, context.Context) error{(*upload).compare, (*upload).send, (*upload).compare, (*upload).tagVersion} {
		for _, u := range uploads {
			// ask for all rights at once: some registries tell only those who may write that a repository is not there yet
			ctx := auth.AppendRepositoryScope(ctx, u.to.Reference, auth.ActionPull, auth.ActionPush)
			if err := step(u, ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", doing, err)
			}
		}
	}
	var all []Published
	for _, u := range uploads {
		tags, err := u.moveTags(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		p := Published{Repository: u.to.Reference.Registry + "/" + u.to.Reference.Repository, Digest: u.root.Digest, Tags: tags}
		note := ""
		if u.done {
			note = " (was there already)"
		}
		fmt.Fprintf(log, "%s tags %v%s\n", p.Reference(), p.Tags, note)
		all = append(all, p)
	}
	for _, u := range uploads {
		if err := u.warn(ctx, t, name, log); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
	}
	return all, nil
}

// prepare reads the whole release, plugin and rules, before anything is sent.
func prepare(ctx context.Context, from release.Packaged, name string, t Target) ([]*upload, error) {
	facts, err := from.Compatibility(name)
	if err != nil {
		return nil, err
	}
	plugin, err := pluginArtifact(ctx, from, facts, t.PluginRepository(name))
	if err != nil {
		return nil, err
	}
	artifacts := []artifact{plugin}
	if facts.Rules != nil {
		rules, err := rulesArtifact(ctx, from, facts, t.RulesRepository(name))
		if err != nil {
			return nil, err
		}
		artifacts = append(artifacts, rules)
	}
	var uploads []*upload
	for _, a := range artifacts {
		to, err := t.repository(a.repository)
		if err != nil {
			return nil, err
		}
		uploads = append(uploads, &upload{artifact: a, to: to})
	}
	return uploads, nil
}

// compare looks whether the version is published.
func (u *upload) compare(ctx context.Context) error {
	there, err := resolve(ctx, u.to, u.version)
	if err != nil {
		return err
	}
	switch there {
	case "":
	case u.root.Digest:
		u.done = true // its tag came after everything else
	default:
		return fmt.Errorf("%s:%s is published with the content %s, and this is %s; what is released does not change: raise the version", u.repository, u.version, there, u.root.Digest)
	}
	return nil
}

// ErrDenied marks errors about a registry that lets these credentials, or nobody, read a repository.
var ErrDenied = errors.New("the registry denies access")

// resolve returns what a tag points to, "" if there is no such tag.
func resolve(ctx context.Context, r *remote.Repository, tag string) (digest.Digest, error) {
	d, err := r.Resolve(ctx, tag)
	var answer *errcode.ErrorResponse
	switch {
	case err == nil:
		return d.Digest, nil
	case errors.Is(err, errdef.ErrNotFound):
		return "", nil
	case errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden):
		err = fmt.Errorf("%w: %w", ErrDenied, err)
	}
	return "", fmt.Errorf("looking for %s:%s: %w", r.Reference.Repository, tag, err)
}

// send uploads what is not there: blobs, manifests, the index, and what refers to it.
func (u *upload) send(ctx context.Context) error {
	if u.done {
		return nil
	}
	if err := oras.CopyGraph(ctx, u.store, u.to, u.root, oras.DefaultCopyGraphOptions); err != nil {
		return fmt.Errorf("sending %s: %w", u.repository, err)
	}
	for _, r := range u.referrers {
		if err := u.sendReferrer(ctx, r); err != nil {
			return fmt.Errorf("sending what refers to %s: %w", u.repository, err)
		}
	}
	return nil
}

// sendReferrer sends a referrer's manifest even if the registry has it: one that
// does not list referrers by itself has an index of them, which an earlier run may
// not have come to.
func (u *upload) sendReferrer(ctx context.Context, r ocispec.Descriptor) error {
	text, err := content.FetchAll(ctx, u.store, r)
	if err != nil {
		return err
	}
	parts, err := content.Successors(ctx, u.store, r)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := oras.CopyGraph(ctx, u.store, u.to, part, oras.DefaultCopyGraphOptions); err != nil {
			return err
		}
	}
	return u.to.Push(ctx, r, bytes.NewReader(text))
}

// tagVersion makes the release one.
func (u *upload) tagVersion(ctx context.Context) error {
	if u.done {
		return nil
	}
	return u.tag(ctx, u.version)
}

func (u *upload) tag(ctx context.Context, name string) error {
	if err := u.to.Tag(ctx, u.root, name); err != nil {
		return fmt.Errorf("tagging %s:%s: %w", u.repository, name, err)
	}
	return nil
}

// moveTags lets the moving tags that this version is the newest for point to it, and returns all that point to it.
func (u *upload) moveTags(ctx context.Context) ([]string, error) {
	var there []string
	if err := u.to.Tags(ctx, "", func(tags []string) error { there = append(there, tags...); return nil }); err != nil {
		return nil, fmt.Errorf("listing the tags of %s: %w", u.repository, err)
	}
	tags := []string{u.version}
	for _, name := range Moving(u.version, there) {
		at, err := resolve(ctx, u.to, name)
		if err == nil && at != u.root.Digest {
			err = u.tag(ctx, name)
		}
		if err != nil {
			return nil, err
		}
		tags = append(tags, name)
	}
	return tags, nil
}

// warn says which plugins the rules need in versions that are not published here:
// falcoctl fetches each by the tag of exactly that version.
func (u *upload) warn(ctx context.Context, t Target, own string, log io.Writer) error {
	for _, need := range u.needs {
		if need.Plugin == (ruleset.Plugin{Name: own, Version: u.version}) {
			continue
		}
		r, err := t.repository(t.PluginRepository(need.Name))
		if err != nil {
			return err
		}
		at, err := resolve(ctx, r, need.Version)
		if err != nil && !errors.Is(err, ErrDenied) {
			return err
		}
		if at == "" {
			fmt.Fprintf(log, "note: the rules of %s need %s %s, which %s/%s does not have; falcoctl cannot install them until it, or another index, has it\n",
				own, need.Name, need.Version, t.Registry, r.Reference.Repository)
		}
	}
	return nil
}

// Has reports whether a repository of the target's registry has a tag. The error wraps ErrDenied if that is not to be known.
func (t Target) Has(ctx context.Context, repository, tag string) (bool, error) {
	r, err := t.repository(repository)
	if err != nil {
		return false, err
	}
	at, err := resolve(ctx, r, tag)
	return at != "", err
}
