// SPDX-License-Identifier: Apache-2.0

// Package host is Falco's plugin framework in a box: it loads a plugin's
// shared object and plays the part of libsinsp (libs 0.25, Plugin API 3.12),
// its order of calls, its checks, its quirks and its limits included. It needs
// no Falco, and knows plugins by their C interface only.
//
// [Load] maps a library. [Register] reads what it says about itself and makes
// a [Plugin], the framework's owner of one plugin state; registering a library
// again gives another owner, so one library can have many states. A Plugin's
// methods are the calls of the API. They refuse no order and no thread, so that
// a test can do what the framework should never do. An [Inspector] is the
// framework proper: it puts several plugins to one stream of events, with the
// state tables and the async events that they share, and calls them in the
// framework's order, live and in the replay of a [Recording].
//
// # What is not as in libsinsp
//
// Where libsinsp would crash, throw or read wild memory over what a plugin
// returned, the host returns a [Violation] that says so. Inputs of a call live
// in C memory of their own, which is overwritten with 0xDB and freed when the
// call returns, so that a plugin that keeps a pointer to them is found out.
//
// Pointers to table entries and fields lead to memory that may not be touched,
// and none is given twice; a string read from a table of the framework's is
// overwritten at the next call into tables. So what libsinsp leaves to chance
// is found out.
//
// Of the framework's own parsing of system calls only what [Inspector.FollowThreads]
// tells is played, and that on demand: else the threads table holds what
// SetProcesses says and what plugins add. Erasing a thread leaves the others of
// its process alone.
//
// # Threads
//
// Calls run on the caller's thread. [Thread] is an operating system thread to
// run a capture's loop on, as the framework does. A Plugin and its instances
// may be used from several goroutines as far as the plugin allows it; an
// Inspector and an [Instance]'s Next belong to one goroutine at a time.
//
// Libraries are never unloaded: Go code in one could not be.
package host
