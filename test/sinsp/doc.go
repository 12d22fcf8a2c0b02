// SPDX-License-Identifier: Apache-2.0

// Package sinsp tests every plugin of the checkout in the framework that Falco
// is made of: Debian's libsinsp and sysdig, in a root that the build sets up.
// `go tool mage test:sinsp` runs it.
//
//	testdata/scenarios.yaml of a plugin   what must happen (package scenario)
//	        │
//	    package act                       performs it, command by command
//	        │
//	    package stage ── JSON lines ──┬── driver/   a program on libsinsp
//	                                  └── player/   the same on the test host
//
// The tests hold what both say against the declaration, against each other, and
// against what sysdig prints. Where libsinsp cannot run, on another architecture
// or with an old C library, the player alone is tested (test:arm64, test:glibc).
// Rules are compiled by libsinsp and tried on samples (test:rules).
//
// System calls are recorded ones, in capture files (package scap). Of a plugin that
// parses them, recorded_test.go tests what is declared under captures, live and
// replayed, and bench_test.go measures what it costs (bench:sinsp).
//
// The plugins of test/reference, which use all of the API, are built by the tests
// and have tests of their own: reference*_test.go.
//
// Names of tests carry the numbers of the developers guide's rules that they show.
package sinsp
