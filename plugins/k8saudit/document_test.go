// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// emitted is an event of a document.
type emitted struct {
	payload string
	time    uint64
}

// splitText splits a document of its own copy.
func splitText(text string, maxEvent int) ([]emitted, tally, error) {
	d := documents{maxEvent: maxEvent}
	got := []emitted{}
	t, err := d.split([]byte(text), func(payload []byte, time uint64) error {
		got = append(got, emitted{string(payload), time})
		return nil
	})
	return got, t, err
}

func payloads(events []emitted) []string {
	list := []string{}
	for _, e := range events {
		list = append(list, e.payload)
	}
	return list
}

// at is an event of a kind with this stageTimestamp.
func at(time string) string { return fmt.Sprintf(`{"kind":"Event","stageTimestamp":%s}`, time) }

const (
	one = `{"kind":"Event","auditID":"1","stageTimestamp":"2026-03-01T14:02:11.131072Z"}`
	two = `{"kind":"Event","auditID":"2","stageTimestamp":"2026-03-01T14:02:11.131073Z"}`
	// bare is how events stand in a list.
	bare = `{"auditID":"3","stageTimestamp":"2026-03-01T14:02:11.131074Z"}`

	oneAt = 1772373731131072000
)

func TestDocumentsHoldEvents(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"an Event":                                 {one, []string{one}},
		"an Event among white space":               {"\n\t" + one + " \r\n", []string{one}},
		"an Event behind a byte order mark":        {"\xef\xbb\xbf" + one, []string{one}},
		"an EventList of Events":                   {`{"kind":"EventList","items":[` + one + "," + two + `]}`, []string{one, two}},
		"the items of an EventList need no kind":   {`{"kind":"EventList","items":[` + bare + `]}`, []string{bare}},
		"the kind may stand behind the items":      {`{"items":[` + bare + "," + one + `],"kind":"EventList"}`, []string{bare, one}},
		"the version is not looked at":             {`{"kind":"Event","apiVersion":"v9","stageTimestamp":"2026-03-01T14:02:11Z"}`, []string{`{"kind":"Event","apiVersion":"v9","stageTimestamp":"2026-03-01T14:02:11Z"}`}},
		"an array of Events":                       {"[" + one + "," + two + "]", []string{one, two}},
		"an array of all there is":                 {`[[` + one + `],{"kind":"EventList","items":[` + bare + `]},[[[` + two + `]]]]`, []string{one, bare, two}},
		"an EventList in an EventList is an event": {`{"kind":"EventList","items":[{"kind":"EventList","items":[]}]}`, []string{`{"kind":"EventList","items":[]}`}},
		"of a key that occurs twice the first":     {`{"kind":"Event","kind":"Pod","a":1,"a":2}`, []string{`{"kind":"Event","kind":"Pod","a":1,"a":2}`}},
		"a kind that is written with escapes":      {`{"k\u0069nd":"\u0045vent"}`, []string{`{"k\u0069nd":"\u0045vent"}`}},
		"invalid UTF-8 stays as it is":             {"{\"kind\":\"Event\",\"userAgent\":\"\xff\xfe\"}", []string{"{\"kind\":\"Event\",\"userAgent\":\"\xff\xfe\"}"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, tally, err := splitText(c.text, 1<<20)
			require.NoError(t, err)
			assert.Equal(t, c.want, payloads(got))
			assert.Zero(t, tally.leftOut())
			assert.Equal(t, len(c.want), tally.events)
		})
	}
}

func TestAPayloadIsTheEventWithoutWhiteSpace(t *testing.T) {
	text := "{ \"kind\" : \"Event\",\n\t\"z\": [ 1.50, -0, 1E+2, 12345678901234567890 ],\r\n \"a\": { \"s\": \"\\u0041 \\/ \\\" \\n  x\", \"e\" : { } } }"
	want := `{"kind":"Event","z":[1.50,-0,1E+2,12345678901234567890],"a":{"s":"\u0041 \/ \" \n  x","e":{}}}`
	for name, document := range map[string]string{
		"alone":     text,
		"in a list": `{"kind":"EventList", "items": [` + text + " , " + text + "\n]}",
		"in arrays": `[ [ ` + text + ` ] , ` + text + `]`,
	} {
		got, _, err := splitText(document, len(want))
		require.NoError(t, err, "what counts is the size without white space")
		for _, e := range got {
			assert.Equal(t, want, e.payload, name)
		}
		assert.NotEmpty(t, got)
	}
}

func TestBadElementsAreLeftOutAndTheirNeighboursAreNot(t *testing.T) {
	deep := strings.Repeat("[", 400) + strings.Repeat("]", 400)
	tooLarge := `{"kind":"Event","x":"` + strings.Repeat("x", 1000) + `"}`
	for name, c := range map[string]struct {
		bad                          string
		malformed, unknown, tooLarge int
	}{
		"another kind, in arrays":       {`{"kind":"Pod"}`, 0, 1, 0},
		"a number":                      {`7`, 0, 1, 0},
		"a string":                      {`"Event"`, 0, 1, 0},
		"null":                          {`null`, 0, 1, 0},
		"an event that is too large":    {tooLarge, 0, 0, 1},
		"an event nested too deep":      {`{"kind":"Event","x":` + deep + `}`, 1, 0, 0},
		"a word that is none":           {`{"kind":"Event","x":tru}`, 1, 0, 0},
		"a number that is none":         {`{"kind":"Event","x":01}`, 1, 0, 0},
		"an escape that is none":        {`{"kind":"Event","x":"\x"}`, 1, 0, 0},
		"a control character":           {"{\"kind\":\"Event\",\"x\":\"\x00\"}", 1, 0, 0},
		"a missing colon":               {`{"kind" "Event"}`, 1, 0, 0},
		"a comma too many":              {`{"kind":"Event",}`, 1, 0, 0},
		"a value where a key should be": {`{1:2}`, 1, 0, 0},
	} {
		for kind, document := range map[string]string{
			"array": `[` + one + `,` + c.bad + `, ` + two + `]`,
			"list":  `{"kind":"EventList","items":[` + one + `, ` + c.bad + `,` + two + `]}`,
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				got, tally, err := splitText(document, 500)
				require.NoError(t, err)
				if kind == "list" && c.bad == `{"kind":"Pod"}` {
					assert.Equal(t, []string{one, c.bad, two}, payloads(got), "items need no kind")
					return
				}
				assert.Equal(t, []string{one, two}, payloads(got))
				assert.Equal(t, []int{c.malformed, c.unknown, c.tooLarge}, []int{tally.malformed, tally.unknown, tally.tooLarge})
				assert.Error(t, tally.firstError)
			})
		}
	}
}

func TestDocumentsWithoutEventsAreErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                    `parse JSON: the text ends after 0 bytes: want a value`,
		`garbage`:                             `parse JSON: byte 0 is "g": want a value`,
		one + one:                             `parse JSON: byte 77 is "{": want nothing after the document`,
		`{"kind":"Event"`:                     `parse JSON: the text ends after 15 bytes: want a comma or }`,
		`[` + one:                             `parse JSON: the text ends after 78 bytes: want a comma or ]`,
		`{"kind":"EventList","items":[` + one: `parse JSON: the text ends after 106 bytes: want a comma or ]`,
		`[{"kind":"Event",}]`:                 `parse JSON: byte 17 is "}": want a key in double quotes`,
		`{"kind":"Event","a":tru}`:            `parse JSON: byte 20 is "t": want a value`,
		`7`:                                   `it is no audit event: want an object`,
		`null`:                                `it is no audit event: want an object`,
		`{}`:                                  `it is no audit event: it has no kind; want "Event" or "EventList"`,
		`{"kind":null}`:                       `it is no audit event: its kind is "null"; want "Event" or "EventList"`,
		`{"kind":["Event"]}`:                  `it is no audit event: its kind is "[\"Event\"]"; want "Event" or "EventList"`,
		`{"kind":"Pod"}`:                      `it is no audit event: its kind is "Pod"; want "Event" or "EventList"`,
		`[{"kind":"Pod"},7]`:                  `it is no audit event: its kind is "Pod"; want "Event" or "EventList"`,
		`[]`:                                  `the document holds no audit event`,
		`{"kind":"EventList"}`:                `the document holds no audit event`,
		`{"kind":"EventList","items":null}`:   `the document holds no audit event`,
		`{"kind":"EventList","items":{"a":` + one + `}}`:                   `the document holds no audit event`,
		`{"kind":"EventList","items":[]}`:                                  `the document holds no audit event`,
		`{"kind":"Event","x":"` + strings.Repeat("x", 500) + `"}`:          `the audit event has 523 bytes; at most 500 are allowed`,
		strings.Repeat("[", 100_000):                                       `parse JSON: byte 300 is "[": want at most 300 arrays and objects inside each other`,
		`{"kind":"EventList","items":[` + strings.Repeat(`{"a":`, 100_000): `parse JSON: byte 1519 is "{": want at most 300 arrays and objects inside each other`,
	} {
		_, tally, err := splitText(text, 500)
		shown := text[:min(len(text), 60)]
		assert.EqualError(t, err, want, shown)
		assert.Zero(t, tally.events, shown)
	}
}

func TestLargeDocumentsAreReadLikeSmallOnes(t *testing.T) {
	pad := strings.Repeat(" ", keptDocument)
	large := `{"kind":"Event","x":"` + strings.Repeat("x", keptDocument) + `"}`
	for name, c := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"an Event":                 {large, []string{large}, ""},
		"an Event and white space": {pad + one, []string{one}, ""},
		"an array":                 {"[" + one + "," + pad + "7,{\"a\":tru},[" + two + `,{"kind":"EventList","items":[` + bare + "]}]]", []string{one, two, bare}, ""},
		"an EventList":             {`{"items":[` + bare + "," + pad + one + `],"kind":"EventList"}`, []string{bare, one}, ""},
		"an array behind a mark":   {"\xef\xbb\xbf[" + pad + one + "]", []string{one}, ""},
		"a list behind a mark":     {"\xef\xbb\xbf" + `{"kind":"EventList","items":[` + bare + pad + "]}", []string{bare}, ""},
		"an EventList of nothing":  {`{"kind":"EventList","items":[` + pad + `]}`, nil, "the document holds no audit event"},
		"no list in it":            {`{"kind":"EventList","items":null}` + pad, nil, "the document holds no audit event"},
		"another kind":             {`[{"kind":"Pod"}]` + pad, nil, `it is no audit event: its kind is "Pod"; want "Event" or "EventList"`},
		"an array cut off":         {pad + "[" + one, nil, fmt.Sprintf("parse JSON: the text ends after %d bytes: want a comma or ]", keptDocument+len(one)+1)},
		"an EventList cut off":     {pad + `{"kind":"EventList","items":[` + one, nil, fmt.Sprintf("parse JSON: the text ends after %d bytes: want a comma or ]", keptDocument+29+len(one))},
		"garbage":                  {pad + "garbage", nil, fmt.Sprintf(`parse JSON: byte %d is "g": want a value`, keptDocument)},
	} {
		t.Run(name, func(t *testing.T) {
			got, tally, err := splitText(c.text, 2*keptDocument)
			if c.err != "" {
				assert.EqualError(t, err, c.err)
				assert.Zero(t, tally.events)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, payloads(got))
		})
	}
}

// live is how many bytes are in use.
func live() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// An event of as many values as fit, which nobody looks at before its fields are extracted.
func TestWhatIsInsideAnEventTakesNoMemory(t *testing.T) {
	event := `{"kind":"Event","x":[` + strings.Repeat("0,", 2*keptDocument) + `0]}`
	for name, text := range map[string]string{
		"alone":         event,
		"in an array":   "[" + event + "]",
		"in a list":     `{"kind":"EventList","items":[` + event + `]}`,
		"in both":       `[{"kind":"EventList","items":[` + event + `]}]`,
		"in both, bare": `[{"kind":"EventList","items":[` + event[:1] + event[len(`{"kind":"Event",`):] + `]}]`,
	} {
		t.Run(name, func(t *testing.T) {
			d := documents{maxEvent: len(event)}
			body := []byte(text)
			before, meanwhile := live(), uint64(0)
			_, err := d.split(body, func([]byte, uint64) error {
				meanwhile = live()
				return nil
			})
			require.NoError(t, err)
			require.NotZero(t, meanwhile)
			assert.Less(t, meanwhile, before+(1<<20))
		})
	}
}

// Lists of as many values as fit, which would take many times the memory of their text if
// all of them were known at once.
func TestALargeDocumentTakesLittleMemory(t *testing.T) {
	for name, text := range map[string]string{
		"small events":        "[" + strings.Repeat(one+",", 14_000) + two + "]",
		"numbers in an array": "[" + strings.Repeat("1,", 1_000_000) + two + "]",
		"objects in a list":   `{"kind":"EventList","items":[` + strings.Repeat("{},", 600_000) + two + `]}`,
		"arrays in a list":    `{"kind":"EventList","items":[` + strings.Repeat("[[]],", 400_000) + two + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := documents{maxEvent: 1 << 20}
			body := []byte(text)
			require.Greater(t, len(body), keptDocument)
			before, atTheEnd := live(), uint64(0)
			_, err := d.split(body, func(payload []byte, _ uint64) error {
				if string(payload) == two {
					atTheEnd = live()
				}
				return nil
			})
			require.NoError(t, err)
			require.NotZero(t, atTheEnd)
			assert.Less(t, atTheEnd, before+(1<<20))
		})
	}
}

func TestTheErrorOfEmitEndsTheSplit(t *testing.T) {
	full := errors.New("full")
	for _, text := range []string{one, "[" + one + "," + two + "]", "[" + one + `,{"a":tru},` + two + "]"} {
		d := documents{maxEvent: 1 << 20}
		n := 0
		_, err := d.split([]byte(text), func([]byte, uint64) error { n++; return full })
		assert.Equal(t, full, err)
		assert.Equal(t, 1, n)
	}
}

func TestTheTimeOfAnEvent(t *testing.T) {
	const (
		stage    = `"stageTimestamp":"2026-03-01T14:02:11.131072Z"`
		received = `"requestReceivedTimestamp":"2020-01-01T00:00:00Z"`
		old      = `"timestamp":"2018-01-01T00:00:00Z"`

		receivedAt = 1577836800000000000
		timeOfOld  = 1514764800000000000
	)
	for name, c := range map[string]struct {
		members string
		want    uint64
	}{
		"is when it reached its stage":       {received + "," + old + "," + stage, oneAt},
		"else when the request was received": {old + "," + received, receivedAt},
		"else the time of old versions":      {old, timeOfOld},
		"else none":                          {`"a":1`, 0},
		"not null":                           {`"stageTimestamp":null,` + received, receivedAt},
		"not a number":                       {`"stageTimestamp":1772373731,` + received, receivedAt},
		"not what cannot be read":            {`"stageTimestamp":"yesterday",` + received, receivedAt},
		"not empty text":                     {`"stageTimestamp":"",` + received, receivedAt},
		"not without an offset":              {`"stageTimestamp":"2026-03-01T14:02:11",` + received, receivedAt},
		"not before 1970":                    {`"stageTimestamp":"1950-01-01T00:00:00Z",` + received, receivedAt},
		"not after what can be counted":      {`"stageTimestamp":"2300-01-01T00:00:00Z",` + received, receivedAt},
		"not the 30th of February":           {`"stageTimestamp":"2026-02-30T00:00:00Z",` + received, receivedAt},
		"with any offset":                    {`"stageTimestamp":"2026-03-01T19:32:11.131072+05:30"`, oneAt},
		"without a fraction":                 {`"stageTimestamp":"2026-03-01T14:02:11Z"`, 1772373731000000000},
		"to the nanosecond":                  {`"stageTimestamp":"2026-03-01T14:02:11.123456789Z"`, 1772373731123456789},
		"written with escapes":               {`"stage\u0054imestamp":"2026-03-01T14:02:11.131072\u005a"`, oneAt},
		"from the first of two":              {stage + `,"stageTimestamp":"2020-01-01T00:00:00Z"`, oneAt},
		"from the outer level only":          {`"requestObject":{` + stage + `},` + received, receivedAt},
	} {
		t.Run(name, func(t *testing.T) {
			for _, document := range []string{`{"kind":"Event",` + c.members + `}`, `[{"kind":"EventList","items":[{` + c.members + `}]}]`, `{"kind":"EventList","items":[{` + c.members + `}]}`} {
				got, tally, err := splitText(document, 1<<20)
				require.NoError(t, err)
				require.Len(t, got, 1, "an event without a time is an event")
				assert.Equal(t, c.want, got[0].time)
				if c.want == 0 {
					assert.Equal(t, 1, tally.noTime)
				}
			}
		})
	}
}

func TestAllSamplesAreOneEventEach(t *testing.T) {
	files, err := filepath.Glob("testdata/samples/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		got, _, err := splitText(string(text), 1<<20)
		if filepath.Base(name) == "fal_01_003.json" {
			assert.Error(t, err)
			continue
		}
		require.NoError(t, err, name)
		require.Len(t, got, 1)
		assert.JSONEq(t, string(text), got[0].payload)
		var says struct{ StageTimestamp, Timestamp time.Time }
		require.NoError(t, json.Unmarshal(text, &says))
		if says.StageTimestamp.IsZero() {
			says.StageTimestamp = says.Timestamp
		}
		assert.EqualValues(t, says.StageTimestamp.UnixNano(), got[0].time, name)
	}
}

// FuzzDocuments holds what is emitted against encoding/json: valid, without white space, and
// in the document if that has none either.
func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{one, `[` + one + `,` + two + `]`, `{"kind":"EventList","items":[` + bare + `, {}]}`, `[[{"kind":"Event"}],7]`, at(`"x"`), `{"items":[{"a":tru},{}],"kind":"EventList"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, tally, err := splitText(string(text), 1<<20)
		if err != nil {
			require.Zero(t, tally.events)
			return
		}
		require.NotEmpty(t, got)
		require.Len(t, got, tally.events)
		var compact bytes.Buffer
		whole := json.Compact(&compact, text) == nil && !bytes.ContainsAny(text, " \t\r\n")
		for _, e := range got {
			compact.Reset()
			require.NoError(t, json.Compact(&compact, []byte(e.payload)))
			require.Equal(t, compact.String(), e.payload)
			require.Equal(t, byte('{'), e.payload[0])
			if whole {
				require.Contains(t, string(text), e.payload)
			}
		}
	})
}

// BenchmarkSplit is what a source pays for an event of a list, beside the copy.
func BenchmarkSplit(b *testing.B) {
	text, err := os.ReadFile("testdata/samples/create_cluster_role_pod_exec.json")
	require.NoError(b, err)
	event := strings.TrimSpace(string(text))
	for name, document := range map[string]string{
		"one":         event,
		"listOf100":   `{"kind":"EventList","items":[` + strings.Repeat(event+",", 99) + event + `]}`,
		"damaged100":  `{"kind":"EventList","items":[` + strings.Repeat(event+",", 99) + `{"a":tru}]}`,
		"indented100": strings.ReplaceAll(`{"kind":"EventList","items":[`+strings.Repeat(event+",", 99)+event+`]}`, `,"`, ",\n  \""),
	} {
		b.Run(name, func(b *testing.B) {
			d := documents{maxEvent: 1 << 20}
			events := 0
			emit := func([]byte, uint64) error { events++; return nil }
			body := make([]byte, len(document))
			b.ReportAllocs()
			for b.Loop() {
				copy(body, document)
				if _, err := d.split(body, emit); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}
