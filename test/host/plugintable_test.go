// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

// neighbours is a plugin with a table, and behind it one that uses it.
func neighbours(t *testing.T, macros ...string) *stage {
	t.Helper()
	s := &stage{Inspector: host.NewInspector(), t: t}
	t.Cleanup(s.Destroy)
	s.enter("owned.c", "", macros...)
	s.enter("script.c", "init=T t own 9; F n t n 8; F s t s 9; F i t in 10")
	require.Equal(t, []string{"script: init: table field field field"}, s.said())
	return s
}

func TestTheTableOfAPluginIsReachedThroughTheFramework(t *testing.T) {
	s := neighbours(t)
	assert.Equal(t, "threads:4 own:9", s.prints("B"))
	assert.Equal(t, "own n:8 s:9 in:10:ro 0", s.prints("V t; Q t; N t"))
	assert.Equal(t, `created same 0 0 1 7 "text"`, s.prints("C e t; P e t a e; W t e n 8 7; W t e s 9 text; N t; R t e n 8; R t e s 9; L t e"))
	assert.Equal(t, "entry 7 added 0 5", s.prints("G e t a; R t e n 8; A m t more 8; W t e m 8 5; R t e m 8; L t e"))
	assert.Equal(t, "entry table in created same NULL field 0 1",
		s.prints("G e t a; S u t e i; V u; C x u; P x u 3 x; G y u 4; F n u n 8; W u x n 8 9; N u; L u x; L t e"))
	rows, err := s.ReadTable("own")
	require.NoError(t, err)
	assert.Equal(t, []host.TableRow{{Fields: map[string]any{
		"n": uint64(7), "s": "text", "more": uint64(5), "in": []host.TableRow{{Fields: map[string]any{"n": uint64(9)}}},
	}}}, rows)
	assert.Equal(t, "field [7,]1 0 0", s.prints("F n t n 8; I t n 8; X t a; N t"))
	assert.Equal(t, []string{"threads", "own"}, s.Tables())

	s.said()
	s.Plugin("owned").Destroy()
	assert.Equal(t, []string{"owned: references left: 0"}, s.said())
	assert.Equal(t, "threads:4", s.prints("B"))
	assert.Contains(t, s.violates("N t"), "get_table_size: table own of plugin owned, which is destroyed")
}

func TestFailuresOfAPluginsTableCarryItsError(t *testing.T) {
	s := neighbours(t)
	const blame = "<error in state table 'own' defined by plugin 'owned': own: "
	assert.Equal(t, "NULL "+blame+"no such entry>", s.prints("G e t a; E"))
	assert.Equal(t, "NULL "+blame+"no such field>", s.prints("F x t nosuch 8; E"))
	assert.Equal(t, "NULL "+blame+"cannot add that field>", s.prints("A x t other 8; E"))
	assert.Equal(t, "1 "+blame+"nothing to erase>", s.prints("X t a; E"))
	assert.Equal(t, "NULL <table in registry accessed with wrong key type: table='own', requested='uint64', actual='string'>",
		strangers(t).prints("T t own 8; E"))
}

// strangers is a plugin with a table and one that has not asked for it yet.
func strangers(t *testing.T) *stage {
	t.Helper()
	s := &stage{Inspector: host.NewInspector(), t: t}
	t.Cleanup(s.Destroy)
	s.enter("owned.c", "")
	s.enter("script.c", "")
	return s
}

func TestEntriesOfAPluginsTableAreReleasedForThoseWhoForget(t *testing.T) {
	s := neighbours(t)
	s.prints("C e t; P e t a e; G e t a; C e t")
	s.prints("G e t a; S u t e i; C x u; P x u 1 x")
	assert.EqualValues(t, 5, s.Plugin("script").Leftovers())
	s.said()
	s.Plugin("owned").Destroy()
	assert.Equal(t, []string{"owned: references left: 0"}, s.said())
}

func TestATableIsCheckedWhenItIsOffered(t *testing.T) {
	const start = "could not initialize plugin: "
	for name, c := range map[string]struct {
		macros []string
		want   string
	}{
		"a NULL member":             {[]string{"NO_RELEASE"}, "broken or inconsistent reader vtables"},
		"no extended functions":     {[]string{"NO_EXT"}, "broken or inconsistent reader vtables"},
		"another inline function":   {[]string{"OTHER_INLINE"}, "broken or inconsistent writer vtables"},
		"no list of fields":         {[]string{"NO_FIELD_LIST"}, "broken or inconsistent fields vtables"},
		"a table as key":            {[]string{"KEY=10"}, "key type table"},
		"no name":                   {[]string{"TABLE_NAME=NULL"}, "name is null"},
		"the name of another table": {[]string{`TABLE_NAME="threads"`}, "table added to registry multiple times: threads"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := host.Register(load(t, "owned.c", c.macros...))
			require.NoError(t, err)
			defer p.Destroy()
			err = p.Init(host.InitOptions{})
			require.ErrorContains(t, err, start)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestAPluginForAnOldAPIOffersInlineFunctions(t *testing.T) {
	s := neighbours(t, "NO_EXT", fixture.Quoted("API", "3.0.0"))
	assert.Equal(t, "created same 0 7 []0", s.prints("C e t; P e t a e; W t e n 8 7; R t e n 8; I t n 8; L t e"))
}

func TestAPluginIsBlamedForItsTable(t *testing.T) {
	for name, c := range map[string]struct{ macro, script, want string }{
		"a NULL string": {"NULL_STRING", "R t e s 9", "success with a NULL string in field s"},
		"a NULL table":  {"NULL_TABLE", "S u t e i", "success with a NULL table in field in; return a table_input"},
		"a bare table":  {"BARE_TABLE", "S u t e i", "a table in field in without name or extended vtables"},
	} {
		t.Run(name, func(t *testing.T) {
			s := neighbours(t, c.macro)
			out := s.prints("C e t; P e t a e; " + c.script)
			assert.Contains(t, out, "failed")
			all := s.Plugin("owned").Violations()
			require.Len(t, all, 1)
			assert.Contains(t, all[0].Error(), "a plugin broke the plugin interface: read_entry_field of table own of plugin owned: "+c.want)
		})
	}
	s := neighbours(t, "LOSE_NAME")
	s.prints("B")
	all := s.Plugin("owned").Violations()
	require.Len(t, all, 1)
	assert.Contains(t, all[0].Error(), `add_table of table own of plugin owned: its name has become "xyz"; keep it until destroy`)
	p, err := host.Register(load(t, "owned.c", "THROUGH_FRAMEWORK"))
	require.NoError(t, err)
	defer p.Destroy()
	assert.ErrorContains(t, p.Init(host.InitOptions{}), "plugin_init broke the plugin interface: a failing call on its own table own through the framework")
}
