// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

// The framework's defaults for the size of its tables.
const (
	mostThreads = 262144
	mostFiles   = 4096
)

// Values that a new thread starts with, as libsinsp 0.23 does.
const (
	unknownID    = ^uint64(0)
	unknownUser  = uint64(0xFFFFFFFF)
	nameChanged  = uint64(0x20000) // PPM_CL_NAME_CHANGED in the thread's flags
	unknownFile  = uint64(0xFF)    // the type of a file descriptor
	threadsTable = "threads"
)

// errNoText is a failure that leaves an empty error behind.
var errNoText = errors.New("")

// newThreads makes the table of threads with its documented fields.
func newThreads(t *tables) *builtin {
	s := newSchema(t, false)
	add := func(code uint32, start uint64, names string) {
		for _, name := range strings.Fields(names) {
			s.static(field{label: name, code: code}, start)
		}
	}
	add(abi.StateInt64, 0, "tid")
	add(abi.StateInt64, unknownID, "pid ptid reaper_tid sid fd_limit vtid vpid vpgid pgid")
	add(abi.StateString, 0, "comm exe exe_path root")
	s.static(field{label: "cwd", code: abi.StateString, readOnly: true}, 0)
	add(abi.StateBool, 0, "exe_writable exe_upper_layer exe_lower_layer exe_from_memfd")
	add(abi.StateUint32, nameChanged, "flags")
	add(abi.StateUint32, unknownUser, "uid gid loginuid")
	add(abi.StateUint32, 0, "tty")
	add(abi.StateUint64, 0, "exe_ino exe_ino_ctime exe_ino_mtime pidns_init_start_ts")

	table := func(name string, sub *schema, key uint32, list bool) {
		s.static(field{label: name, code: abi.StateTable, readOnly: true, sub: &subSchema{name, sub, key, list}}, 0)
	}
	table("file_descriptors", newFiles(t), abi.StateInt64, false)
	for _, name := range []string{"args", "env"} {
		one := newSchema(t, true)
		one.static(field{label: "value", code: abi.StateString}, 0)
		table(name, one, abi.StateUint64, true)
	}
	pair := newSchema(t, true)
	pair.static(field{label: "first", code: abi.StateString}, 0)
	pair.static(field{label: "second", code: abi.StateString}, 0)
	table("cgroups", pair, abi.StateUint64, true)

	b := newBuiltin(threadsTable, s, abi.StateInt64)
	b.most = mostThreads
	tid, pid := s.byName["tid"], s.byName["pid"]
	b.added = func(key uint64, r *row) { r.set(tid, value{n: key}) }
	// The threads of a process share the file descriptors of its main thread.
	b.holder = func(r *row, f *field) (*row, error) {
		process := r.value(pid).n
		if f.label != "file_descriptors" || !r.placed || process == unknownID || process == r.value(tid).n {
			return r, nil
		}
		main := b.rows[process]
		if main == nil {
			return nil, errNoText
		}
		return main, nil
	}
	return b
}

func newFiles(t *tables) *schema {
	s := newSchema(t, false)
	add := func(code uint32, start uint64, names string) {
		for _, name := range strings.Fields(names) {
			s.static(field{label: name, code: code}, start)
		}
	}
	add(abi.StateInt64, unknownID, "fd")
	add(abi.StateUint8, unknownFile, "type")
	add(abi.StateInt64, 0, "pid")
	add(abi.StateString, 0, "name name_raw old_name")
	add(abi.StateUint32, 0, "open_flags flags dev mount_id socket_ipv4_src_ip socket_ipv4_dest_dip socket_ipv4_server_ip")
	add(abi.StateUint64, 0, `ino socket_ipv6_src_ip_low socket_ipv6_src_ip_high socket_ipv6_dest_ip_low socket_ipv6_dest_ip_high
		socket_ipv6_server_ip_low socket_ipv6_server_ip_high socket_unix_src socket_unix_dest`)
	add(abi.StateUint16, 0, `socket_ipv4_src_port socket_ipv4_dst_port socket_ipv4_server_port
		socket_ipv6_src_port socket_ipv6_dst_port socket_ipv6_server_port`)
	add(abi.StateUint8, 0, "socket_ipv4_l4_proto socket_ipv4_server_l4_proto socket_ipv6_l4_proto socket_ipv6_server_l4_proto")
	return s
}

// filePlaced completes a file descriptor; fd is the first field.
func filePlaced(key uint64, r *row) { r.values[0].n = key }

// Process is a thread as the platform, or a capture file, puts it into the
// threads table at the start of a capture.
type Process struct {
	TID int64
	// Fields is by the names and with the types of the table's fields. A field
	// that is left out keeps the framework's default; pid is TID if left out.
	Fields    map[string]any
	Args, Env []string
	Cgroups   [][2]string
	// Files is the file descriptors, of a main thread only.
	Files map[int64]map[string]any
}

// process puts a process into the table.
func (b *builtin) process(p Process) error {
	fail := func(err error) error { return fmt.Errorf("fill threads table: thread %d: %w", p.TID, err) }
	r := b.newRow()
	r.set(b.schema.byName["pid"], value{n: uint64(p.TID)})
	if err := b.schema.fill(r, p.Fields); err != nil {
		return fail(err)
	}
	if len(b.rows) >= b.most {
		return fail(fmt.Errorf("the table is full with %d", b.most))
	}
	b.put(uint64(p.TID), r)
	for name, list := range map[string][]string{"args": p.Args, "env": p.Env} {
		f := b.schema.byName[name]
		sub, err := b.sub(r, f)
		if err != nil {
			return fail(err)
		}
		sub.resize(len(list))
		for k, text := range list {
			sub.places[k].set(f.sub.schema.byName["value"], value{s: text})
		}
	}
	if err := b.setCgroups(r, p.Cgroups); err != nil {
		return fail(err)
	}
	files := b.schema.byName["file_descriptors"]
	for fd, fields := range p.Files {
		sub, err := b.sub(r, files)
		if err != nil {
			return fail(fmt.Errorf("it has file descriptors but is no main thread"))
		}
		file := sub.newRow()
		if err := files.sub.schema.fill(file, fields); err != nil {
			return fail(fmt.Errorf("file descriptor %d: %w", fd, err))
		}
		sub.put(uint64(fd), file)
	}
	return nil
}

// setCgroups replaces a thread's cgroups, each a subsystem and a path.
func (b *builtin) setCgroups(r *row, pairs [][2]string) error {
	f := b.schema.byName["cgroups"]
	sub, err := b.sub(r, f)
	if err != nil {
		return err
	}
	sub.resize(len(pairs))
	for k, pair := range pairs {
		sub.places[k].set(f.sub.schema.byName["first"], value{s: pair[0]})
		sub.places[k].set(f.sub.schema.byName["second"], value{s: pair[1]})
	}
	return nil
}

// fill sets fields of a row by name, be they read-only to plugins or not.
func (s *schema) fill(r *row, fields map[string]any) error {
	for name, x := range fields {
		f := s.byName[name]
		if f == nil || f.dynamic {
			return fmt.Errorf("the framework has no field %q", name)
		}
		v, err := stateValue(x, f.code)
		if err != nil {
			return fmt.Errorf("field %q: %w", name, err)
		}
		r.set(f, v)
	}
	return nil
}

// snapshot is the table as a capture file has it: without what plugins added.
func (b *builtin) snapshot() []Process {
	var all []Process
	for _, key := range b.keys() {
		r := b.rows[key]
		p := Process{TID: int64(key), Fields: b.schema.known(r)}
		for f, sub := range r.subs {
			switch f.label {
			case "args":
				p.Args = sub.texts()
			case "env":
				p.Env = sub.texts()
			case "cgroups":
				for _, place := range sub.places {
					p.Cgroups = append(p.Cgroups, [2]string{place.values[0].s, place.values[1].s})
				}
			case "file_descriptors":
				for _, fd := range sub.keys() {
					if p.Files == nil {
						p.Files = map[int64]map[string]any{}
					}
					p.Files[int64(fd)] = sub.schema.known(sub.rows[fd])
				}
			}
		}
		all = append(all, p)
	}
	return all
}

func (b *builtin) texts() []string {
	var all []string
	for _, r := range b.places {
		all = append(all, r.values[0].s)
	}
	return all
}

// known is the values of the framework's own fields in a row.
func (s *schema) known(r *row) map[string]any {
	m := map[string]any{}
	for _, f := range s.fields {
		if !f.dynamic && f.code != abi.StateTable {
			m[f.label] = goValue(r.value(f), f.code)
		}
	}
	return m
}
