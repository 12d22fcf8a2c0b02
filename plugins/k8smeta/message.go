// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
	"github.com/aerie-falco/aerie/shared/jsonfields"
)

// maxMessage is the longest text of an event that is read, in bytes: the longest
// that a feed emits. What there is to say of a resource is a few KB.
const maxMessage = feed.MaxText

// message is what an event of the name k8s says.
type message struct {
	reason, uid, kind string

	k        kind
	known    bool      // it is about one of the kinds that are kept
	resource *resource // nil if it is to be deleted
}

// reader reads messages. It keeps memory from one to the next; what it gives is
// independent of it.
type reader struct {
	outer, inner jsonfields.Document
	buf          []byte
}

var root jsonfields.Pointer

// read reads the text of an event.
func (r *reader) read(text []byte) (m message, err error) {
	if len(text) > maxMessage {
		return m, fmt.Errorf("%d bytes of text; at most %d are read", len(text), maxMessage)
	}
	if !utf8.Valid(text) {
		return m, errors.New("it is not UTF-8")
	}
	if !r.outer.Load(text) {
		return m, r.outer.Err()
	}
	all := r.outer.Find(root)
	if all.Kind() != jsonfields.KindObject {
		return m, errors.New("it is not a JSON object")
	}
	for _, want := range []struct {
		member string
		to     *string
	}{{"reason", &m.reason}, {"uid", &m.uid}, {"kind", &m.kind}} {
		v := all.Get(want.member)
		if v.Kind() == jsonfields.KindString {
			*want.to = string(v.Text())
		}
		if *want.to == "" {
			return m, fmt.Errorf("it has no text %q; reason, uid and kind must be there", want.member)
		}
	}
	m.k, m.known = kindOf(m.kind)
	switch m.reason {
	case metadata.Delete:
		return m, nil
	case metadata.Create, metadata.Update:
	default:
		return m, fmt.Errorf("%s %q: unknown reason %q; want %s, %s or %s", m.kind, m.uid, m.reason, metadata.Create, metadata.Update, metadata.Delete)
	}
	if !m.known {
		return m, nil
	}
	if m.resource, err = r.resource(all); err != nil {
		return m, fmt.Errorf("%s %q: %w", m.kind, m.uid, err)
	}
	return m, nil
}

// draft is a resource while it is read: its texts are pieces of the reader's
// buffer, which become one string in the end.
type draft struct {
	name, namespace, ip, hash    span
	meta, spec, status, refsText *span // nil where they are not given
	labels                       []labelDraft
	refs                         []referenceDraft
}

type span struct{ start, end int }

type labelDraft struct {
	span     // key:value
	key  int // length of the key
}

type referenceDraft struct {
	kind span
	uids []span
}

// keepBuffer is how much memory is kept from one message to the next, in bytes.
const keepBuffer = 64 << 10

// resource reads what an event says of a resource.
func (r *reader) resource(all jsonfields.Value) (*resource, error) {
	if cap(r.buf) > keepBuffer {
		r.buf = nil
	}
	r.buf = r.buf[:0]
	var d draft
	var err error
	if d.meta, err = r.embedded(all, "meta", func(v jsonfields.Value) { r.readMeta(&d, v) }); err != nil {
		return nil, err
	}
	if d.spec, err = r.embedded(all, "spec", func(jsonfields.Value) {}); err != nil {
		return nil, err
	}
	if d.status, err = r.embedded(all, "status", func(v jsonfields.Value) { d.ip = r.addString(v.Get("podIP")) }); err != nil {
		return nil, err
	}
	if err := r.readRefs(&d, all.Get("refs")); err != nil {
		return nil, err
	}
	return d.finish(string(r.buf)), nil
}

// embedded reads a member that is a text holding a JSON object, and has f look at
// that; nil if there is no such member.
func (r *reader) embedded(all jsonfields.Value, member string, f func(jsonfields.Value)) (*span, error) {
	v := all.Get(member)
	switch v.Kind() {
	case jsonfields.KindAbsent, jsonfields.KindNull:
		return nil, nil
	case jsonfields.KindString:
	default:
		return nil, fmt.Errorf("%s: want a text that holds a JSON object", member)
	}
	s := r.add(v)
	if !r.inner.Load(r.buf[s.start:s.end]) {
		return nil, fmt.Errorf("%s: %w", member, r.inner.Err())
	}
	object := r.inner.Find(root)
	switch object.Kind() {
	case jsonfields.KindNull:
	case jsonfields.KindObject:
		f(object)
	default:
		return nil, fmt.Errorf("%s: want a text that holds a JSON object", member)
	}
	return &s, nil
}

func (r *reader) readMeta(d *draft, v jsonfields.Value) {
	d.name, d.namespace = r.addString(v.Get("name")), r.addString(v.Get("namespace"))
	d.hash = r.addString(v.Get("annotations").Get(metadata.ConfigHash))
	for key, value := range v.Get("labels").Members {
		start := len(r.buf)
		r.buf = append(append(r.buf, key...), ':')
		d.labels = append(d.labels, labelDraft{span{start, r.add(value).end}, len(key)})
	}
}

func (r *reader) readRefs(d *draft, refs jsonfields.Value) error {
	switch refs.Kind() {
	case jsonfields.KindAbsent, jsonfields.KindNull:
		return nil
	case jsonfields.KindObject:
	default:
		return errors.New("refs: want an object")
	}
	text := r.add(refs)
	d.refsText = &text
	for key, value := range refs.Get("resources").Members {
		start := len(r.buf)
		r.buf = append(r.buf, key...)
		ref := referenceDraft{kind: span{start, len(r.buf)}}
		for uid := range value.Get("list").Elements {
			if uid.Kind() == jsonfields.KindString {
				ref.uids = append(ref.uids, r.add(uid))
			}
		}
		d.refs = append(d.refs, ref)
	}
	return nil
}

// add adds the text of a value to the buffer.
func (r *reader) add(v jsonfields.Value) span {
	start := len(r.buf)
	r.buf = v.AppendText(r.buf)
	return span{start, len(r.buf)}
}

// addString is add for a string; other values are as good as absent.
func (r *reader) addString(v jsonfields.Value) span {
	if v.Kind() != jsonfields.KindString {
		return span{}
	}
	return r.add(v)
}

// finish makes the resource; text is all of the buffer.
func (d *draft) finish(text string) *resource {
	of := func(s span) string { return text[s.start:s.end] }
	given := func(s *span) piece {
		if s == nil {
			return piece{}
		}
		return piece{of(*s), true}
	}
	out := &resource{
		name: of(d.name), namespace: of(d.namespace), ip: of(d.ip), hash: of(d.hash),
		meta: given(d.meta), spec: given(d.spec), status: given(d.status), refsText: given(d.refsText),
		size: entrySize + len(text) + labelSize*len(d.labels),
	}
	if len(d.labels) > 0 {
		out.labels = make([]label, len(d.labels))
		for i, l := range d.labels {
			out.labels[i] = label{of(l.span), l.key}
		}
		out.labels = sortLabels(out.labels)
	}
	if len(d.refs) > 0 {
		out.refs, out.uids = make([]reference, len(d.refs)), new([kinds][]string)
		out.size += uidsSize
	}
	for i, ref := range d.refs {
		uids := make([]string, len(ref.uids))
		for j, uid := range ref.uids {
			uids[j] = of(uid)
		}
		out.refs[i] = reference{of(ref.kind), uids}
		if k, ok := kindOf(of(ref.kind)); ok && out.uids[k] == nil { // of a kind that is there twice, the first counts
			out.uids[k] = uids
		}
		out.size += referenceSize * (1 + len(uids))
	}
	return out
}
