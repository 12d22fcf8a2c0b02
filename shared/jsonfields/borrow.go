// SPDX-License-Identifier: Apache-2.0

package jsonfields

// Borrow makes text the document without copying it, for those who read a document
// once and have it in memory of their own, such as sources that look for the events in
// what they received. It returns what Err would. text is not to be changed before the
// next Load, Borrow or Release, except by [Compact] on values that nobody reads
// any more. A Load never finds the bytes of a text that was borrowed.
func (d *Document) Borrow(text []byte) error { return d.Skim(text, MaxDepth) }

// Skim is Borrow for large documents of which only the outer levels are looked at. All of
// the text is checked, but values can be found only if they stand inside at most so many
// arrays and objects. Containers at that depth have their text, and seem to be empty.
func (d *Document) Skim(text []byte, levels int) error {
	d.read(text, levels)
	return d.Err()
}

// Compact moves the text of a valid JSON value together, so that no white space is left
// between its tokens, and returns what it now is: the same value in the first bytes
// of text. What remains behind it is meaningless.
func Compact(text []byte) []byte { return appendCompact(text[:0], text) }
