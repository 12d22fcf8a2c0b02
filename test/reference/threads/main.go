// SPDX-License-Identifier: Apache-2.0

// Command threads is a plugin that uses the framework's own table, "threads".
//
// The framework follows all threads of the machine, from the events of system
// calls, and keeps what it knows of each in a table that every plugin may read
// and extend: the program's name, its process, its users, its open files in a
// table inside the entry. A plugin that parses events sees the entry as that
// event leaves it, for the framework's own parsing comes first.
//
// This plugin notes with each thread which programs its ancestors ran and how
// many it has run itself, and gives both for any event of that thread.
package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/parse"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

func init() {
	r := plugin.Register(plugin.Info{
		Name: "threads", Description: "Tells of a thread's programs, ancestors and files.",
		Contact: "github.com/aerie-falco/aerie", Version: "0.1.0",
	}, func() *threads { return &threads{} })
	table.RequireSubtables(r)
	// Parsed is only what is needed: with a kernel driver, each type that is
	// listed costs the whole machine.
	parse.Register(r, parse.Options{EventTypes: []uint16{
		event.TypeCloneX, event.TypeClone3X, event.TypeForkX, event.TypeVforkX, event.TypeExecveX, event.TypeExecveatX,
	}, Sources: []string{"syscall"}})
	extract.Register(r, extract.Options[*threads]{EveryEventType: true, Sources: []string{"syscall"}, Fields: []extract.Field[*threads]{
		{Name: "threads.comm", Desc: "Name of the program that the thread runs.", Value: extract.String((*threads).commField)},
		{Name: "threads.pid", Desc: "ID of the thread's process.", Value: extract.Uint64((*threads).pidField)},
		{Name: "threads.lineage", Desc: "Programs that the thread's ancestors ran when they started it, the eldest first; of those that were started during the capture.", Value: extract.String((*threads).lineageField)},
		{Name: "threads.programs", Desc: "How many programs the thread has started to run during the capture.", Value: extract.Uint64((*threads).programsField)},
		{Name: "threads.files", Desc: "How many file descriptors the thread's process has open.", Value: extract.Uint64((*threads).filesField)},
		{Name: "threads.file", Arg: extract.RequiredIndex, Desc: "What the file descriptor of that number is open on.", Value: extract.String((*threads).fileField)},
	}})
}

func main() {}

// threads is one state of the plugin.
type threads struct {
	table     *table.Foreign[int64]
	comm      table.Field[string]
	pid, ptid table.Field[int64]

	files *table.Sub[int64] // in an entry, by number
	name  table.Field[string]

	// lineage and programs are fields that this plugin adds.
	lineage  table.Field[string]
	programs table.Field[uint64]
}

// Init looks everything up. The table is empty yet.
func (p *threads) Init(h *plugin.Host, _ string) error {
	var err error
	if p.table, err = table.Open[int64](h.Tables(), "threads"); err != nil {
		return err
	}
	var errs [7]error
	p.comm, errs[0] = table.FieldOf[string](p.table, "comm")
	p.pid, errs[1] = table.FieldOf[int64](p.table, "pid")
	p.ptid, errs[2] = table.FieldOf[int64](p.table, "ptid")
	p.lineage, errs[3] = table.AddField[string](p.table, "threads_lineage")
	p.programs, errs[4] = table.AddField[uint64](p.table, "threads_programs")
	if p.files, errs[5] = table.OpenSub[int64](p.table, "file_descriptors"); errs[5] == nil {
		p.name, errs[6] = table.FieldOf[string](p.files, "name")
	}
	return errors.Join(errs[:]...)
}

func (p *threads) Destroy() {}

// Parse sees a thread's first event, which is the return from the call that
// made it, and each new program. Failed calls return a negative result, and the
// return to a new thread's parent is the thread's number.
func (p *threads) Parse(e *event.Event, t *table.Access) error {
	if res, ok := e.Errno(0); !ok || res != 0 {
		return e.Malformed()
	}
	thread, err := p.table.Get(t, int64(e.ThreadID()))
	if err != nil {
		return fmt.Errorf("note thread %d: %w", e.ThreadID(), err)
	}
	if e.Type() == event.TypeExecveX || e.Type() == event.TypeExecveatX {
		n, err := p.programs.Get(thread)
		if err != nil {
			return err
		}
		return p.programs.Set(thread, n+1)
	}
	return p.inherit(t, thread)
}

// longest is how many bytes of a lineage are kept: processes may start each
// other for ever.
const longest = 256

// inherit gives a new thread the lineage of its parent and the parent's program.
func (p *threads) inherit(t *table.Access, thread table.Entry) error {
	ptid, err := p.ptid.Get(thread)
	if err != nil {
		return err
	}
	parent, err := p.table.Get(t, ptid)
	if errors.Is(err, table.ErrNotFound) {
		return nil // it was gone before the capture began
	}
	if err != nil {
		return err
	}
	before, err := p.lineage.Get(parent)
	if err != nil {
		return err
	}
	comm, err := p.comm.Get(parent)
	if err != nil {
		return err
	}
	all := before + "/" + comm
	return p.lineage.Set(thread, all[max(0, len(all)-longest):])
}

// of is the entry of the thread that caused an event. An event whose thread the
// framework does not know has no values, which is no error.
func (p *threads) of(c *extract.Call) (thread table.Entry, known bool, err error) {
	tid := c.Event().ThreadID()
	if tid > math.MaxInt64 {
		return table.Entry{}, false, nil
	}
	thread, err = p.table.Get(c.Tables(), int64(tid))
	if errors.Is(err, table.ErrNotFound) {
		return table.Entry{}, false, nil
	}
	return thread, err == nil, err
}

func (p *threads) commField(c *extract.Call, out *extract.StringOut) error {
	return p.text(c, out, p.comm)
}

func (p *threads) lineageField(c *extract.Call, out *extract.StringOut) error {
	return p.text(c, out, p.lineage)
}

// text gives a field of the thread's entry as it is, if it is not empty.
func (p *threads) text(c *extract.Call, out *extract.StringOut, f table.Field[string]) error {
	thread, known, err := p.of(c)
	if !known {
		return err
	}
	s, err := f.Get(thread)
	if err == nil && s != "" {
		out.Set(s)
	}
	return err
}

func (p *threads) pidField(c *extract.Call, out *extract.Uint64Out) error {
	thread, known, err := p.of(c)
	if !known {
		return err
	}
	pid, err := p.pid.Get(thread)
	if err == nil && pid >= 0 {
		out.Set(uint64(pid))
	}
	return err
}

func (p *threads) programsField(c *extract.Call, out *extract.Uint64Out) error {
	thread, known, err := p.of(c)
	if !known {
		return err
	}
	n, err := p.programs.Get(thread)
	if err == nil {
		out.Set(n)
	}
	return err
}

func (p *threads) filesField(c *extract.Call, out *extract.Uint64Out) error {
	thread, known, err := p.of(c)
	if !known {
		return err
	}
	files, err := p.files.Of(thread)
	if err != nil {
		return err
	}
	n, err := files.Size(c.Tables())
	if err == nil {
		out.Set(n)
	}
	return err
}

func (p *threads) fileField(c *extract.Call, out *extract.StringOut) error {
	fd, ok := c.Index()
	thread, known, err := p.of(c)
	if !known || !ok || fd > math.MaxInt32 {
		return err
	}
	files, err := p.files.Of(thread)
	if err != nil {
		return err
	}
	file, err := files.Get(c.Tables(), int64(fd))
	if errors.Is(err, table.ErrNotFound) {
		return nil // it is not open
	}
	if err != nil {
		return err
	}
	name, err := p.name.Get(file)
	if err == nil && name != "" {
		out.Set(name)
	}
	return err
}
