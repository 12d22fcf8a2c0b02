// SPDX-License-Identifier: Apache-2.0

package host

/*
#cgo CFLAGS: -I${SRCDIR}/../../shared/plugin/abi -Wall
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"fmt"
	"path/filepath"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Observer is told of every call into a plugin just before it is made, on the
// thread that makes it: which function, and for calls that take an event its
// number, else 0. It may run on several threads at once.
type Observer func(call Symbol, evtnum uint64)

// LoadOptions changes how a library is loaded and watched. Nil means none.
type LoadOptions struct {
	Observe Observer
}

// Library is a loaded shared object. It stays loaded until the process ends.
type Library struct {
	path    string
	api     *C.aerie_api // C memory, as long-lived as the library
	symbols []Symbol
	observe Observer
}

// Load maps the shared object at path (RTLD_NOW|RTLD_LOCAL) and looks up the
// functions of the Plugin API in it. None of them has to be there, and none is
// called; but constructors in the library run, a Go runtime's start included.
func Load(path string, o *LoadOptions) (*Library, error) {
	// A bare name would make dlopen search the system's library folders.
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("load plugin library %q: %w", path, err)
	}
	cpath := C.CString(abs)
	defer C.free(unsafe.Pointer(cpath))
	var msg *C.char
	handle := C.aerie_host_dlopen(cpath, &msg)
	if handle == nil {
		defer C.free(unsafe.Pointer(msg))
		return nil, fmt.Errorf("load plugin library: %s", C.GoString(msg))
	}

	lib := &Library{path: abs, api: (*C.aerie_api)(C.calloc(1, C.sizeof_aerie_api))}
	if o != nil {
		lib.observe = o.Observe
	}
	// The table of functions has their order and nothing else in it.
	table := (*[len(abi.Symbols)]unsafe.Pointer)(unsafe.Pointer(lib.api))
	for i := range table {
		name := C.CString(Symbol(i).String())
		table[i] = C.dlsym(handle, name)
		C.free(unsafe.Pointer(name))
		if table[i] != nil {
			lib.symbols = append(lib.symbols, Symbol(i))
		}
	}
	return lib, nil
}

// Path is the library's absolute path.
func (l *Library) Path() string { return l.path }

// Symbols lists the functions of the Plugin API that the library exports.
func (l *Library) Symbols() []Symbol { return append([]Symbol(nil), l.symbols...) }

// Has reports whether the library exports the function.
func (l *Library) Has(s Symbol) bool {
	for _, have := range l.symbols {
		if have == s {
			return true
		}
	}
	return false
}

// lacks is the error of calling a function that the library does not export.
func (l *Library) lacks(s Symbol) error {
	return fmt.Errorf("call %s: %s does not export it", s, l.path)
}

func (l *Library) enter(s Symbol, evtnum uint64) {
	if l.observe != nil {
		l.observe(s, evtnum)
	}
}

// text calls a function without arguments that returns a static string; ok is
// false where the function is missing or returns NULL.
func (l *Library) text(s Symbol) (string, bool) {
	f := l.textFunc(s)
	if f == nil {
		return "", false
	}
	l.enter(s, 0)
	p := C.aerie_call_text(f)
	if p == nil {
		return "", false
	}
	return C.GoString(p), true
}

// textFunc is the function of s, which must be one without arguments that
// returns a string; nil where the library lacks it.
func (l *Library) textFunc(s Symbol) *[0]byte {
	return (*[0]byte)((*[len(abi.Symbols)]unsafe.Pointer)(unsafe.Pointer(l.api))[s])
}

// id calls get_id; 0, which means none, where it is missing.
func (l *Library) id() uint32 {
	if !l.Has(SymGetID) {
		return 0
	}
	l.enter(SymGetID, 0)
	return uint32(C.aerie_call_get_id(l.api))
}
