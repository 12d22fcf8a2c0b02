// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

func TestTheThreadsTableHasItsDocumentedFields(t *testing.T) {
	s := play(t, "")
	assert.Equal(t, "threads:4", s.prints("B"))
	fields := strings.Fields(s.prints("T t threads 4; Q t"))[1:]
	assert.ElementsMatch(t, strings.Fields(`tid:4 pid:4 ptid:4 reaper_tid:4 sid:4 fd_limit:4 vtid:4 vpid:4 vpgid:4 pgid:4
		comm:9 exe:9 exe_path:9 root:9 cwd:9:ro exe_writable:25 exe_upper_layer:25 exe_lower_layer:25 exe_from_memfd:25
		flags:7 uid:7 gid:7 loginuid:7 tty:7 exe_ino:8 exe_ino_ctime:8 exe_ino_mtime:8 pidns_init_start_ts:8
		file_descriptors:10:ro args:10:ro env:10:ro cgroups:10:ro`), fields)
	files := strings.Fields(s.prints("C e t; F f t file_descriptors 10; S u t e f; Q u; D t e"))[3:]
	assert.ElementsMatch(t, strings.Fields(`fd:4 type:5 pid:4 name:9 name_raw:9 old_name:9 open_flags:7 flags:7 dev:7 mount_id:7 ino:8
		socket_ipv4_src_ip:7 socket_ipv4_dest_dip:7 socket_ipv4_server_ip:7
		socket_ipv4_src_port:6 socket_ipv4_dst_port:6 socket_ipv4_server_port:6
		socket_ipv6_src_port:6 socket_ipv6_dst_port:6 socket_ipv6_server_port:6
		socket_ipv4_l4_proto:5 socket_ipv4_server_l4_proto:5 socket_ipv6_l4_proto:5 socket_ipv6_server_l4_proto:5
		socket_ipv6_src_ip_low:8 socket_ipv6_src_ip_high:8 socket_ipv6_dest_ip_low:8 socket_ipv6_dest_ip_high:8
		socket_ipv6_server_ip_low:8 socket_ipv6_server_ip_high:8 socket_unix_src:8 socket_unix_dest:8`), files)
}

func TestTableFunctionsDoAsLibsinspDoes(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"an unknown table is NULL and sets no error":             {"T t nosuch 4; E", "NULL <NULL>"},
		"a wrong key type is refused at the first access":        {"T t threads 8; E", "NULL <table in registry accessed with wrong key type: table='threads', requested='uint64', actual='int64'>"},
		"a wrong key type is not noticed later":                  {"T t threads 4; T u threads 8; V u", "table table threads"},
		"an error stays after a success":                         {"T t threads 8; T t threads 4; N t; E", "NULL table 0 <table in registry accessed with wrong key type: table='threads', requested='uint64', actual='int64'>"},
		"an unknown field is refused":                            {"T t threads 4; F f t nope 4; E", "table NULL <undefined field 'nope' in table 'threads'>"},
		"a field of another type is refused":                     {"T t threads 4; F f t comm 4; E", "table NULL <incompatible data types for static field: comm>"},
		"a field added twice is the same":                        {"T t threads 4; A f t x 8; A f t x 8; F g t x 8", "table added same field"},
		"a field cannot be added with another type":              {"T t threads 4; A f t x 9; A f t x 8; E", "table added NULL <multiple definitions of dynamic field with different types in struct: x, prevtype=string, newtype=uint64>"},
		"a field of the framework's cannot be added":             {"T t threads 4; A f t comm 9; E", "table NULL <can't add dynamic field already defined as static: comm>"},
		"a table cannot be added as a field":                     {"T t threads 4; A f t x 10; E", "table NULL <can't add dynamic field of type table: x>"},
		"nothing can be added to args":                           {"T t threads 4; C e t; F f t args 10; S a t e f; A g a x 8; E", "table created field table NULL <can't add field to fixed_dynamic_fields_infos: x>"},
		"a missing entry is NULL":                                {"T t threads 4; G e t 5; E", "table NULL <get_entry found no element at given key>"},
		"erasing what is not there fails":                        {"T t threads 4; X t 5; E", "table 1 <table entry not found>"},
		"an entry added is the one created":                      {"T t threads 4; C e t; P e t 5 e; G e t 5; N t", "table created same same 1"},
		"an entry can be added once":                             {"T t threads 4; C e t; P e t 5 e; P f t 6 e; E", "table created same NULL <add_entry called on entry not created by create_table_entry>"},
		"an entry that is added cannot be destroyed":             {"T t threads 4; C e t; P e t 5 e; D t e; E", "table created same <destroy_table_entry called on entry not created by create_table_entry>"},
		"a thread's tid is its key":                              {"T t threads 4; C e t; P e t 5 e; F f t tid 4; R t e f 4", "table created same field 5"},
		"a new thread has the framework's defaults":              {"T t threads 4; C e t; F f t pid 4; R t e f 4; F f t uid 7; R t e f 7; F f t flags 7; R t e f 7; F f t comm 9; R t e f 9", `table created field -1 field 4294967295 field 131072 field ""`},
		"bools are made 0 or 1":                                  {"T t threads 4; C e t; F f t exe_writable 25; W t e f 25 7; R t e f 25", "table created field 0 1"},
		"a field never written is empty":                         {"T t threads 4; A f t x 9; C e t; R t e f 9; A g t y 3; R t e g 3", `table added created "" added 0`},
		"small numbers leave the rest of a value empty":          {"T t threads 4; A f t x 5; C e t; W t e f 5 511; R t e f 5", "table added created 0 255"},
		"a read-only field cannot be written":                    {"T t threads 4; C e t; F f t cwd 9; W t e f 9 x; E", "table created field 1 <can't set a read-only static struct field: cwd>"},
		"a table cannot be written":                              {"T t threads 4; C e t; F f t env 10; W t e f 10 1; E", "table created field 1 <writing to table fields is currently not supported>"},
		"an entry got twice is released twice":                   {"T t threads 4; C e t; P e t 5 e; G e t 5; L t e; L t e; G e t 5", "table created same same entry"},
		"an entry erased can still be read":                      {"T t threads 4; C e t; P e t 5 e; F f t comm 9; W t e f 9 sh; X t 5; N t; R t e f 9", `table created same field 0 0 0 "sh"`},
		"iteration shows all":                                    {"T t threads 4; C e t; P e t 5 e; C e t; P e t 3 e; F f t tid 4; I t f 4", "table created same created same field [3,5,]1"},
		"iteration that is broken off returns 0":                 {"T t threads 4; C e t; P e t 5 e; C e t; P e t 3 e; F f t tid 4; I t f 4 1", "table created same created same field [3,]0"},
		"clearing a table empties it":                            {"T t threads 4; C e t; P e t 5 e; K t; N t", "table created same 0 0"},
		"adding to args resizes the list":                        {"T t threads 4; C e t; F f t args 10; S a t e f; C x a; P y a 2 x; N a; C x a; P y a 0 x; N a", "table created field table created entry 3 created entry 1"},
		"elements of a list are wrapped anew":                    {"T t threads 4; C e t; F f t args 10; S a t e f; C x a; P y a 1 x; G z a 1; G z a 1", "table created field table created entry entry entry"},
		"erasing from a list moves what follows":                 {"T t threads 4; C e t; F f t args 10; S a t e f; F v a value 9; C x a; P y a 1 x; W a y v 9 b; X a 0; N a; G z a 0; R a z v 9", `table created field table field created entry 0 0 1 entry "b"`},
		"cgroups are pairs":                                      {"T t threads 4; C e t; F f t cgroups 10; S a t e f; Q a", "table created field table first:9 second:9"},
		"a file descriptor's number is its key":                  {"T t threads 4; C e t; F f t file_descriptors 10; S u t e f; C x u; P x u 7 x; F g u fd 4; R u x g 4; F h u type 5; R u x h 5", "table created field table created same field 7 field 255"},
		"fields of file descriptors are those of all threads":    {"T t threads 4; C e t; F f t file_descriptors 10; S u t e f; A g u x 8; C d t; S w t d f; A g w x 8", "table created field table added created table same"},
		"a thread without its main thread has no descriptors":    {"T t threads 4; C e t; F p t pid 4; W t e p 4 9; P e t 5 e; F f t file_descriptors 10; S u t e f; E", "table created field 0 same field failed <NULL>"},
		"threads share the descriptors of their main thread":     {"T t threads 4; F p t pid 4; C m t; W t m p 4 9; P m t 9 m; C e t; W t e p 4 9; P e t 5 e; F f t file_descriptors 10; S u t m f; C x u; P x u 1 x; S w t e f; N w", "table field created 0 same created 0 same field table created same table 1"},
		"the name of a table in a field is the field's":          {"T t threads 4; C e t; F f t env 10; S a t e f; V a", "table created field table env"},
		"an entry replaces the one with its key":                 {"T t threads 4; C e t; P e t 5 e; C d t; F f t comm 9; W t d f 9 new; P d t 5 d; N t; G x t 5; R t x f 9", `table created same created field 0 same 1 entry "new"`},
		"a string is copied when it is written":                  {"T t threads 4; C e t; F f t comm 9; W t e f 9 one; F g t exe 9; W t e g 9 two; R t e f 9; R t e g 9", `table created field 0 field 0 "one" "two"`},
		"an entry inside an iteration can be kept by getting it": {"T t threads 4; C e t; P e t 5 e; L t e; i t G y t 5!; F f t tid 4; R t y f 4; L t y", "table created same entry field 5"},
	} {
		t.Run(name, func(t *testing.T) {
			s := play(t, "")
			assert.Equal(t, c.want, s.prints(c.script))
			assert.Empty(t, s.Plugin("script").Violations())
		})
	}
}

func TestMisuseOfTablesIsAViolation(t *testing.T) {
	const entry = "T t threads 4; C e t; P e t 5 e; F f t comm 9"
	for name, c := range map[string]struct{ script, want string }{
		"a second release":                     {entry + "; L t e; L t e", "plugin_parse_event broke the plugin interface: release_table_entry of table threads: the entry at 0x"},
		"a read of a released entry":           {entry + "; L t e; R t e f 9", "read_entry_field of table threads: the entry at 0x"},
		"a write to a destroyed entry":         {"T t threads 4; C e t; F f t comm 9; D t e; W t e f 9 x", "write_entry_field of table threads: the entry at 0x"},
		"a release of a created entry":         {"T t threads 4; C e t; L t e", "the entry was created and not added: destroy it"},
		"a release of an iteration's entry":    {entry + "; L t e; i t L t z!", "the entry is an iteration's, which releases it itself"},
		"an iteration's entry after it":        {entry + "; L t e; i t N t!; R t z f 9", "read_entry_field of table threads: the entry at 0x"},
		"an erasure inside an iteration":       {entry + "; i t X t 5!", "erase_table_entry of table threads inside its iterate_entries"},
		"an addition inside an iteration":      {entry + "; i t C y t; P y t 6 y!", "add_table_entry of table threads inside its iterate_entries"},
		"an entry of another table":            {entry + "; F a t args 10; S u t e a; F v u value 9; R u e v 9", "the entry is one of table threads"},
		"a field of another table":             {entry + "; F a t args 10; S u t e a; F v u value 9; R t e v 9", "field value is one of another table, which libsinsp does not notice"},
		"a field that never was":               {entry + "; R t e q 9", "the field at 0x0 is none that the framework gave"},
		"a NULL entry":                         {"T t threads 4; F f t comm 9; R t q f 9", "the entry is NULL"},
		"a NULL string":                        {entry + "; W t e f 9 NULL", "write_entry_field: a NULL string for field comm of threads"},
		"an element of a list that is not yet": {"T t threads 4; C e t; F a t args 10; S u t e a; F v u value 9; C x u; W u x v 9 x", "an entry of args that is not added yet"},
		"an element of a list that is no more": {"T t threads 4; C e t; F a t args 10; S u t e a; F v u value 9; C x u; P y u 1 x; G z u 0; X u 0; R u z v 9", "an entry of args that is no more"},
	} {
		t.Run(name, func(t *testing.T) {
			s := play(t, "")
			assert.Contains(t, s.violates(c.script), c.want)
			assert.Len(t, s.Plugin("script").Violations(), 1)
		})
	}
}

func TestEntriesEndWithTheCall(t *testing.T) {
	s := play(t, "init=T t threads 4; F f t comm 9; F a t args 10; C e t; P e t 5 e; S u t e a")
	p := s.Plugin("script")
	assert.EqualValues(t, 1, p.Leftovers(), "the framework dropped an entry after init")
	assert.Contains(t, s.violates("R t e f 9"), "it was released or ended with its call")
	assert.Contains(t, s.violates("N u"), "get_table_size of table args: its handle ended with the call that read it from a field")
	assert.Equal(t, `entry ""`, s.prints("G e t 5; R t e f 9; L t e"), "handles of tables and fields last")
	assert.EqualValues(t, 1, p.Leftovers())
	s.prints("G e t 5; G e t 5; C x t")
	assert.EqualValues(t, 3, p.Leftovers(), "one entry twice counts once")
	assert.Contains(t, s.violates("L t e"), "it was released or ended with its call")
}

func TestEntriesOutliveCaptureCallbacks(t *testing.T) {
	s := play(t, "open=T t threads 4; F f t comm 9; C e t; P e t 5 e")
	require.NoError(t, s.OpenFeed(999, "fed", payloads("R t e f 9")))
	s.next()
	assert.EqualValues(t, 1, s.Plugin("script").Leftovers(), "after the next call they are gone")
}

func TestAStringIsGoneAtTheNextTableCall(t *testing.T) {
	s := play(t, "")
	got := s.prints("T t threads 4; C e t; F f t comm 9; W t e f 9 abc; s x t e f; p x; N t; p x")
	assert.Equal(t, "table created field 0 61 0 db", got)
}

func TestTheTablesOfAnInspectorAreShared(t *testing.T) {
	s := play(t, "init=T t threads 4; A f t mine 8")
	s.enter("script.c", "init=T t threads 4; A f t mine 8; A g t mine 9; E", fixture.Quoted("NAME", "other"))
	assert.Equal(t, []string{
		"script: init: table added",
		"other: init: table added NULL <multiple definitions of dynamic field with different types in struct: mine, prevtype=uint64, newtype=string>",
	}, s.said())
	assert.Equal(t, "created same 0", s.prints("C e t; P e t 5 e; W t e f 8 77"))
	rows, err := s.ReadTable("threads")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, int64(5), rows[0].Key)
	assert.Equal(t, uint64(77), rows[0].Fields["mine"])
	assert.Equal(t, []host.TableRow{}, rows[0].Fields["file_descriptors"])
	_, err = s.ReadTable("nosuch")
	assert.EqualError(t, err, `read table "nosuch": there is none; there are threads`)

	alone := play(t, "init=T t threads 4; F f t mine 8")
	assert.Equal(t, []string{"script: init: table NULL"}, alone.said(), "another inspector has other tables")
}

func TestTheThreadsTableIsEmptiedAndFilledAtEachOpen(t *testing.T) {
	s := play(t, "init=T t threads 4; N t|open=N t|close=N t")
	s.SetProcesses([]host.Process{
		{TID: 1, Fields: map[string]any{"comm": "init", "uid": 0, "cwd": "/"}, Args: []string{"-a", "-b"}, Env: []string{"X=1"},
			Cgroups: [][2]string{{"cpu", "/"}}, Files: map[int64]map[string]any{3: {"name": "/etc/passwd", "type": 1}}},
		{TID: 7, Fields: map[string]any{"pid": 1}},
	})
	for range 2 {
		require.NoError(t, s.OpenFeed(999, "fed", payloads("C e t; P e t 9 e; N t")))
		s.next()
		require.NoError(t, s.Close())
	}
	assert.Equal(t, []string{
		"script: init: table 0", "script: set",
		"script: open: 2", "script: parse 1 type 322 of fed: created same 3", "script: unset", "script: close: 0", "script: set",
		"script: open: 2", "script: parse 1 type 322 of fed: created same 3", "script: unset", "script: close: 0",
	}, s.said())
	require.NoError(t, s.OpenFeed(999, "fed", payloads()))
	rows, err := s.ReadTable("threads")
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Equal(t, []host.TableRow{{Key: uint64(0), Fields: map[string]any{"value": "-a"}}, {Key: uint64(1), Fields: map[string]any{"value": "-b"}}}, rows[0].Fields["args"])
	assert.Equal(t, []host.TableRow{{Key: uint64(0), Fields: map[string]any{"first": "cpu", "second": "/"}}}, rows[0].Fields["cgroups"])
	assert.Equal(t, rows[0].Fields["file_descriptors"], rows[1].Fields["file_descriptors"], "of the main thread")
	require.NoError(t, s.Close())

	for want, p := range map[string]host.Process{
		`open: fill threads table: thread 1: the framework has no field "nosuch"`:                    {TID: 1, Fields: map[string]any{"nosuch": 1}},
		`open: fill threads table: thread 1: field "uid": -1 (int) is no uint32`:                     {TID: 1, Fields: map[string]any{"uid": -1}},
		`open: fill threads table: thread 1: it has file descriptors but is no main thread`:          {TID: 1, Fields: map[string]any{"pid": 2}, Files: map[int64]map[string]any{1: {}}},
		`open: fill threads table: thread 1: file descriptor 1: field "type": 256 (int) is no uint8`: {TID: 1, Files: map[int64]map[string]any{1: {"type": 256}}},
	} {
		s.SetProcesses([]host.Process{p})
		assert.EqualError(t, s.OpenFeed(999, "fed", payloads()), want)
		require.NoError(t, s.Close())
	}
}

func TestTheThreadsTableHasAnEnd(t *testing.T) {
	s := play(t, "init=T t threads 4; F a t file_descriptors 10")
	all := make([]string, 0, 4100)
	for fd := range 4096 {
		all = append(all, fmt.Sprintf("C x u; P x u %d x; L u x", fd))
	}
	s.prints("C e t; P e t 1 e; S u t e a")
	// One call adds them all: the output is cut, so it is made in parts.
	for k := 0; k < len(all); k += 256 {
		s.prints("G e t 1; S u t e a; " + strings.Join(all[k:k+256], "; "))
	}
	assert.Equal(t, "entry table 4096 created NULL <file_descriptors is full: it holds at most 4096 entries> entry",
		s.prints("G e t 1; S u t e a; N u; C x u; P y u 5000 x; E; G z u 4095"))
}

func TestPluginsOnlyForAsyncAndCaptureGetNoTables(t *testing.T) {
	s := play(t, "init=E|open=E", "NO_EXTRACT")
	require.NoError(t, s.OpenFeed(999, "fed", payloads()))
	assert.Equal(t, []string{"script: init: <NULL>", "script: set", "script: open: <NULL>"}, s.said())
}

func TestTablesAreForOneThreadAtATime(t *testing.T) {
	s := play(t, "init=T t threads 4")
	assert.Equal(t, "created same 1", s.prints("C e t; P e t 5 e; H t"), "one after the other is no race")
	assert.Contains(t, s.violates("i t H t!"), "get_table_size of plugin script while another thread uses the tables")
}

func TestADestroyedStateMayUseNothing(t *testing.T) {
	s := play(t, "init=T t threads 4", "LATE")
	require.NoError(t, s.OpenFeed(999, "fed", payloads()))
	require.NoError(t, s.Close())
	p := s.Plugin("script")
	p.Destroy()
	_, err := host.Describe(p.Library())
	require.NoError(t, err)
	var how []string
	for _, v := range p.Violations() {
		how = append(how, v.Error())
	}
	const at = "plugin_destroy broke the plugin interface: "
	assert.Equal(t, []string{at + "get_owner_last_error after destroy", at + "get_table_size after destroy", at + "an async event of plugin script after destroy"}, how)
}
