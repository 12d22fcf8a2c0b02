// SPDX-License-Identifier: Apache-2.0

// Package elfgate judges a built plugin: whether it will load on every machine
// that it is meant for, exports what it should and nothing else, and tells
// nothing of the machine that built it. It reads the file only; it neither
// loads nor runs it, so that files of a foreign architecture are judged alike.
package elfgate

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"strings"
)

// Rules are what differs from plugin to plugin and from builder to builder.
type Rules struct {
	Arch         string       // GOARCH: amd64 or arm64
	Capabilities []Capability // besides the base
	Builder      []string     // absolute folders of the building machine that must not appear in the file
}

// Refused is the error about a file that breaks rules.
type Refused struct {
	File       string
	Violations []string // one sentence each, in the order of the checks
}

func (r *Refused) Error() string {
	noun := "violations"
	if len(r.Violations) == 1 {
		noun = "violation"
	}
	return fmt.Sprintf("checking %s: %d %s:\n  - %s", r.File, len(r.Violations), noun, strings.Join(r.Violations, "\n  - "))
}

// Check reads the file and returns nil if it keeps all rules, a *Refused with
// every violation if not, and another error if it cannot be judged at all.
func Check(file string, rules Rules) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("checking %s: %w", file, err)
	}
	f, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("checking %s: not an ELF file: %w", file, err)
	}
	if _, known := machines[rules.Arch]; !known {
		return fmt.Errorf("checking %s: unknown architecture %q; use amd64 or arm64", file, rules.Arch)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("checking %s: reading its dynamic symbols: %w", file, err)
	}
	g := &gate{file: f, content: content, rules: rules, symbols: symbols}
	for _, check := range []func() error{
		g.kind, g.versionsNeeded, g.librariesNeeded, g.undefined, g.dynamicTags, g.segments, g.exports, g.stripped, g.builderPaths, g.buildInfo,
	} {
		if err := check(); err != nil {
			return fmt.Errorf("checking %s: %w", file, err)
		}
	}
	if len(g.violations) > 0 {
		return &Refused{File: file, Violations: g.violations}
	}
	return nil
}

// gate collects the violations of one file.
type gate struct {
	file       *elf.File
	content    []byte
	rules      Rules
	symbols    []elf.Symbol // dynamic, defined and undefined
	violations []string
}

func (g *gate) refuse(format string, args ...any) {
	g.violations = append(g.violations, fmt.Sprintf(format, args...))
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

func (g *gate) kind() error {
	if g.file.Class != elf.ELFCLASS64 {
		g.refuse("class is %v, not ELFCLASS64", g.file.Class)
	}
	if g.file.Type != elf.ET_DYN {
		g.refuse("type is %v, not ET_DYN", g.file.Type)
	}
	if want := machines[g.rules.Arch]; g.file.Machine != want {
		g.refuse("machine is %v, not %v as the folder linux_%s says", g.file.Machine, want, g.rules.Arch)
	}
	return nil
}
