// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// whole makes each line an event.
func whole(text []byte, add func([]byte, uint64) error) error { return add(text, 7) }

// readAll gives all events of a file, in batches of the given size.
func readAll(t *testing.T, r *Reader, file io.Reader, batchBytes int) []string {
	t.Helper()
	b := source.NewBatch(1<<20, batchBytes)
	defer b.Free()
	got := []string{}
	for ended := false; ; {
		all := r.Take(b)
		b.Events(func(payload []byte, _ uint64) bool {
			got = append(got, string(payload))
			return true
		})
		b.Deliver(true)
		switch {
		case !all:
		case ended:
			return got
		default:
			if _, err := r.Fill(file); err != nil {
				require.ErrorIs(t, err, io.EOF)
				ended = true
				r.Finish()
			}
		}
	}
}

func TestLines(t *testing.T) {
	x := strings.Repeat
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing holds no line":                        {"", []string{}},
		"a last line needs no newline":                 {"a\nb", []string{"a", "b"}},
		"CR LF ends a line, too":                       {"a\r\nb\r\n", []string{"a", "b"}},
		"blank lines are left out":                     {"\n\r\n \t\na\n\n", []string{"a"}},
		"a line of the limit is taken":                 {x("a", 100) + "\n" + x("b", 100) + "\r\n" + x("c", 100), []string{x("a", 100), x("b", 100), x("c", 100)}},
		"a line over the limit is left out":            {"1\n" + x("a", 101) + "\n2\n", []string{"1", "2"}},
		"a last line over the limit is left out":       {"1\n" + x("a", 101), []string{"1"}},
		"a line far over the limit is left out":        {"1\n" + x("a", 1_000_000) + "\n2\n" + x("b", 1_000_000) + "\n3", []string{"1", "2", "3"}},
		"a line of any bytes is a line like any other": {"\x00\xff\n\xef\xbb\xbf", []string{"\x00\xff", "\xef\xbb\xbf"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, batch := range []int{1, 1 << 20} {
				for _, file := range []io.Reader{strings.NewReader(c.text), iotest.HalfReader(strings.NewReader(c.text)), iotest.DataErrReader(strings.NewReader(c.text))} {
					r := NewReader(t.Context(), Options{MaxLine: 100, Decode: whole})
					assert.Equal(t, c.want, readAll(t, r, file, batch))
					assert.EqualValues(t, len(c.text), r.Offset())
					assert.EqualValues(t, len(c.text), r.Position())
					assert.False(t, r.Partial())
				}
			}
		})
	}
}

func TestLinesByteByByte(t *testing.T) {
	r := NewReader(t.Context(), Options{MaxLine: 3, Decode: whole})
	assert.Equal(t, []string{"a", "bcd", "x"}, readAll(t, r, iotest.OneByteReader(strings.NewReader("a\nbcd\nlong\nx")), 1))
}

func TestALineLongerThanTheFirstMemoryIsTaken(t *testing.T) {
	long := strings.Repeat("x", 3_000_000)
	r := NewReader(t.Context(), Options{MaxLine: 12 << 20, Decode: whole})
	text := "1\n" + long + "\n2\n"
	b := source.NewBatch(12<<20, 1<<20)
	defer b.Free()
	var sizes []int
	for file := strings.NewReader(text); len(sizes) < 3; {
		if r.Take(b) {
			if _, err := r.Fill(file); err != nil {
				require.ErrorIs(t, err, io.EOF)
			}
		}
		b.Events(func(payload []byte, _ uint64) bool {
			sizes = append(sizes, len(payload))
			return true
		})
		b.Deliver(true)
	}
	assert.Equal(t, []int{1, 3_000_000, 1}, sizes)
	r.Take(b)
	_, err := r.Fill(strings.NewReader("3"))
	require.NoError(t, err)
	assert.LessOrEqual(t, len(r.cutter.memory), maxKept, "memory for a long line is not kept")
}

func TestWhatADecoderRefusesDoesNoHarm(t *testing.T) {
	decode := func(text []byte, add func([]byte, uint64) error) error {
		if err := add([]byte("first of "+string(text)), 0); err != nil {
			return err
		}
		switch string(text) {
		case "bad":
			return errors.New("it is bad")
		case "panic":
			panic("decoder")
		}
		return nil
	}
	r := NewReader(t.Context(), Options{MaxLine: 100, Decode: decode})
	assert.Equal(t, []string{"first of 1", "first of 2"}, readAll(t, r, strings.NewReader("1\nbad\npanic\n2\n"), 1<<20))
	assert.EqualValues(t, 2, r.refused.Value())
}

func TestALineWithTooManyEventsIsRefusedWhole(t *testing.T) {
	decode := func(text []byte, add func([]byte, uint64) error) error {
		n := 1
		if string(text) == "many" {
			n = MaxEvents + 1
		}
		for range n {
			if err := add(text, 0); err != nil {
				return err
			}
		}
		return nil
	}
	r := NewReader(t.Context(), Options{MaxLine: 100, Decode: decode})
	assert.Equal(t, []string{"1", "2"}, readAll(t, r, strings.NewReader("1\nmany\n2\n"), 1<<20))
}

func TestTheOffsetIsThatOfWholeLinesWhoseEventsAreInBatches(t *testing.T) {
	decode := func(text []byte, add func([]byte, uint64) error) error {
		for i := range text {
			if err := add(text[i:i+1], 0); err != nil {
				return err
			}
		}
		return nil
	}
	r := NewReader(t.Context(), Options{MaxLine: 5, Decode: decode})
	r.Restart("again", 1000)
	_, err := r.Fill(strings.NewReader("abc\nde\nrest"))
	require.NoError(t, err)
	b := source.NewBatch(10, 1) // one event each
	defer b.Free()
	var offsets []int64
	for range 6 {
		offsets = append(offsets, r.Offset())
		r.Take(b)
		b.Deliver(true)
	}
	assert.Equal(t, []int64{1000, 1000, 1000, 1004, 1004, 1007}, offsets)
	assert.True(t, r.Partial())
	_, err = r.Fill(strings.NewReader(strings.Repeat("x", 200_000)))
	for err == nil && r.Take(b) && r.cutter.dropped == 0 {
		_, err = r.Fill(strings.NewReader(strings.Repeat("x", 200_000)))
	}
	require.NoError(t, err)
	assert.EqualValues(t, 1007, r.Offset(), "the middle of a line that is too long is no place to go on")
}

func BenchmarkTake(b *testing.B) {
	text := strings.Repeat(`{"kind":"Event","pad":"`+strings.Repeat("x", 1775)+"\"}\n", 1000)
	batch := source.NewBatch(1<<20, 1<<20)
	defer batch.Free()
	r := NewReader(b.Context(), Options{MaxLine: 12 << 20, Decode: whole})
	b.SetBytes(int64(len(text) / 1000))
	b.ReportAllocs()
	file := strings.NewReader(text)
	for n := 0; n < b.N; n += batch.Len() {
		batch.Deliver(true)
		for r.Take(batch) {
			if _, err := r.Fill(file); err != nil {
				file.Reset(text)
			}
		}
	}
}
