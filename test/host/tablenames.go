// SPDX-License-Identifier: Apache-2.0

package host

import "fmt"

// TableInfo is what a state table is, without its entries.
type TableInfo struct {
	Name   string           `json:"name"`
	Key    string           `json:"key"` // type of the keys
	Fields []TableFieldInfo `json:"fields"`
}

// TableFieldInfo is a field of a state table's entries.
type TableFieldInfo struct {
	Name     string `json:"name"`
	Type     string `json:"type"` // int8 to uint64, bool, string or table
	ReadOnly bool   `json:"read_only"`
}

// OwnTables describes the state tables that the plugin has added, in that order.
func (p *Plugin) OwnTables() ([]TableInfo, error) {
	defer p.tables.own()()
	all := []TableInfo{}
	for _, name := range p.tables.order {
		s, ok := p.tables.byName[name].(*pluginTable)
		if !ok || s.plugin != p {
			continue
		}
		fields, err := s.list()
		if err != nil {
			return nil, fmt.Errorf("list the fields of table %s: %w", name, err)
		}
		t := TableInfo{Name: name, Key: stateName(s.keyType()), Fields: []TableFieldInfo{}}
		for _, f := range fields {
			t.Fields = append(t.Fields, TableFieldInfo{f.label, stateName(f.code), f.readOnly})
		}
		all = append(all, t)
	}
	return all, nil
}
