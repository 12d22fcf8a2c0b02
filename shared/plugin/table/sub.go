// SPDX-License-Identifier: Apache-2.0

package table

import (
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Sub is a field whose values are tables with keys of type K: one table in
// every entry.
type Sub[K Key] struct{ d *desc }

func (s *Sub[K]) description() *desc { return s.d }

// OpenSub finds the subtables in a field of t. Fields of their entries are
// looked up on the result, and are good for all of them. To look at the first
// one, an entry of t is created and destroyed. Subtables are part of the API
// since 3.5, see RequireSubtables.
func OpenSub[K Key](t Fielded, name string) (*Sub[K], error) {
	p := t.description()
	f, err := p.lookup("find field", name, Subtable, get)
	if err != nil {
		return nil, err
	}
	d := p.in.desc(p, name, typeFor[K](), 0)
	d.field = f
	err = d.with(func(h word) error {
		if key := keyOfHandle(h); key != d.key && key.scalar() {
			return fmt.Errorf("find field %q (table) of table %q: its keys are %s, not %s", name, p.name, key, d.key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Sub[K]{d}, nil
}

// keyOfHandle is the type of a subtable's keys, 0 where it does not show. The
// API has no call for it, but a key of the wrong type is fatal: a number would
// be followed as a text. What a field of type table holds is, for all
// frameworks that have such fields, the address of an ss_plugin_table_input.
func keyOfHandle(h word) Type {
	if h < 4096 || h%8 != 0 || h >= notAddress {
		return 0
	}
	in := *(**abi.TableInput)(unsafe.Pointer(&h))
	return Type(in.KeyType)
}

// Of is the subtable in an entry, valid until the call ends.
func (s *Sub[K]) Of(e Entry) (Foreign[K], error) {
	h, err := s.d.inEntry(e)
	if err != nil {
		return Foreign[K]{}, err
	}
	return Foreign[K]{d: s.d, h: h, a: e.a, call: e.a.call}, nil
}

// inEntry reads the subtable's handle from an entry of the parent.
func (d *desc) inEntry(e Entry) (word, error) {
	bits, err := e.read(d.parent, d.field, d.name)
	if err != nil {
		return 0, err
	}
	if bits == 0 {
		return 0, fmt.Errorf("read subtable %q: table %q: the entry has none", d.name, d.parent.name)
	}
	return word(bits), nil
}
