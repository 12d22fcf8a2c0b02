// SPDX-License-Identifier: Apache-2.0

package elfgate

import (
	"debug/elf"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// floorMajor.floorMinor is the newest glibc that a plugin may ask for.
const floorMajor, floorMinor = 2, 17

// allowed are the libraries that a plugin may name. All belong to glibc.
var allowed = []string{"libc.so.6", "libpthread.so.0", "libm.so.6", "libdl.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}

// versionsNeeded refuses versions above the floor and names the symbols that brought them in.
func (g *gate) versionsNeeded() error {
	if any, err := g.file.DynValue(elf.DT_VERNEED); err != nil || len(any) == 0 {
		return err // a file that needs no versioned symbol has no table of them
	}
	needs, err := g.file.DynamicVersionNeeds()
	if err != nil {
		return fmt.Errorf("reading the symbol versions it needs: %w", err)
	}
	for _, library := range needs {
		for _, need := range library.Needs {
			if reason := tooNew(need.Dep); reason != "" {
				g.refuse("needs %s of %s, %s: %s", need.Dep, library.Name, reason, g.importedAt(need.Dep))
			}
		}
	}
	return nil
}

// tooNew says why a version is refused, or "" if it is at or below the floor.
func tooNew(version string) string {
	number, isGlibc := strings.CutPrefix(version, "GLIBC_")
	if !isGlibc {
		return "only GLIBC versions are allowed"
	}
	parts := strings.Split(number, ".")
	var n [2]int
	for i := range n {
		if i >= len(parts) {
			return "not a numbered version"
		}
		v, err := strconv.Atoi(parts[i])
		if err != nil {
			return "not a numbered version"
		}
		n[i] = v
	}
	if n[0] > floorMajor || n[0] == floorMajor && n[1] > floorMinor {
		return fmt.Sprintf("the floor is GLIBC_%d.%d", floorMajor, floorMinor)
	}
	return ""
}

// importedAt lists the undefined symbols of that version as symbol@version.
func (g *gate) importedAt(version string) string {
	var names []string
	for _, s := range g.symbols {
		if s.Section == elf.SHN_UNDEF && s.Version == version {
			names = append(names, s.Name+"@"+version)
		}
	}
	if len(names) == 0 {
		return "no symbol asks for it, so a linker option does"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// librariesNeeded compares DT_NEEDED with the list. libpthread must be named:
// before glibc 2.34 the thread functions are there and nowhere else, and
// whether a linker drops an unneeded name differs between distributions.
func (g *gate) librariesNeeded() error {
	libraries, err := g.file.DynString(elf.DT_NEEDED)
	if err != nil {
		return fmt.Errorf("reading DT_NEEDED: %w", err)
	}
	for _, l := range libraries {
		if !slices.Contains(allowed, l) {
			g.refuse("DT_NEEDED names %s, allowed are %s", l, strings.Join(allowed, ", "))
		}
	}
	if !slices.Contains(libraries, "libpthread.so.0") {
		g.refuse("DT_NEEDED lacks libpthread.so.0, where the thread functions are before glibc 2.34")
	}
	return nil
}

// undefined refuses symbols that no library promises: loading would fail, or succeed by chance only.
func (g *gate) undefined() error {
	for _, s := range g.symbols {
		if s.Section == elf.SHN_UNDEF && elf.ST_BIND(s.Info) == elf.STB_GLOBAL && s.Version == "" {
			g.refuse("imports %s, which no library it names provides", s.Name)
		}
	}
	return nil
}
