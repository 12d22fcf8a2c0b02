// SPDX-License-Identifier: Apache-2.0

package elfgate

import (
	"debug/elf"
	"fmt"
	"slices"
)

// Exports returns the names that a dynamic linker finds in the file: defined
// symbols with global or weak binding, sorted. (Local ones do occur in the
// table: arm64 linkers put sections there.)
func Exports(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() // opened for reading only
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return nil, err
	}
	return exported(symbols), nil
}

func exported(symbols []elf.Symbol) []string {
	var names []string
	for _, s := range symbols {
		bind := elf.ST_BIND(s.Info)
		if s.Section != elf.SHN_UNDEF && (bind == elf.STB_GLOBAL || bind == elf.STB_WEAK) {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names
}

// Unexpected compares exported names with what the capabilities call for. To
// export a symbol is to claim its capability, so too many are as wrong as too
// few. It returns one sentence for each difference.
func Unexpected(have []string, capabilities []Capability) ([]string, error) {
	want, err := expected(capabilities)
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, s := range want {
		if !slices.Contains(have, s) {
			wrong = append(wrong, fmt.Sprintf("does not export %s (%s)", s, owner(s)))
		}
	}
	for _, s := range have {
		switch {
		case slices.Contains(want, s):
		case owner(s) == "":
			wrong = append(wrong, fmt.Sprintf("exports %s, which is not part of the plugin API", s))
		default:
			wrong = append(wrong, fmt.Sprintf("exports %s (%s), a capability that the registry does not list", s, owner(s)))
		}
	}
	return wrong, nil
}

func (g *gate) exports() error {
	wrong, err := Unexpected(exported(g.symbols), g.rules.Capabilities)
	g.violations = append(g.violations, wrong...)
	return err
}
