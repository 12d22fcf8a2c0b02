// SPDX-License-Identifier: Apache-2.0

// Package conformance holds what the Falco plugin developers guide asks as
// tests, run through the ABI: over every built library of the repository, and
// over fixtures that make the kit show each of its promises.
package conformance
