// SPDX-License-Identifier: Apache-2.0

// Package split finds the events in a text that holds several: the lines of
// newline-delimited JSON, the elements of a JSON array, or the members of an object.
//
// Events are handed over as parts of the text, byte for byte as they stand
// there, nothing copied or decoded. The yield functions are called in order; an
// error of theirs ends the split and is returned as it is. Texts may be hostile:
// the time is linear in their length, the memory constant, and nothing recurses.
package split
