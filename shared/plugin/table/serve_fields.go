// SPDX-License-Identifier: Apache-2.0

package table

// The framework's calls for the fields of tables of one's own, see serve.go.

import "C"

import (
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
)

//export aerie_own_list_fields
func aerie_own_list_fields(t uintptr, n *uint32) unsafe.Pointer {
	s := served(t)
	if n == nil {
		return nil
	}
	*n = 0
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.service == nil {
		return nil
	}
	p, count := s.schema.list()
	*n = uint32(count)
	return p
}

//export aerie_own_get_field
func aerie_own_get_field(t uintptr, name unsafe.Pointer, typ uint32) uintptr {
	return ownField(t, "get field", name, typ, (*schema).find)
}

//export aerie_own_add_field
func aerie_own_add_field(t uintptr, name unsafe.Pointer, typ uint32) uintptr {
	return ownField(t, "add field", name, typ, (*schema).add)
}

func ownField(t uintptr, doing string, name unsafe.Pointer, typ uint32, find func(*schema, string, Type) (uintptr, error)) uintptr {
	s := served(t)
	if s == nil {
		return 0
	}
	h, err := find(s.schema, cmem.GoString(name), Type(typ))
	if err != nil {
		s.mu.RLock()
		defer s.mu.RUnlock()
		s.fail(doing, err)
		return 0
	}
	return h
}
