// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnEventTypeIsDescribed(t *testing.T) {
	e, ok := Of(293)
	require.True(t, ok)
	assert.Equal(t, "execve", e.Name)
	assert.Equal(t, CategoryProcess, e.Category)
	assert.Equal(t, OriginSyscall, e.Origin)
	assert.Equal(t, FlagModifiesState|FlagConverterManaged, e.Flags)
	require.Equal(t, 31, e.NumParams())
	assert.Equal(t, Param{"res", KindErrno}, e.Param(0))
	assert.Equal(t, Param{"cgroups", KindBytebuf}, e.Param(14))
	assert.Equal(t, Param{"filename", KindFspath}, e.Param(30))
	assert.Panics(t, func() { e.Param(31) })
	assert.Equal(t, 14, e.Index("cgroups"))
	assert.Equal(t, 14, Index(293, "cgroups"))
	assert.Equal(t, -1, e.Index("cgroup"))
	assert.Equal(t, -1, e.Index(""))
	assert.Equal(t, -1, e.Index("size"), "the next event's")
}

func TestTypesThatTheTableDoesNotHave(t *testing.T) {
	for _, typ := range []uint16{uint16(Types()), math.MaxUint16} {
		e, ok := Of(typ)
		assert.False(t, ok)
		assert.Equal(t, Event{}, e)
		assert.Zero(t, e.NumParams())
		assert.Equal(t, -1, e.Index("res"))
		assert.Equal(t, -1, Index(typ, "res"))
	}
}

// The layouts that the kit itself relies on.
func TestTheTableAgreesWithTheKit(t *testing.T) {
	var large []uint16
	for typ := range uint16(Types()) {
		e, ok := Of(typ)
		require.True(t, ok)
		assert.NotEmpty(t, e.Name)
		if e.Flags&FlagLargePayload != 0 {
			large = append(large, typ)
		}
		names := map[string]bool{}
		for i := range e.NumParams() {
			p := e.Param(i)
			assert.NotEmpty(t, p.Name)
			assert.False(t, names[p.Name], "%s has two parameters named %s", e.Name, p.Name)
			names[p.Name] = true
			assert.Equal(t, i, e.Index(p.Name))
			assert.NotContains(t, p.Kind.String(), "kind ")
		}
	}
	assert.Equal(t, []uint16{322, 324, 402}, large, "their lengths have 32 bits")
	for _, typ := range []uint16{223, 225, 227, 293, 331, 335} {
		assert.Equal(t, 14, Index(typ, "cgroups"), "type %d", typ)
	}
}

func TestNamesOfKindsAndClasses(t *testing.T) {
	assert.Equal(t, "enumflags32", KindEnumflags32.String())
	assert.Equal(t, Kind(46), KindEnumflags32, "as libscap numbers it")
	assert.Equal(t, "bool", Kind(25).String())
	assert.Equal(t, "kind 200", Kind(200).String())
	assert.Equal(t, "internal", CategoryInternal.String())
	assert.Equal(t, "category 200", Category(200).String())
	assert.Equal(t, "metaevent", OriginMetaevent.String())
	assert.Equal(t, "origin 200", Origin(200).String())
}

func BenchmarkIndex(b *testing.B) {
	for b.Loop() {
		if Index(293, "cgroups") != 14 {
			b.Fatal("moved")
		}
	}
}
