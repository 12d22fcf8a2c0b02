// SPDX-License-Identifier: Apache-2.0

package host

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

func TestFieldListsAreChecked(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"an item that is no object":         {`[3]`, "field 0: a JSON number; use an object"},
		"a field without name":              {`[{"type":"string","desc":"d"}]`, `field 0: "" has no "name", which may not be empty`},
		"a field without description":       {`[{"name":"a.b","type":"string"}]`, `field 0: "a.b" has no "desc"`},
		"a name that is a number":           {`[{"name":1,"type":"string","desc":"d"}]`, "field 0: name is a JSON number; use a string"},
		"an unknown type":                   {`[{"name":"a.b","type":"int64","desc":"d"}]`, `"a.b" has type "int64"; use string, uint64, bool`},
		"isList that is a string":           {`[{"name":"a.b","type":"string","desc":"d","isList":"true"}]`, `"a.b": isList is a JSON string; use a boolean`},
		"addOutput that is a number":        {`[{"name":"a.b","type":"string","desc":"d","addOutput":1}]`, `"a.b": addOutput is a JSON number; use a boolean`},
		"an argument that is an array":      {`[{"name":"a.b","type":"string","desc":"d","arg":[]}]`, `"a.b": arg is a JSON array; use an object`},
		"isKey that is null text":           {`[{"name":"a.b","type":"string","desc":"d","arg":{"isKey":"x"}}]`, `"a.b": arg: isKey is a JSON string`},
		"a required argument of no kind":    {`[{"name":"a.b","type":"string","desc":"d","arg":{"isRequired":true}}]`, `"a.b": arg isRequired needs isIndex or isKey`},
		"properties that are no array":      {`[{"name":"a.b","type":"string","desc":"d","properties":"hidden"}]`, `"a.b": properties: a JSON string; use an array of strings`},
		"the second field after a good one": {`[{"name":"a.b","type":"string","desc":"d"},{}]`, "field 1: "},
		"a null":                            {`null`, "a JSON null; use an array of objects"},
		"an unclosed comment":               {`/* [`, "no JSON value in it"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parseFields(tt.text)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestEveryFieldTypeIsKnown(t *testing.T) {
	fields, err := parseFields(`[
		{"name":"a.s","type":"string","desc":"d"}, {"name":"a.u","type":"uint64","desc":"d"}, // types
		{"name":"a.b","type":"bool","desc":"d"}, {"name":"a.r","type":"reltime","desc":"d"},
		{"name":"a.a","type":"abstime","desc":"d","isList":null}, {"name":"a.i","type":"ipaddr","desc":"http://d"},
		{"name":"a.n","type":"ipnet","desc":"d","addOutput":true,"properties":["hidden","x"],"arg":{"isKey":true,"isRequired":true}}
	] and more`)
	require.NoError(t, err)
	var codes []uint32
	for k, f := range fields {
		codes = append(codes, f.TypeCode())
		assert.EqualValues(t, k, f.ID)
	}
	assert.Equal(t, []uint32{
		abi.FieldString, abi.FieldUint64, abi.FieldBool, abi.FieldRelTime, abi.FieldAbsTime, abi.FieldIPAddr, abi.FieldIPNet,
	}, codes)
	assert.Equal(t, "http://d", fields[5].Desc, "what looks like a comment in a string is none")
	assert.Equal(t, Field{
		Name: "a.n", Type: "ipnet", Desc: "d", AddOutput: true, Properties: []string{"hidden", "x"},
		Arg: FieldArg{Key: true, Required: true}, ID: 6,
	}, fields[6])
}

func TestOpenParameterListsAreChecked(t *testing.T) {
	params, err := parseOpenParams(`[{"value":"a","desc":"b","separator":","},{"value":"c","more":1}]`)
	require.NoError(t, err)
	assert.Equal(t, []OpenParam{{Value: "a", Desc: "b", Separator: ","}, {Value: "c"}}, params)
	params, err = parseOpenParams("")
	require.NoError(t, err)
	assert.Empty(t, params)
	for text, want := range map[string]string{
		`{}`:            "a JSON object; use an array",
		`["a"]`:         "parameter 0 is a JSON string; use an object",
		`[{"desc":""}]`: "parameter 0 has no value",
		`[{"value":1}]`: "parameter 0: value is a JSON number; use a string",
		`[`:             "unexpected EOF",
	} {
		_, err := parseOpenParams(text)
		assert.ErrorContains(t, err, want, text)
	}
}

func TestArgumentsFollowTheFrameworksRules(t *testing.T) {
	none, key := FieldArg{}, FieldArg{Key: true}
	index, both := FieldArg{Index: true}, FieldArg{Key: true, Index: true}
	const no = abi.NoIndex
	tests := map[string]struct {
		arg  FieldArg
		expr string
		want Argument
		err  string
	}{
		"no argument":                     {arg: none, expr: "a.b", want: Argument{Index: no}},
		"an optional argument left out":   {arg: both, expr: "a.b", want: Argument{Index: no}},
		"a key":                           {arg: key, expr: "a.b[/x/y]", want: Argument{Present: true, Key: "/x/y", HasKey: true, Index: no}},
		"a key of digits":                 {arg: key, expr: "a.b[12]", want: Argument{Present: true, Key: "12", HasKey: true, Index: no}},
		"a key in quotes":                 {arg: key, expr: `a.b["x"]`, want: Argument{Present: true, Key: "x", HasKey: true, Index: no}},
		"an index":                        {arg: index, expr: "a.b[0]", want: Argument{Present: true, Index: 0}},
		"the greatest index":              {arg: index, expr: "a.b[18446744073709551615]", want: Argument{Present: true, Index: no}},
		"both, with a number":             {arg: both, expr: "a.b[7]", want: Argument{Present: true, Key: "7", HasKey: true, Index: 7}},
		"both, with text":                 {arg: both, expr: "a.b[x]", want: Argument{Present: true, Key: "x", HasKey: true, Index: no}},
		"both, with a leading zero":       {arg: both, expr: "a.b[07]", want: Argument{Present: true, Key: "07", HasKey: true, Index: no}},
		"an argument where there is none": {arg: none, expr: "a.b[x]", err: `field "a.b" takes no argument, and has "x"`},
		"a required argument left out":    {arg: FieldArg{Key: true, Required: true}, expr: "a.b", err: `field "a.b" needs an argument`},
		"empty brackets":                  {arg: key, expr: "a.b[]", err: `field "a.b" has empty brackets`},
		"an index of letters":             {arg: index, expr: "a.b[x]", err: `argument "x" is no index`},
		"an index with a leading zero":    {arg: index, expr: "a.b[01]", err: `argument "01" is no index`},
		"an index with a sign":            {arg: index, expr: "a.b[+1]", err: `argument "+1" is no index`},
		"an index too great":              {arg: index, expr: "a.b[18446744073709551616]", err: "is no index"},
		"a key with a space":              {arg: key, expr: "a.b[x y]", err: "has a space between its brackets"},
		"a key with a closing bracket":    {arg: key, expr: "a.b[x]y]", err: "goes on after its first closing bracket"},
		"an open bracket":                 {arg: key, expr: "a.b[x", err: "no closing one"},
		"a longer name":                   {arg: key, expr: "a.bc", err: `field "a.bc" is unknown`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := Field{Name: "a.b", Arg: tt.arg}
			text, written, err := splitField(tt.expr, f.Name)
			var got Argument
			if err == nil {
				got, err = f.Argument(text, written)
			}
			if tt.err != "" {
				assert.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}
