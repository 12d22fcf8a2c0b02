// SPDX-License-Identifier: Apache-2.0

package host

import (
	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Packet is what Stratoshark reads of one field.
type Packet struct {
	Field Field
	// Value is a string for string fields and a uint64 for all others, which
	// Stratoshark reads as one 64-bit number whatever their type; nil if none.
	Value any
	// Offset is where the value stands; both zero if the plugin did not say.
	Offset Offset
}

// ExtractAll asks for all of the plugin's fields in one call, the way
// Stratoshark does: no event source, no arguments even where one is required,
// every type but string re-typed to uint64, no lists, offsets asked for. rc is
// the call's result code. The plugin's ID and the like in the event are the
// caller's business.
func (p *Plugin) ExtractAll(e *Event) (fields []Packet, rc abi.RC, err error) {
	if !p.lib.Has(SymExtractFields) {
		return nil, abi.Failure, p.lib.lacks(SymExtractFields)
	}
	var in inputs
	defer in.release()
	asked := allocN[abi.ExtractField](&in, len(p.Fields))
	for k := range asked {
		asked[k].FieldID, asked[k].Field = uint32(k), in.text(p.Fields[k].Name)
		asked[k].FType = abi.FieldUint64
		if p.Fields[k].TypeCode() == abi.FieldString {
			asked[k].FType = abi.FieldString
		}
	}
	arg, places := p.extractInput(&in, asked, true)
	evt := eventInput(&in, e)
	evt.EvtSrc = nil
	if rc, err = p.callExtract(evt, arg, e.num); rc != abi.Success || err != nil {
		return nil, rc, err
	}
	offsets := readOffsets(places, 0, len(asked))
	fields = make([]Packet, len(asked))
	for k := range asked {
		fields[k].Field = p.Fields[k]
		if asked[k].ResLen == 0 {
			continue
		}
		// Stratoshark looks at the first value only.
		asked[k].ResLen = 1
		one, err := readResult(&asked[k], Request{Name: p.Fields[k].Name, Type: asked[k].FType})
		if err != nil {
			return nil, rc, err
		}
		fields[k].Value = one.Values[0]
		if offsets != nil {
			fields[k].Offset = offsets[k]
		}
	}
	return fields, rc, nil
}
