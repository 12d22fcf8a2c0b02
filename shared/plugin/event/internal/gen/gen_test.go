// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/event/schema"
)

const folder = "../.."

func TestTheCommittedFilesAreWhatTheTableGives(t *testing.T) {
	want, err := generate(folder)
	require.NoError(t, err)
	require.Len(t, want, 2)
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		assert.Equal(t, string(text), string(got), "%s is out of date: run go generate in event/schema", name)
	}
}

func TestTheGeneratedTableSaysWhatTheJSONSays(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(folder, source))
	require.NoError(t, err)
	d, err := parse(text)
	require.NoError(t, err)
	assert.Equal(t, schema.Version, d.Schema)
	assert.Equal(t, schema.Libs, d.Libs)
	require.Equal(t, schema.Types(), len(d.Events))
	for _, e := range d.Events {
		got, ok := schema.Of(uint16(e.Type))
		require.True(t, ok)
		assert.Equal(t, e.Name, got.Name)
		assert.Equal(t, e.Category, got.Category.String())
		if e.Origin != "" {
			assert.Equal(t, e.Origin, got.Origin.String())
		}
		params := [][2]string{}
		for i := range got.NumParams() {
			p := got.Param(i)
			params = append(params, [2]string{p.Name, p.Kind.String()})
		}
		assert.Equal(t, e.Params, params, e.Symbol)
	}
}

func TestConstantsAreNamedAfterTheCurrentEvents(t *testing.T) {
	for symbol, want := range map[string]string{
		"SYSCALL_EXECVE_19_X":         "TypeExecveX",
		"SOCKET_ACCEPT4_6_X":          "TypeAccept4X",
		"SYSCALL_OPENAT2_X":           "TypeOpenat2X",
		"SYSCALL_OPEN_BY_HANDLE_AT_X": "TypeOpenByHandleAtX",
		"PROCEXIT_1_E":                "TypeProcexitE",
	} {
		assert.Equal(t, want, constant(symbol))
	}
	assert.EqualValues(t, 293, event.TypeExecveX)
	assert.EqualValues(t, 331, event.TypeExecveatX)
	assert.EqualValues(t, 307, event.TypeOpenatX)
	assert.EqualValues(t, 3, event.TypeOpenX)
	assert.EqualValues(t, 23, event.TypeConnectX)
	assert.EqualValues(t, 223, event.TypeCloneX)
	assert.EqualValues(t, 225, event.TypeForkX)
	assert.EqualValues(t, 227, event.TypeVforkX)
	assert.EqualValues(t, 335, event.TypeClone3X)
	assert.EqualValues(t, 186, event.TypeProcexitE)
	assert.EqualValues(t, 275, event.TypeSetsidX)
	assert.EqualValues(t, 267, event.TypeChrootX)
}

func TestTablesThatCannotBeRightAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":        {`events`, "invalid character 'e' looking for beginning of value"},
		"no version":     {`{"libs":"1","events":[{"type":0}]}`, `libs "1", schema "", 1 events; want all three`},
		"no events":      {`{"libs":"1","schema":"1"}`, `libs "1", schema "1", 0 events; want all three`},
		"a gap in types": {`{"libs":"1","schema":"1","events":[{"type":1,"symbol":"X"}]}`, "event 0 (X) has the type 1; want them in order and without gaps"},
	} {
		_, err := parse([]byte(c.text))
		assert.EqualError(t, err, c.want, name)
	}
	twice := dump{Events: []entry{{Symbol: "SYSCALL_DUP_1_X"}, {Symbol: "DUP_X"}}}
	_, err := types(twice)
	assert.EqualError(t, err, "SYSCALL_DUP_1_X and DUP_X both give TypeDupX")
	_, err = table(dump{Events: []entry{{Symbol: "WIDE_X", Params: make([][2]string, 256)}}})
	assert.EqualError(t, err, "WIDE_X: 256 parameters after 0; the packed form has no room")
}
