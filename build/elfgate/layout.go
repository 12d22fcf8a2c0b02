// SPDX-License-Identifier: Apache-2.0

package elfgate

import (
	"debug/elf"
	"fmt"
)

const (
	// maxTLS is the thread-local storage a plugin may have, in bytes. A library that is loaded later has to fit into
	// what the process has left over, which all plugins share.
	maxTLS = 64
	// arm64Align lets a plugin load on kernels with pages of 64 KiB.
	arm64Align = 64 << 10
)

// dynamicTags checks the entries of the dynamic section that change how the loader treats the file.
func (g *gate) dynamicTags() error {
	for _, t := range []struct {
		tag elf.DynTag
		why string
	}{
		{elf.DT_SONAME, "a plugin is loaded by path"},
		{elf.DT_RPATH, "it would search the builder's folders"},
		{elf.DT_RUNPATH, "it would search the builder's folders"},
	} {
		values, err := g.file.DynString(t.tag)
		if err != nil {
			return fmt.Errorf("reading %v: %w", t.tag, err)
		}
		if len(values) > 0 {
			g.refuse("has %v %q: %s", t.tag, values[0], t.why)
		}
	}
	has := func(tag elf.DynTag, flag uint64) (bool, error) {
		values, err := g.file.DynValue(tag)
		if err != nil {
			return false, fmt.Errorf("reading %v: %w", tag, err)
		}
		for _, v := range values {
			if flag == 0 || v&flag != 0 {
				return true, nil
			}
		}
		return false, nil
	}
	textrel, err := has(elf.DT_TEXTREL, 0)
	if err != nil {
		return err
	}
	flagged, err := has(elf.DT_FLAGS, uint64(elf.DF_TEXTREL))
	if err != nil {
		return err
	}
	if textrel || flagged {
		g.refuse("has TEXTREL: its code would have to be made writable")
	}
	verdef, err := has(elf.DT_VERDEF, 0)
	if err != nil {
		return err
	}
	if verdef {
		g.refuse("has DT_VERDEF: its own symbols carry versions")
	}
	nodelete, err := has(elf.DT_FLAGS_1, uint64(elf.DF_1_NODELETE))
	if err != nil {
		return err
	}
	if !nodelete {
		g.refuse("lacks DF_1_NODELETE: the Go runtime cannot be unloaded")
	}
	return nil
}

// segments checks the program headers.
func (g *gate) segments() error {
	var stack, relro bool
	for _, p := range g.file.Progs {
		switch p.Type {
		case elf.PT_GNU_STACK:
			stack = true
			if p.Flags&elf.PF_X != 0 {
				g.refuse("asks for an executable stack")
			}
		case elf.PT_GNU_RELRO:
			relro = true
		case elf.PT_TLS:
			if p.Memsz > maxTLS {
				g.refuse("has %d bytes of thread-local storage, allowed are %d", p.Memsz, maxTLS)
			}
		case elf.PT_LOAD:
			if g.rules.Arch == "arm64" && p.Align%arm64Align != 0 {
				g.refuse("a segment is aligned to %d bytes, kernels with large pages need %d", p.Align, arm64Align)
			}
		}
	}
	if !stack {
		g.refuse("lacks PT_GNU_STACK, so the stack becomes executable")
	}
	if !relro {
		g.refuse("lacks PT_GNU_RELRO")
	}
	return nil
}
