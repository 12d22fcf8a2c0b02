// SPDX-License-Identifier: Apache-2.0

package event

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestListsAreSplitAtEachNUL(t *testing.T) {
	for name, c := range map[string]struct {
		buffer string
		want   []string
	}{
		"no strings":                    {"", nil},
		"one":                           {"sh\x00", []string{"sh"}},
		"several, some empty":           {"-c\x00\x00exit\x00", []string{"-c", "", "exit"}},
		"an empty one alone":            {"\x00", []string{""}},
		"the last one cut by a driver":  {"-c\x00exi", []string{"-c", "exi"}},
		"only a piece of the first one": {"exi", []string{"exi"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := New(made(TypeExecveX, c.buffer), 1, "syscall")
			l, ok := e.Strings(0)
			assert.True(t, ok)
			assert.Equal(t, c.want, slices.Collect(l.All()))
			for range l.All() { // leaving early is fine
				break
			}
		})
	}
	e := New(made(TypeExecveX), 1, "syscall")
	l, ok := e.Strings(0)
	assert.False(t, ok)
	assert.Empty(t, slices.Collect(l.All()))
}

func TestPairsAreCutAtTheFirstEqualsSign(t *testing.T) {
	e := New(made(TypeExecveX, "cpu=/pod=x\x00none\x00memory=\x00=odd\x00cpu=/second\x00"), 1, "syscall")
	l, ok := e.Strings(0)
	assert.True(t, ok)
	var got [][2]string
	for k, v := range l.Pairs() {
		got = append(got, [2]string{k, v})
	}
	assert.Equal(t, [][2]string{{"cpu", "/pod=x"}, {"memory", ""}, {"", "odd"}, {"cpu", "/second"}}, got)
	assert.Equal(t, map[string]string{"cpu": "/second", "memory": "", "": "odd"}, maps.Collect(l.Pairs()))

	v, ok := l.Value("cpu")
	assert.True(t, ok)
	assert.Equal(t, "/pod=x", v)
	v, ok = l.Value("memory")
	assert.True(t, ok)
	assert.Empty(t, v)
	_, ok = l.Value("none")
	assert.False(t, ok)
}
