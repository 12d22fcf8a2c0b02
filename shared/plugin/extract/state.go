// SPDX-License-Identifier: Apache-2.0

package extract

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// fieldTable is a plugin's field table, the same for all its states.
type fieldTable[P any] struct {
	fields  []Field[P]
	offsets bool
}

// extractor is the extraction half of one state. Its results are C memory,
// valid until the next call on the same state.
type extractor[P any] struct {
	*fieldTable[P]
	st    *core.State
	p     P
	arena cmem.Arena
	call  Call
}

// keepResults is the C memory for results that a state keeps between calls.
const keepResults = 64 << 10

// Bind implements core.ExtractCapability.
func (t *fieldTable[P]) Bind(st *core.State, a core.Author) core.Extractor {
	x := &extractor[P]{fieldTable: t, st: st, p: a.Unwrap().(P)}
	x.arena.Retain = keepResults
	x.call.arena = &x.arena
	x.call.tables = table.NewAccess(st)
	return x
}

// Free gives the results' memory back.
func (x *extractor[P]) Free() { x.arena.Free() }

var widths = [...]int{abi.FieldString: 8, abi.FieldUint64: 8, abi.FieldRelTime: 8, abi.FieldAbsTime: 8, abi.FieldBool: 4, abi.FieldIPAddr: 16, abi.FieldIPNet: 16}

// ExtractFields answers extract_fields. Fields do not touch each other: one
// that fails has no value, the others have theirs, and the call fails only if
// every field of it did.
func (x *extractor[P]) ExtractFields(evt, input unsafe.Pointer) abi.RC {
	in := (*abi.FieldExtractInput)(input)
	n := int(in.NumFields)
	fields := unsafe.Slice((*abi.ExtractField)(in.Fields), n)
	x.arena.Reset()
	c := &x.call
	c.ev = event.FromInput(evt)
	c.reader, c.wantOffsets, c.asked = in.TableReaderExt, false, nil
	var starts, lengths []uint32
	// The member exists since API 3.11, which plugins with offsets require.
	if x.offsets && in.ValueOffsets != nil {
		c.wantOffsets = true
		starts, lengths = x.offsetArrays(in.ValueOffsets, n)
	}
	failed := 0
	for i := range fields {
		f := &fields[i]
		f.ResLen = 0
		if err := x.extract(f); err != nil {
			x.st.SetError(err)
			failed++
			continue
		}
		f.Res, f.ResLen = c.vals, uint64(c.n)
		if !c.wantOffsets || len(c.offs) == 0 {
			continue
		}
		if n > 1 {
			starts[i], lengths[i] = c.offs[0].start, c.offs[0].length
			continue
		}
		if len(c.offs) > len(starts) {
			starts, lengths = x.offsetArrays(in.ValueOffsets, len(c.offs))
		}
		for k, o := range c.offs {
			starts[k], lengths[k] = o.start, o.length
		}
	}
	if c.reading {
		c.tables.End()
		c.reading = false
	}
	if failed > 0 && failed == n {
		return abi.Failure
	}
	return abi.Success
}

// offsetArrays gives the host n zeroed slots for offsets. Hosts disagree on
// what indexes them, the value or the field, so both must fit.
func (x *extractor[P]) offsetArrays(to unsafe.Pointer, n int) (starts, lengths []uint32) {
	o := (*abi.ValueOffsets)(to)
	o.Start, o.Length = x.arena.Alloc(4*n), x.arena.Alloc(4*n)
	starts, lengths = unsafe.Slice((*uint32)(o.Start), n), unsafe.Slice((*uint32)(o.Length), n)
	clear(starts)
	clear(lengths)
	return starts, lengths
}

// extract answers one field, leaving its values in x.call.
func (x *extractor[P]) extract(f *abi.ExtractField) (err error) {
	if int(f.FieldID) >= len(x.fields) {
		return fmt.Errorf("extract_fields: unknown field number %d; the plugin has %d fields", f.FieldID, len(x.fields))
	}
	field := &x.fields[f.FieldID]
	returned := false
	defer func() {
		if !returned { // sparing the good case the call of recover
			err = x.st.Panicked("extract_fields "+field.Name, recover())
		}
	}()
	c := &x.call
	c.begin(widths[field.Value.kind], field.Value.list)
	c.key, c.index, c.present = nil, abi.NoIndex, f.ArgPresent != 0
	if c.present {
		c.key, c.index = f.ArgKey, f.ArgIndex
	} else if field.Arg&required != 0 {
		returned = true
		return nil // some viewers ask for every field without arguments
	}
	err = field.Value.call(x.p, c, c)
	returned = true
	if err != nil {
		return fmt.Errorf("extract_fields %s: %w", field.Name, err)
	}
	if c.excess {
		return fmt.Errorf("extract_fields %s: %w", field.Name, errExcess)
	}
	return nil
}

var errExcess = errors.New("more than one value for a field that is not a list")
