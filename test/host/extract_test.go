// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

func TestValuesOfEveryTypeAreRead(t *testing.T) {
	p := full(t)
	v4, v6 := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("2001:db8::7")
	for field, want := range map[string][]any{
		"full.payload": {"x"},
		"full.num":     {uint64(1001)},
		"full.yes":     {true},
		"full.ago":     {uint64(1001)},
		"full.at":      {uint64(1001)},
		"full.ip":      {v4},
		"full.net":     {v4},
		"full.strings": {"a", ""},
		"full.nums":    {uint64(1001), uint64(2)},
		"full.bools":   {false, true},
		"full.ips":     {v6, v4},
		"full.none":    nil,
	} {
		assert.Equal(t, want, value(t, p, field, ""), field)
	}
}

func TestRequestsLookAsLibsinspWritesThem(t *testing.T) {
	p := full(t)
	tests := map[string]string{
		"":    "key=NULL index=18446744073709551615 present=0 flist=0 ftype=9 fields=1 num=1 src=full_source offsets=0",
		"abc": "key=abc index=18446744073709551615 present=1 flist=0 ftype=9 fields=1 num=1 src=full_source offsets=0",
		"42":  "key=42 index=42 present=1 flist=0 ftype=9 fields=1 num=1 src=full_source offsets=0",
	}
	for argument, want := range tests {
		assert.Equal(t, []any{want}, value(t, p, "full.echo", argument))
	}
	assert.Equal(t, []any{uint64(7)}, value(t, p, "full.index", "7"))

	e := host.NewPluginEvent(1, 1, nil)
	defer e.Free()
	x, err := p.Extract(e, host.Request{ID: 1, Name: "full.echo", Type: abi.FieldString, List: true}, true)
	require.NoError(t, err)
	assert.Equal(t, []any{"key=NULL index=0 present=0 flist=64 ftype=9 fields=1 num=0 src=NULL offsets=1"}, x.Results[0].Values)
}

func TestBadResultsAreViolations(t *testing.T) {
	p := full(t)
	e := host.NewPluginEvent(777, 1, []byte("x"))
	defer e.Free()
	for field, want := range map[string]string{
		"bad.nullstring": "value 0 is a NULL string",
		"bad.iplength":   "value 0 is an address of 5 bytes; use 4 or 16",
		"bad.nullip":     "value 0 is an address of 4 bytes at NULL",
		"bad.twovalues":  "2 values of a field that is no list",
		"bad.unwritten":  "success with res_len unwritten",
		"bad.nores":      "1 values and no pointer to them",
		"bad.toomany":    "success with 1073741824 values",
	} {
		r, err := p.Request(field, "", false)
		require.NoError(t, err)
		_, err = p.Extract(e, r, false)
		var broken *host.Violation
		require.ErrorAs(t, err, &broken, field)
		assert.Equal(t, host.SymExtractFields, broken.Call)
		assert.Contains(t, broken.Detail, "field "+field+": "+want)
	}
}

func TestAFailureHasAResultCodeAndNoValue(t *testing.T) {
	p := full(t)
	e := host.NewPluginEvent(777, 1, nil)
	defer e.Free()
	r, err := p.Request("full.fails", "", false)
	require.NoError(t, err)
	x, err := p.Extract(e, r, false)
	require.NoError(t, err)
	assert.Equal(t, abi.Failure, x.RC)
	assert.Empty(t, x.Results[0].Values)
	assert.Equal(t, "field fails", p.LastError())
}

func TestInputsDoNotOutliveTheirCall(t *testing.T) {
	p := full(t)
	value(t, p, "full.keeps", "a-key-that-a-bad-plugin-keeps-a-pointer-to")
	kept := value(t, p, "full.keeps", "other")
	assert.NotContains(t, kept[0], "keeps-a-pointer")
}

func TestOffsetsOfOneFieldStandByValue(t *testing.T) {
	p := full(t)
	e := host.NewPluginEvent(777, 1, []byte("hello"))
	defer e.Free()
	r, err := p.Request("full.payload", "", false)
	require.NoError(t, err)
	x, err := p.Extract(e, r, true)
	require.NoError(t, err)
	assert.Equal(t, host.Result{Values: []any{"hello"}, Offsets: []host.Offset{{Start: 38, Length: 5}}}, x.Results[0])

	r, err = p.Request("full.strings", "", false)
	require.NoError(t, err)
	x, err = p.Extract(e, r, true)
	require.NoError(t, err)
	assert.Equal(t, []host.Offset{{}, {Start: 40, Length: 3}}, x.Results[0].Offsets)
}

func TestStratosharkAsksForEverythingAtOnce(t *testing.T) {
	p := full(t)
	e := host.NewPluginEvent(777, abi.NoTimestamp, []byte("hello"))
	defer e.Free()
	e.SetNum(12)
	e.SetSource("full_source")
	fields, rc, err := p.ExtractAll(e)
	require.NoError(t, err)
	require.Equal(t, abi.Success, rc)
	require.Len(t, fields, 25)
	assert.Equal(t, "hello", fields[0].Value)
	assert.Equal(t, host.Offset{Start: 38, Length: 5}, fields[0].Offset)
	assert.Equal(t, "key=NULL index=0 present=0 flist=0 ftype=9 fields=25 num=12 src=NULL offsets=1", fields[1].Value)
	assert.Equal(t, host.Offset{}, fields[1].Offset)
	assert.Equal(t, uint64(1012), fields[2].Value)
	assert.Equal(t, "full.yes", fields[3].Field.Name)
	assert.Nil(t, fields[3].Value)
}

func TestUnknownFieldsAndMissingFunctionsAreRefused(t *testing.T) {
	p := full(t)
	_, err := p.Request("full.nosuch", "", false)
	assert.EqualError(t, err, `plugin full has no field "full.nosuch"`)
	_, err = p.Request("full.index", "", false)
	assert.ErrorContains(t, err, "needs an argument")

	p = initialised(t, load(t, "small.c", "NO_EXTRACT", fixture.Quoted("ASYNC", "[]"), "NO_TABLES"), host.InitOptions{})
	_, err = p.Extract(host.NewPluginEvent(1, 1, nil), host.Request{}, false)
	assert.ErrorContains(t, err, "call plugin_extract_fields")
	_, _, err = p.ExtractAll(host.NewPluginEvent(1, 1, nil))
	assert.ErrorContains(t, err, "call plugin_extract_fields")
}

func TestExtractionIsTimedInC(t *testing.T) {
	calls := 0
	lib, err := host.Load(build(t, "full.c"), &host.LoadOptions{Observe: func(host.Symbol, uint64) { calls++ }})
	require.NoError(t, err)
	p := initialised(t, lib, host.InitOptions{})
	a, b := host.NewPluginEvent(777, 1, []byte("a")), host.NewPluginEvent(777, 1, []byte("b"))
	defer a.Free()
	defer b.Free()
	calls = 0

	r, err := p.Request("full.num", "", false)
	require.NoError(t, err)
	took, values, err := p.TimeExtract([]*host.Event{a, b}, r, 1000)
	require.NoError(t, err)
	assert.Positive(t, took)
	assert.Equal(t, 1000, values)

	r, err = p.Request("full.none", "", false)
	require.NoError(t, err)
	_, values, err = p.TimeExtract([]*host.Event{a}, r, 10)
	require.NoError(t, err)
	assert.Zero(t, values)

	_, err = p.TimeNothing(a, 10)
	require.NoError(t, err)

	num, err := p.Request("full.num", "", false)
	require.NoError(t, err)
	for _, together := range []bool{true, false} {
		took, values, err = p.TimeExtractSeveral([]*host.Event{a, b}, []host.Request{num, r, num}, together, 10)
		require.NoError(t, err)
		assert.Positive(t, took)
		assert.Equal(t, 20, values, "two of the three have a value")
	}

	for _, constant := range host.Constants() {
		took, err = lib.TimeConstant(constant, 1000)
		require.NoError(t, err)
		assert.Positive(t, took)
	}
	assert.Equal(t, 5+7, calls, "an observer is told of each loop, not of each call")

	_, _, err = p.TimeExtract(nil, r, 10)
	assert.ErrorContains(t, err, "no events")
	_, _, err = p.TimeExtractSeveral([]*host.Event{a}, nil, false, 10)
	assert.ErrorContains(t, err, "no calls")
	_, err = lib.TimeConstant(host.SymInit, 10)
	assert.EqualError(t, err, "time plugin_init: it returns no constant")
	_, err = load(t, "small.c").TimeConstant(host.SymGetID, 10)
	assert.ErrorContains(t, err, "call plugin_get_id: ")
}

func TestBatchesAreTimedInC(t *testing.T) {
	p := full(t)
	i, err := p.Open("10 0:timeout 5 3 3")
	require.NoError(t, err)
	defer p.Close(i)
	got, err := i.TimeBatches(18, 1<<40)
	require.NoError(t, err)
	assert.Equal(t, 3, got.Batches)
	assert.Equal(t, 18, got.Events)
	assert.Equal(t, 1, got.IdleCalls)
	assert.Equal(t, abi.Success, got.RC)
	got, err = i.TimeBatches(1000, 1<<40)
	require.NoError(t, err)
	assert.Equal(t, 3, got.Events)
	assert.Equal(t, abi.EOF, got.RC)
}
