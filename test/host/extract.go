// SPDX-License-Identifier: Apache-2.0

package host

/*
#include <stdlib.h>
#include "calls.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// Request asks for one field. Field.Argument makes its argument by the
// framework's rules; a test may fill in anything.
type Request struct {
	ID   uint32
	Name string
	Type uint32
	List bool
	Argument
}

// Request is the request for a field of that exact name. argument is the text
// between its brackets and written false if it has none.
func (p *Plugin) Request(name, argument string, written bool) (Request, error) {
	f := findField(p.Fields, name)
	if f == nil {
		return Request{}, fmt.Errorf("plugin %s has no field %q", p.Name, name)
	}
	arg, err := f.Argument(argument, written)
	return Request{ID: f.ID, Name: f.Name, Type: f.TypeCode(), List: f.List, Argument: arg}, err
}

// Result is a field's value, copied out of the plugin.
type Result struct {
	// Values is empty where the field has no value; one value, or for a list
	// any number. Strings are string; uint64, reltime and abstime are uint64;
	// bools bool; ipaddr and ipnet netip.Addr.
	Values []any
	// Offset is where the value stands in the event, counted from its header;
	// both zero if the plugin did not say. Only with offsets asked for. Of a
	// list, Offsets has one for each value.
	Offsets []Offset
}

// Offset is the place of a value in its event, in bytes.
type Offset struct{ Start, Length uint32 }

// Extraction is what one extract_fields call gave.
type Extraction struct {
	RC abi.RC
	// Results is in the order of the requests. Without success it has no values.
	Results []Result
}

// listFlag is what libsinsp puts into flist: a flag of its own, not 1.
const listFlag = 64

// garbage fills what libsinsp leaves uninitialised: it is no address and no
// count that a plugin may have written.
const garbage = 0xDBDBDBDBDBDBDBDB

// Extract makes one extract_fields call for one field, as libsinsp's filters
// and outputs do. It asks for offsets only if told to, which Falco and sysdig
// never do.
//
// A plugin's failure is no error here but an Extraction with its result code:
// the framework takes it for a field without a value and asks for no error
// text. The error is a *Violation.
func (p *Plugin) Extract(e *Event, r Request, offsets bool) (Extraction, error) {
	return p.ExtractFields(e, []Request{r}, offsets)
}

// ExtractFields makes one extract_fields call for any number of fields. The
// framework asks for one at a time. Offsets stand by value for one field and
// by field for several.
func (p *Plugin) ExtractFields(e *Event, requests []Request, offsets bool) (Extraction, error) {
	if !p.lib.Has(SymExtractFields) {
		return Extraction{}, p.lib.lacks(SymExtractFields)
	}
	var in inputs
	defer in.release()
	fields := allocN[abi.ExtractField](&in, len(requests))
	fillRequests(&in, fields, requests)
	arg, places := p.extractInput(&in, fields, offsets)
	rc, broken := p.callExtract(eventInput(&in, e), arg, e.num)

	out := Extraction{RC: rc, Results: make([]Result, len(requests))}
	if broken != nil || rc != abi.Success {
		return out, broken
	}
	for k := range fields {
		var err error
		if out.Results[k], err = readResult(&fields[k], requests[k]); err != nil {
			return out, err
		}
		if offsets {
			first, n := k, 1
			if len(fields) == 1 {
				first, n = 0, len(out.Results[k].Values)
			}
			out.Results[k].Offsets = readOffsets(places, first, n)
		}
	}
	return out, nil
}

// fillRequests writes requests as libsinsp does, with what it leaves
// uninitialised filled with garbage.
func fillRequests(in *inputs, fields []abi.ExtractField, requests []Request) {
	for k, r := range requests {
		f := &fields[k]
		*(*uint64)(unsafe.Pointer(&f.Res)) = garbage
		f.ResLen = garbage
		f.FieldID, f.Field, f.FType = r.ID, in.text(r.Name), r.Type
		if r.List {
			f.FList = listFlag
		}
		f.ArgIndex = r.Index
		if r.HasKey {
			f.ArgKey = in.text(r.Key)
		}
		if r.Present {
			f.ArgPresent = 1
		}
	}
}

// extractInput completes the input of an extraction; places is NULL, or where
// the plugin may put value offsets.
func (p *Plugin) extractInput(in *inputs, fields []abi.ExtractField, offsets bool) (arg *abi.FieldExtractInput, places *abi.ValueOffsets) {
	arg = alloc[abi.FieldExtractInput](in)
	arg.Owner = unsafe.Pointer(p.owner.c)
	arg.GetOwnerLastError = hostOwnerError()
	arg.NumFields = uint32(len(fields))
	arg.Fields = unsafe.Pointer(unsafe.SliceData(fields))
	arg.TableReader = *(*abi.ReaderVtable)(hostReader())
	arg.TableReaderExt = lend[abi.ReaderVtableExt](in, hostReader())
	if offsets {
		places = alloc[abi.ValueOffsets](in)
		arg.ValueOffsets = unsafe.Pointer(places)
	}
	return arg, places
}

func (p *Plugin) callExtract(evt *abi.EventInput, arg *abi.FieldExtractInput, num uint64) (abi.RC, error) {
	p.lib.enter(SymExtractFields, num)
	p.begin(SymExtractFields)
	rc := abi.RC(C.aerie_call_extract_fields(p.lib.api, p.state,
		(*C.struct_aerie_event_input)(unsafe.Pointer(evt)), (*C.struct_aerie_field_extract_input)(unsafe.Pointer(arg))))
	return rc, p.end(SymExtractFields)
}

func readOffsets(places *abi.ValueOffsets, first, n int) []Offset {
	if places.Start == nil || places.Length == nil {
		return nil
	}
	offsets := make([]Offset, n)
	for k := range offsets {
		at := uintptr(first+k) * 4
		offsets[k] = Offset{*(*uint32)(unsafe.Add(places.Start, at)), *(*uint32)(unsafe.Add(places.Length, at))}
	}
	return offsets
}
