// SPDX-License-Identifier: Apache-2.0

package jsonfields

import (
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// holder is a plugin with nothing but a document.
type holder struct{ doc Document }

func (h *holder) Document() *Document { return &h.doc }

// ask gives what a field says of an event with this payload, given an index if it
// is not noIndex.
func ask(t *testing.T, v extract.Value[*holder], payload string, index int) extract.Probed {
	t.Helper()
	fields := []extract.Field[*holder]{{Name: "test.field", Arg: extract.Index, Value: v}}
	q := extract.Question{Field: "test.field"}
	if index != noIndex {
		q.Index, q.Given = uint64(index), true
	}
	got, err := extract.Probe(fields, &holder{}, event.New(event.Encode(7, 1, []byte(payload)), 1, "source"), q)
	require.NoError(t, err)
	return got
}

const noIndex = -1

// says is the answer of a field that does not tell where its values stand.
func says(values ...any) extract.Probed {
	return extract.Probed{Values: values, Offsets: make([][2]int, len(values))}
}

// at is the answer of a field whose one value stands at start in the payload.
func at(value string, start int) extract.Probed {
	return extract.Probed{Values: []any{value}, Offsets: [][2]int{{start, len(value)}}}
}

func TestStringFields(t *testing.T) {
	v := MustPointer("/v")
	tests := []struct {
		name, payload string
		want          extract.Probed
	}{
		{"a string stands between its quotes", `{"v":"text"}`, at("text", 6)},
		{"an empty string stands there too", `{"v":""}`, at("", 6)},
		{"a string with escape sequences is decoded and stands nowhere", `{"v":"a\u0041\n"}`, says("aA\n")},
		{"a number is as written", ` {"v": 1.50}`, at("1.50", 7)},
		{"true is a word", `{"v":true}`, at("true", 5)},
		{"false is a word", `{"v":false}`, at("false", 5)},
		{"an object", `{"v":{"b":[1]}}`, at(`{"b":[1]}`, 5)},
		{"an array with white space is written without and stands nowhere", `{"v":[1, 2]}`, says("[1,2]")},
		{"null counts as absent", `{"v":null}`, extract.Probed{}},
		{"an absent value", `{"w":1}`, extract.Probed{}},
		{"a document of another kind", `[1]`, extract.Probed{}},
		{"a payload that is not JSON", `{"v":"text"`, extract.Probed{}},
		{"no payload", ``, extract.Probed{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, ask(t, String[*holder](v), test.payload, noIndex))
		})
	}
	assert.Equal(t, at("text", 1), ask(t, String[*holder](Pointer{}), `"text"`, noIndex), "the whole document")
}

func TestNumberFields(t *testing.T) {
	for payload, want := range map[string]extract.Probed{
		`{"v":0}`:                    says(uint64(0)),
		`{"v":201}`:                  says(uint64(201)),
		`{"v":18446744073709551615}`: says(^uint64(0)),
		`{"v":18446744073709551616}`: {},
		`{"v":-1}`:                   {},
		`{"v":1.0}`:                  {},
		`{"v":1e3}`:                  {},
		`{"v":"201"}`:                {},
		`{"v":true}`:                 {},
		`{"v":null}`:                 {},
		`{"v":[201]}`:                {},
		`{"w":201}`:                  {},
		`{"v":201`:                   {},
	} {
		assert.Equal(t, want, ask(t, Uint64[*holder](MustPointer("/v")), payload, noIndex), payload)
	}
}

func TestBoolFields(t *testing.T) {
	for payload, want := range map[string]extract.Probed{
		`{"v":true}`:   says(true),
		`{"v":false}`:  says(false),
		`{"v":"true"}`: {},
		`{"v":1}`:      {},
		`{"v":null}`:   {},
		`{"v":[true]}`: {},
		`{"w":true}`:   {},
		`{"v":true`:    {},
	} {
		assert.Equal(t, want, ask(t, Bool[*holder](MustPointer("/v")), payload, noIndex), payload)
	}
}

func TestListFields(t *testing.T) {
	const document = `{"list":[{"t":"a","n":1,"b":true},{"t":null,"n":null,"b":null},7,{"t":"\u0062","n":-2,"b":"no"},{"t":3,"n":4,"b":false}],"words":["x","y"],"one":"x"}`
	list, words := MustPointer("/list"), MustPointer("/words")
	texts := Strings[*holder](list, MustPointer("/t"))
	numbers := Uint64s[*holder](list, MustPointer("/n"))
	bools := Bools[*holder](list, MustPointer("/b"))
	tests := []struct {
		name  string
		field extract.Value[*holder]
		index int
		want  extract.Probed
	}{
		{"texts of all elements that have one, where they stand", texts, noIndex, extract.Probed{Values: []any{"a", "b", "3"}, Offsets: [][2]int{{15, 1}, {}, {101, 1}}}},
		{"the text of one element", texts, 0, at("a", 15)},
		{"the text of the last element", texts, 4, at("3", 101)},
		{"the text of an element with null", texts, 1, extract.Probed{}},
		{"the text of an element without one", texts, 2, extract.Probed{}},
		{"the text of an element behind the last", texts, 5, extract.Probed{}},
		{"the elements themselves", Strings[*holder](words, Pointer{}), noIndex, extract.Probed{Values: []any{"x", "y"}, Offsets: [][2]int{{131, 1}, {135, 1}}}},
		{"one element itself", Strings[*holder](words, Pointer{}), 1, at("y", 135)},
		{"texts of what is no array", Strings[*holder](MustPointer("/one"), Pointer{}), noIndex, extract.Probed{}},
		{"texts of an array that is not there", Strings[*holder](MustPointer("/none"), Pointer{}), 0, extract.Probed{}},
		{"numbers of all elements that have one", numbers, noIndex, says(uint64(1), uint64(4))},
		{"the number of one element", numbers, 4, says(uint64(4))},
		{"the number of an element with a negative one", numbers, 3, extract.Probed{}},
		{"the number of an element with null", numbers, 1, extract.Probed{}},
		{"the number of an element behind the last", numbers, 5, extract.Probed{}},
		{"numbers of what has none", Uint64s[*holder](words, Pointer{}), noIndex, extract.Probed{}},
		{"yes and no of all elements that have one", bools, noIndex, says(true, false)},
		{"yes or no of one element", bools, 4, says(false)},
		{"yes or no of an element with a text", bools, 3, extract.Probed{}},
		{"yes or no of an element with null", bools, 1, extract.Probed{}},
		{"yes or no of an element behind the last", bools, 5, extract.Probed{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, ask(t, test.field, document, test.index))
			assert.Equal(t, extract.Probed{}, ask(t, test.field, document[1:], test.index), "not JSON")
		})
	}
}

// Frameworks hand over room for offsets only to plugins that say they have some.
func TestTextFieldsSayThatTheyHaveOffsets(t *testing.T) {
	for _, field := range []struct {
		value extract.Value[*holder]
		want  bool
	}{
		{String[*holder](Pointer{}), true},
		{Strings[*holder](Pointer{}, Pointer{}), true},
		{Uint64[*holder](Pointer{}), false},
		{Uint64s[*holder](Pointer{}, Pointer{}), false},
		{Bool[*holder](Pointer{}), false},
		{Bools[*holder](Pointer{}, Pointer{}), false},
	} {
		assert.Equal(t, field.want, reflect.ValueOf(field.value).FieldByName("offsets").Bool())
	}
}

func TestSetTextSaysWhereAValueStandsIfItKnows(t *testing.T) {
	p := MustPointer("/v")
	for name, test := range map[string]struct {
		read func(*Document) Value
		want extract.Probed
	}{
		"located": {func(d *Document) Value { return d.Locate(p) }, at("text", 6)},
		"found":   {func(d *Document) Value { return d.Find(p) }, says("text")},
		"absent":  {func(*Document) Value { return Value{} }, extract.Probed{}},
	} {
		field := extract.String(func(h *holder, c *extract.Call, out *extract.StringOut) error {
			require.True(t, h.doc.LoadEvent(c.Event()))
			SetText(out, test.read(&h.doc))
			return nil
		})
		assert.Equal(t, test.want, ask(t, field, `{"v":"text"}`, noIndex), name)
	}
}

func TestReadingAnEvent(t *testing.T) {
	e := event.New(event.Encode(7, 1, []byte(`{"v":1}`)), 1, "source")
	syscall := event.Encode(7, 1, []byte(`{"v":1}`))
	binary.NativeEndian.PutUint16(syscall[20:], 3) // the event type
	other := event.New(syscall, 1, "syscall")
	var d Document
	for _, located := range []bool{true, false} {
		v := d.ReadEvent(&e, MustPointer("/v"), located)
		assert.Equal(t, "1", string(v.Text()))
		_, _, ok := v.Extent()
		assert.Equal(t, located, ok)
		assert.Equal(t, Value{}, d.ReadEvent(&other, MustPointer("/v"), located), "an event without a document, after one with")
		assert.Equal(t, "1", string(d.Find(MustPointer("/v")).Text()), "the document before it stays")
	}
}

func TestOnlyPluginEventsHaveADocument(t *testing.T) {
	plugin := event.Encode(7, 1, []byte(`{"a":1}`))
	syscall := append([]byte(nil), plugin...)
	binary.NativeEndian.PutUint16(syscall[20:], 3) // the event type
	tests := []struct {
		name string
		raw  []byte
		want bool
	}{
		{"a plugin event with a document", plugin, true},
		{"a plugin event with an empty payload", event.Encode(7, 1, nil), false},
		{"a plugin event with text", event.Encode(7, 1, []byte("hello")), false},
		{"the same bytes as a system call", syscall, false},
		{"no event", nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var d Document
			e := event.New(test.raw, 1, "source")
			assert.Equal(t, test.want, d.LoadEvent(&e))
		})
	}
}

func TestItemsOfLists(t *testing.T) {
	const document = `{"list":[{"name":"a","on":true},{"name":null},"other",{"on":false},{"name":"b","deep":{"x/y":[5]}},7],"scalar":1,"object":{"0":{"name":"c"}}}`
	tests := []struct {
		name, list, item string
		index            uint64
		want             []string
	}{
		{"an item of every element that has one", "/list", "/name", all, []string{"a", "b"}},
		{"the elements themselves", "/list", "", all, []string{`{"name":"a","on":true}`, `{"name":null}`, "other", `{"on":false}`, `{"name":"b","deep":{"x/y":[5]}}`, "7"}},
		{"a deep item", "/list", "/deep/x~1y/0", all, []string{"5"}},
		{"the first element only", "/list", "/name", 0, []string{"a"}},
		{"one element only", "/list", "/name", 4, []string{"b"}},
		{"an element without the item", "/list", "/name", 2, nil},
		{"an element with null", "/list", "/name", 1, nil},
		{"an element itself", "/list", "", 5, []string{"7"}},
		{"an index out of range", "/list", "", 6, nil},
		{"an index far out of range", "/list", "", all - 1, nil},
		{"an item that no element has", "/list", "/none", all, nil},
		{"a list that is not there", "/none", "", all, nil},
		{"a list that is a scalar", "/scalar", "", all, nil},
		{"a list that is an object", "/object", "/name", all, nil},
	}
	var d Document
	require.True(t, d.Load([]byte(document)))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list, item := MustPointer(test.list), MustPointer(test.item)
			for way, v := range map[string]Value{"found": d.Find(list), "located": d.Locate(list)} {
				var got []string
				v.items(item, test.index, func(v Value) { got = append(got, string(v.Text())) })
				assert.Equal(t, test.want, got, way)
			}
		})
	}
}

func TestItemsAllocateNothing(t *testing.T) {
	var d Document
	require.True(t, d.Load(auditEvent(t)))
	list, item := MustPointer("/requestObject/spec/containers"), MustPointer("/image")
	count := 0
	read := func() {
		for _, v := range []Value{d.Find(list), d.Locate(list)} {
			v.items(item, all, func(v Value) { count += len(v.Text()) })
		}
	}
	read()
	assert.NotZero(t, count)
	assert.Zero(t, testing.AllocsPerRun(100, read))
}

func TestTheEventOfACallIsLoadedForItsFirstField(t *testing.T) {
	h := &holder{}
	var loads []uint64
	load := extract.String(func(h *holder, c *extract.Call, _ *extract.StringOut) error {
		assert.True(t, h.doc.LoadCall(c))
		assert.Equal(t, KindObject, h.doc.Root().Kind())
		loads = append(loads, h.doc.Loads())
		return nil
	})
	other := extract.String(func(h *holder, c *extract.Call, _ *extract.StringOut) error {
		assert.True(t, h.doc.Load([]byte("[]")))
		return nil
	})
	asked, err := extract.Prepare([]extract.Field[*holder]{{Name: "a.load", Value: load}, {Name: "a.other", Value: other}}, h,
		extract.Question{Field: "a.load"}, extract.Question{Field: "a.load"}, extract.Question{Field: "a.other"}, extract.Question{Field: "a.load"})
	require.NoError(t, err)
	defer asked.Free()
	payload := []byte(`{"v":1}`)
	raw := event.Encode(7, 1, payload)
	for range 2 {
		_, err = asked.Ask(event.New(raw, 1, "source"))
		require.NoError(t, err)
	}
	assert.Equal(t, []uint64{1, 1, 3, 3, 3, 5}, loads)

	copy(raw[len(raw)-len(payload):], `{"v":2}`) // the same memory and number
	_, err = asked.Ask(event.New(raw, 1, "source"))
	require.NoError(t, err)
	assert.Equal(t, uint64(6), loads[6], "the event of the next call is compared")
}

func TestACallForAnEventThatIsNoneHasNoDocument(t *testing.T) {
	h := &holder{}
	require.True(t, h.doc.Load([]byte(`{"v":1}`)))
	syscall := event.Encode(7, 1, []byte(`{"v":1}`))
	binary.NativeEndian.PutUint16(syscall[20:], 3) // the event type
	field := []extract.Field[*holder]{{Name: "a.v", Value: String[*holder](MustPointer("/v"))}}
	asked, err := extract.Prepare(field, h, extract.Question{Field: "a.v"}, extract.Question{Field: "a.v"})
	require.NoError(t, err)
	defer asked.Free()
	values, err := asked.Ask(event.New(syscall, 1, "syscall"))
	require.NoError(t, err)
	assert.Zero(t, values)
}
