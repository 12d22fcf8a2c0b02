// SPDX-License-Identifier: Apache-2.0

// Package plugin is the base of a Falco plugin written in Go: who it is, how
// it starts and ends, and what every one of its states is given.
//
// A library registers one plugin from an init function of its main package,
// and beside it the capabilities that it has:
//
//	func init() {
//		r := plugin.Register(dummy.Info, dummy.New)
//		source.Register(r, source.Options{})
//		extract.Register(r, dummy.Extraction)
//	}
//
//	func main() {}
//
// Importing a capability package exports its symbols, and to a framework an
// exported symbol is a claimed capability. Importing one without registering
// it makes every init fail with a message that says so.
//
// A framework makes many states of one plugin, one per event source it serves,
// and uses them from different threads at the same time; Falco's hot reload
// even makes a second set beside the running one. So a plugin keeps everything
// in the value that its create function returns, and Init takes nothing
// exclusive: ports, locks and files are for a source's Open.
package plugin
