// SPDX-License-Identifier: Apache-2.0

package extract

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
)

type fixture struct{ host *plugin.Host }

func (f *fixture) Init(h *plugin.Host, _ string) error { f.host = h; return nil }
func (f *fixture) Destroy()                            {}

// Fields of the fixture, by number.
const (
	fText = iota
	fTexts
	fNumber
	fFlag
	fSpan
	fTime
	fAddr
	fNet
	fKey
	fIndex
	fPanic
	fError
	fTwice
	fNothing
	fAt
	fNumbers
	fFlags
	fAddrs
	fRequired
	fBuffer
)

func payload(c *Call) []byte {
	b, _ := c.Event().Payload()
	return b
}

func fixtureFields() []Field[*fixture] {
	row := func(name string, arg Arg, v Value[*fixture]) Field[*fixture] {
		return Field[*fixture]{Name: "fix." + name, Desc: "Test field.", Arg: arg, Value: v}
	}
	text := func(f func(*Call, *StringOut) error) Value[*fixture] {
		return String(func(_ *fixture, c *Call, o *StringOut) error { return f(c, o) })
	}
	return []Field[*fixture]{
		fText: row("text", NoArg, text(func(c *Call, o *StringOut) error { o.SetBytes(payload(c)); return nil })),
		fTexts: row("texts", NoArg, Strings(func(_ *fixture, c *Call, o *StringOut) error {
			for w := range strings.FieldsSeq(string(payload(c))) {
				o.Add(w)
			}
			return nil
		})),
		fNumber: row("number", NoArg, Uint64(func(_ *fixture, c *Call, o *Uint64Out) error { o.Set(c.Event().Num()); return nil })),
		fFlag:   row("flag", NoArg, Bool(func(_ *fixture, _ *Call, o *BoolOut) error { o.Set(true); return nil })),
		fSpan:   row("span", NoArg, RelTime(func(_ *fixture, _ *Call, o *Uint64Out) error { o.Set(7); return nil })),
		fTime:   row("time", NoArg, AbsTime(func(_ *fixture, c *Call, o *Uint64Out) error { o.Set(c.Event().Timestamp()); return nil })),
		fAddr: row("addr", NoArg, IPAddr(func(_ *fixture, _ *Call, o *IPOut) error {
			o.Set(netip.Addr{})
			o.Set(netip.MustParseAddr("192.0.2.7"))
			return nil
		})),
		fNet:     row("net", NoArg, IPNet(func(_ *fixture, _ *Call, o *IPOut) error { o.Set(netip.MustParseAddr("2001:db8::1%eth0")); return nil })),
		fKey:     row("key", Key, text(func(c *Call, o *StringOut) error { k, ok := c.Key(); o.Set(fmt.Sprint(k, " ", ok)); return nil })),
		fIndex:   row("index", Index, text(func(c *Call, o *StringOut) error { i, ok := c.Index(); o.Set(fmt.Sprint(i, " ", ok)); return nil })),
		fPanic:   row("panic", NoArg, text(func(*Call, *StringOut) error { panic("boom") })),
		fError:   row("error", NoArg, text(func(_ *Call, o *StringOut) error { o.Set("half"); return errors.New("no such thing") })),
		fTwice:   row("twice", NoArg, text(func(_ *Call, o *StringOut) error { o.Set("a"); o.Set("b"); return nil })),
		fNothing: row("nothing", NoArg, text(func(*Call, *StringOut) error { return nil })),
		fAt: row("at", NoArg, Strings(func(_ *fixture, c *Call, o *StringOut) error {
			b := payload(c)
			o.AddAt(b[0:1], 0, 1)
			o.Add("made up")
			o.AddAt(b[2:4], 2, 2)
			return nil
		}).WithOffsets()),
		fNumbers: row("numbers", NoArg, Uint64s(func(_ *fixture, _ *Call, o *Uint64Out) error {
			for i := range uint64(100) {
				o.Add(i)
			}
			return nil
		})),
		fFlags: row("flags", NoArg, Bools(func(_ *fixture, _ *Call, o *BoolOut) error { o.Add(true); o.Add(false); o.Add(true); return nil })),
		fAddrs: row("addrs", NoArg, IPAddrs(func(_ *fixture, _ *Call, o *IPOut) error {
			o.Add(netip.MustParseAddr("10.0.0.1"))
			o.Add(netip.MustParseAddr("::1"))
			return nil
		})),
		fRequired: row("required", RequiredKey, text(func(c *Call, o *StringOut) error { k, _ := c.Key(); o.Set(k); return nil })),
		fBuffer: row("buffer", NoArg, text(func(c *Call, o *StringOut) error {
			o.SetBuffer(append(append(o.Buffer(), "<"...), payload(c)...))
			return nil
		})),
	}
}

// register makes the fixture this process's plugin.
func register(t testing.TB, o Options[*fixture]) {
	core.Reset()
	r := plugin.Register(plugin.Info{Name: "fixture", Description: "d", Contact: "c", Version: "1.0.0"}, func() *fixture { return &fixture{} })
	Register(r, o)
	t.Cleanup(core.Reset)
}

// newState makes a state of the registered fixture, as init does.
func newState(t testing.TB) uintptr {
	st := core.NewState(core.Registered(), plugin.Log(t.Context()))
	require.NoError(t, st.Init(""))
	h := core.States.Put(st)
	t.Cleanup(func() { core.States.Drop(h); st.Destroy() })
	return h
}

func start(t testing.TB) uintptr {
	register(t, Options[*fixture]{Fields: fixtureFields()})
	return newState(t)
}

func lastError(h uintptr) string { return cmem.GoString(core.States.Get(h).LastError()) }

func TestEveryTypeArrivesAsTheABIWantsIt(t *testing.T) {
	h := start(t)
	evt := abitest.Event(t, event.Encode(1, 12345, []byte("one two")), 42, "src")
	for id, check := range map[uint32]func(f *abi.ExtractField){
		fText:    func(f *abi.ExtractField) { assert.Equal(t, []string{"one two"}, abitest.Strings(f)) },
		fTexts:   func(f *abi.ExtractField) { assert.Equal(t, []string{"one", "two"}, abitest.Strings(f)) },
		fNumber:  func(f *abi.ExtractField) { assert.Equal(t, []uint64{42}, abitest.Uint64s(f)) },
		fFlag:    func(f *abi.ExtractField) { assert.Equal(t, []uint32{1}, abitest.Uint32s(f)) },
		fSpan:    func(f *abi.ExtractField) { assert.Equal(t, []uint64{7}, abitest.Uint64s(f)) },
		fTime:    func(f *abi.ExtractField) { assert.Equal(t, []uint64{12345}, abitest.Uint64s(f)) },
		fAddr:    func(f *abi.ExtractField) { assert.Equal(t, [][]byte{{192, 0, 2, 7}}, abitest.Buffers(f)) },
		fNumbers: func(f *abi.ExtractField) { assert.Equal(t, uint64(99), abitest.Uint64s(f)[99]) },
		fFlags:   func(f *abi.ExtractField) { assert.Equal(t, []uint32{1, 0, 1}, abitest.Uint32s(f)) },
		fBuffer:  func(f *abi.ExtractField) { assert.Equal(t, []string{"<one two"}, abitest.Strings(f)) },
		fNothing: func(f *abi.ExtractField) { assert.Zero(t, f.ResLen) },
		fNet: func(f *abi.ExtractField) {
			addr := netip.MustParseAddr("2001:db8::1")
			want := addr.As16()
			assert.Equal(t, [][]byte{want[:]}, abitest.Buffers(f))
		},
		fAddrs: func(f *abi.ExtractField) {
			one := netip.IPv6Loopback().As16()
			assert.Equal(t, [][]byte{{10, 0, 0, 1}, one[:]}, abitest.Buffers(f))
		},
	} {
		in, f := abitest.Extract(t, abitest.Field{ID: id})
		require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in), "field %d", id)
		check(&f[0])
	}
}

// One host reads every scalar that is not text as 64 bits.
func TestABoolIsFollowedByZeros(t *testing.T) {
	h := start(t)
	evt := abitest.Event(t, event.Encode(1, 0, []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff")), 1, "src")
	for range 2 {
		in, f := abitest.Extract(t, abitest.Field{ID: fText}, abitest.Field{ID: fFlag})
		require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in))
		assert.Equal(t, []uint64{1}, abitest.Uint64s(&f[1]))
	}
}

func TestArgumentsReachTheField(t *testing.T) {
	h := start(t)
	evt := abitest.Event(t, event.Encode(1, 0, nil), 1, "src")
	for name, c := range map[string]struct {
		field abitest.Field
		want  []string
	}{
		"a key":                                 {abitest.Field{ID: fKey, Arg: true, Key: "/a/b"}, []string{"/a/b true"}},
		"no key":                                {abitest.Field{ID: fKey}, []string{" false"}},
		"an index":                              {abitest.Field{ID: fIndex, Arg: true, Index: 3}, []string{"3 true"}},
		"index zero":                            {abitest.Field{ID: fIndex, Arg: true}, []string{"0 true"}},
		"the largest index":                     {abitest.Field{ID: fIndex, Arg: true, Index: abi.NoIndex}, []string{"18446744073709551615 true"}},
		"no index":                              {abitest.Field{ID: fIndex}, []string{fmt.Sprint(uint64(abi.NoIndex), " false")}},
		"a required key":                        {abitest.Field{ID: fRequired, Arg: true, Key: "k"}, []string{"k"}},
		"a required key that a viewer left out": {abitest.Field{ID: fRequired}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in, f := abitest.Extract(t, c.field)
			require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in))
			assert.Equal(t, c.want, abitest.Strings(&f[0]))
		})
	}
}

func TestAPanicFailsItsFieldAndTheNextCallWorks(t *testing.T) {
	h := start(t)
	evt := abitest.Event(t, event.Encode(1, 0, []byte("x")), 1, "src")
	in, f := abitest.Extract(t, abitest.Field{ID: fPanic})
	require.Equal(t, abi.Failure, plugin_extract_fields(h, evt, in))
	assert.Zero(t, f[0].ResLen)
	assert.Equal(t, "extract_fields fix.panic: panic: boom", lastError(h))
	assert.EqualValues(t, 1, core.States.Get(h).Metrics.Counter("panics").Value())

	in, f = abitest.Extract(t, abitest.Field{ID: fText})
	require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in))
	assert.Equal(t, []string{"x"}, abitest.Strings(&f[0]))
}

func TestAFailingFieldHasNoValueAndAnError(t *testing.T) {
	h := start(t)
	evt := abitest.Event(t, event.Encode(1, 0, []byte("x")), 1, "src")
	for id, want := range map[uint32]string{
		fError: "extract_fields fix.error: no such thing",
		fTwice: "extract_fields fix.twice: more than one value for a field that is not a list",
		999:    "extract_fields: unknown field number 999; the plugin has 20 fields",
	} {
		in, f := abitest.Extract(t, abitest.Field{ID: id})
		require.Equal(t, abi.Failure, plugin_extract_fields(h, evt, in))
		assert.Zero(t, f[0].ResLen)
		assert.Equal(t, want, lastError(h))
	}
}

func TestOneFailingFieldLeavesTheOthersTheirValues(t *testing.T) {
	h := start(t)
	evt := abitest.Event(t, event.Encode(1, 0, []byte("x")), 9, "src")
	in, f := abitest.Extract(t, abitest.Field{ID: fText}, abitest.Field{ID: fPanic}, abitest.Field{ID: fNumber}, abitest.Field{ID: fRequired})
	require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in))
	assert.Equal(t, []string{"x"}, abitest.Strings(&f[0]))
	assert.Zero(t, f[1].ResLen)
	assert.Equal(t, []uint64{9}, abitest.Uint64s(&f[2]))
	assert.Zero(t, f[3].ResLen)
}

func TestOffsetsAreIndexedByValueForOneFieldAndByFieldForSeveral(t *testing.T) {
	h := start(t)
	evt := abitest.Event(t, event.Encode(1, 0, []byte("a bc")), 1, "src")

	in, _ := abitest.Extract(t, abitest.Field{ID: fAt})
	o := abitest.Offsets(t, in)
	require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in))
	assert.Equal(t, []uint32{38, 0, 40}, unsafe.Slice((*uint32)(o.Start), 3))
	assert.Equal(t, []uint32{1, 0, 2}, unsafe.Slice((*uint32)(o.Length), 3))

	in, _ = abitest.Extract(t, abitest.Field{ID: fText}, abitest.Field{ID: fAt})
	o = abitest.Offsets(t, in)
	require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in))
	assert.Equal(t, []uint32{0, 38}, unsafe.Slice((*uint32)(o.Start), 2))
	assert.Equal(t, []uint32{0, 1}, unsafe.Slice((*uint32)(o.Length), 2))
}

func TestOffsetsRaiseTheRequiredAPIVersion(t *testing.T) {
	register(t, Options[*fixture]{Fields: fixtureFields()})
	assert.Equal(t, "3.11.0", core.Registered().APIVersion())
	register(t, Options[*fixture]{Fields: fixtureFields()[:fAt]})
	assert.Equal(t, "3.3.0", core.Registered().APIVersion())
}

// A plugin without offsets may run in a framework whose request ends before
// that member, so it must not look there.
func TestWithoutOffsetsTheNewerMemberIsNotRead(t *testing.T) {
	register(t, Options[*fixture]{Fields: fixtureFields()[:fAt]})
	h := newState(t)
	in, f := abitest.Extract(t, abitest.Field{ID: fText})
	(*abi.FieldExtractInput)(in).ValueOffsets = abitest.Alloc(t, 1) // reading 16 bytes here would show
	require.Equal(t, abi.Success, plugin_extract_fields(h, abitest.Event(t, event.Encode(1, 0, []byte("x")), 1, "src"), in))
	assert.Equal(t, []string{"x"}, abitest.Strings(&f[0]))
	assert.Equal(t, byte(0xA5), *(*byte)((*abi.FieldExtractInput)(in).ValueOffsets))
}

func TestEventsOfOtherTypesCanBeRead(t *testing.T) {
	h := start(t)
	raw := event.Encode(1, 5, []byte("payload"))
	raw[abi.EventType], raw[abi.EventType+1] = 3, 0 // an open
	evt := abitest.Event(t, raw, 1, "syscall")
	in, f := abitest.Extract(t, abitest.Field{ID: fText}, abitest.Field{ID: fTime})
	require.Equal(t, abi.Success, plugin_extract_fields(h, evt, in))
	assert.Equal(t, []string{""}, abitest.Strings(&f[0]))
	assert.Equal(t, []uint64{5}, abitest.Uint64s(&f[1]))
}

func TestADestroyedStateAnswersWithoutValues(t *testing.T) {
	register(t, Options[*fixture]{Fields: fixtureFields()})
	in, f := abitest.Extract(t, abitest.Field{ID: fText})
	for _, h := range []uintptr{0, 1, 1 << 40} {
		assert.Equal(t, abi.Failure, plugin_extract_fields(h, abitest.Event(t, event.Encode(1, 0, nil), 1, ""), in))
		assert.Zero(t, f[0].ResLen)
	}
}

func TestTheTablesTellTheFrameworkWhatIsThere(t *testing.T) {
	register(t, Options[*fixture]{Fields: fixtureFields(), Sources: []string{"a", "b"}, EventTypes: []uint16{322, 402}})
	var rows []map[string]any
	require.NoError(t, json.Unmarshal([]byte(cmem.GoString(plugin_get_fields())), &rows))
	assert.Len(t, rows, 20)
	assert.Equal(t, map[string]any{"name": "fix.texts", "type": "string", "isList": true, "desc": "Test field."}, rows[fTexts])
	assert.Equal(t, map[string]any{"isRequired": true, "isKey": true, "isIndex": false}, rows[fRequired]["arg"])
	assert.JSONEq(t, `["a","b"]`, cmem.GoString(plugin_get_extract_event_sources()))
	var n uint32
	types := plugin_get_extract_event_types(&n, 0)
	assert.Equal(t, []uint16{322, 402}, unsafe.Slice((*uint16)(types), int(n)))
	assert.Equal(t, "4.0.0", core.Registered().EventSchema)

	for _, sources := range [][]string{nil, {"syscall"}, {"a", "syscall"}} {
		register(t, Options[*fixture]{Fields: fixtureFields(), EveryEventType: true, Sources: sources})
		n = 7
		assert.Nil(t, plugin_get_extract_event_types(&n, 0), "an empty list is every type to frameworks")
		assert.Zero(t, n)
		assert.Equal(t, "4.0.0", core.Registered().EventSchema)
	}

	register(t, Options[*fixture]{Fields: fixtureFields()})
	types = plugin_get_extract_event_types(&n, 0)
	assert.Equal(t, []uint16{322}, unsafe.Slice((*uint16)(types), int(n)))
	assert.Empty(t, core.Registered().EventSchema)
	assert.JSONEq(t, `[]`, cmem.GoString(plugin_get_extract_event_sources()))
}

func TestAnUnusableTableIsRefusedWhenRegistered(t *testing.T) {
	ok := String(func(*fixture, *Call, *StringOut) error { return nil })
	for want, fields := range map[string][]Field[*fixture]{
		"needs at least one field": nil,
		"a dot between":            {{Name: "nodots", Desc: "d", Value: ok}},
		"a description is needed":  {{Name: "a.b", Value: ok}},
		"a value is needed":        {{Name: "a.b", Desc: "d"}},
		"required argument":        {{Name: "a.b", Desc: "d", Value: ok, Arg: RequiredKey, AddOutput: true}},
		"unknown property":         {{Name: "a.b", Desc: "d", Value: ok, Properties: []string{"shiny"}}},
		"declared twice":           {{Name: "a.b", Desc: "d", Value: ok}, {Name: "a.b", Desc: "d", Value: ok}},
	} {
		_, err := describe(fields)
		assert.ErrorContains(t, err, want)
	}
}

func TestResultsNeedNoGoMemoryAndNoGrowingCMemory(t *testing.T) {
	h := start(t)
	evt := abitest.Event(t, event.Encode(1, 0, []byte("some text of a length")), 1, "src")
	for _, id := range []uint32{fText, fNumber, fFlag, fBuffer, fNumbers, fAddrs} {
		in, _ := abitest.Extract(t, abitest.Field{ID: id})
		plugin_extract_fields(h, evt, in)
		assert.Zero(t, testing.AllocsPerRun(100, func() { plugin_extract_fields(h, evt, in) }), "field %d", id)
	}
	x := core.States.Get(h).Extract.(*extractor[*fixture])
	in, _ := abitest.Extract(t, abitest.Field{ID: fText})
	size := x.arena.Size()
	for range 100_000 {
		plugin_extract_fields(h, evt, in)
	}
	assert.Equal(t, size, x.arena.Size())

	big := abitest.Event(t, event.Encode(1, 0, make([]byte, 8<<20)), 1, "src")
	plugin_extract_fields(h, big, in)
	assert.Greater(t, x.arena.Size(), 8<<20)
	plugin_extract_fields(h, evt, in)
	assert.LessOrEqual(t, x.arena.Size(), keepResults)
}

func BenchmarkSimpleField(b *testing.B) {
	h := start(b)
	evt := abitest.Event(b, event.Encode(1, 0, []byte("some text")), 1, "src")
	in, _ := abitest.Extract(b, abitest.Field{ID: fText})
	b.ReportAllocs()
	for b.Loop() {
		plugin_extract_fields(h, evt, in)
	}
}

func TestUnusableSourcesAreRefusedWhenRegistered(t *testing.T) {
	for want, sources := range map[string][]string{
		`plugin "fixture": extract event sources: name 1 is empty; leave it out`: {"a", ""},
		`plugin "fixture": extract event sources: "a" is listed twice`:           {"a", "a"},
	} {
		assert.PanicsWithError(t, want, func() { register(t, Options[*fixture]{Fields: fixtureFields(), Sources: sources}) })
	}
	assert.PanicsWithError(t, `plugin "fixture": extract event sources: events of every type are given to plugins whose sources include "syscall"; to others, list the types`,
		func() {
			register(t, Options[*fixture]{Fields: fixtureFields(), EveryEventType: true, Sources: []string{"a"}})
		})
	assert.PanicsWithError(t, `plugin "fixture": extract event types: EveryEventType is set; leave EventTypes out`,
		func() {
			register(t, Options[*fixture]{Fields: fixtureFields(), EveryEventType: true, EventTypes: []uint16{293}})
		})
}
