// SPDX-License-Identifier: Apache-2.0

// Package table reaches the framework's state tables: those of the framework
// and of other plugins (foreign), and those that a plugin keeps and offers
// itself (own).
//
// Tables and fields are looked up once, in Init, through Host.Tables:
//
//	threads, err := table.Open[int64](h.Tables(), "threads")
//	comm, err := table.FieldOf[string](threads, "comm")
//	seen, err := table.AddField[uint64](threads, "myplugin_seen")
//	fds, err := table.OpenSub[int64](threads, "file_descriptors")
//	name, err := table.FieldOf[string](fds, "name")
//
// and used in calls that carry an Access, which parsing, extraction and
// capture listening hand out:
//
//	thread, err := threads.Get(a, tid)
//	who, err := comm.Get(thread)
//	open, err := fds.Of(thread)
//	fd, err := open.Get(a, 3)
//	path, err := name.Get(fd)
//
// Entries are released when the call ends, or earlier by Release. A plugin
// gets foreign tables only if it extracts or parses. Frameworks lock nothing:
// an Access is for the goroutine that its call runs on.
//
// A table of one's own is a Go map with a schema. It needs no Access and may
// be used from any goroutine; what is offered to the framework is the same
// data:
//
//	type counter struct {
//		Hits uint64 `table:"hits"`
//		Last string `table:"last,readonly"`
//	}
//	p.counters = table.New[string, counter]("counters")
//	err := table.Offer(h.Tables(), p.counters)
package table
