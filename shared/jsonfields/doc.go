// SPDX-License-Identifier: Apache-2.0

// Package jsonfields reads events whose payload is a JSON document.
//
// A [Document] is kept in the state of a plugin. It is given the payload at
// every extraction, and does the work only when the bytes are new:
//
//	func (p *Plugin) Document() *jsonfields.Document { return &p.doc }
//
//	var verb = jsonfields.MustPointer("/verb")
//
//	var fields = []extract.Field[*Plugin]{{
//		Name: "ka.verb", Desc: "The verb of the request.",
//		Value: jsonfields.String[*Plugin](verb),
//	}}
//
// # What is accepted
//
// The grammar of RFC 8259, with any value at the top level. White space and a
// byte order mark in front are skipped. More than [MaxDepth] arrays and objects
// inside each other are refused. Bytes that are not UTF-8 are accepted inside
// strings and passed on as they are (RFC 8259 section 9 lets a parser accept
// more than the grammar): an event must not become invisible to every rule
// because a client put one odd byte in its user agent.
//
// # What is given
//
// Every value depends on the bytes of the document and on nothing else; not on what
// was read before.
//   - a string is its decoded text; half of a surrogate pair stays as written;
//   - a number is its source text, so no digit is lost;
//   - true, false and null are these words;
//   - an array or object is its source text without insignificant white space.
//
// Where a key occurs twice in an object, the first one counts.
//
// # How it reads
//
// One pass over the text checks it against the grammar and lists its values: where each
// stands, and which is the next one beside it. There is no tree to be built, and nothing
// is decoded before somebody asks. A lookup goes from key to key of the objects on
// its way, over a list that is shorter than the text and dense in memory; what is inside
// the others is stepped over. A string without escape sequences, a number, or an
// object without white space is then given as it stands.
//
// The tests compare both, what is accepted and what is given, with encoding/json. The
// benchmarks have a parse by fastjson beside them, which a load takes less than.
//
// Sources that look for the events in what they received do without the copy, and
// mostly without the inner values: see [Document.Borrow] and [Document.Skim].
package jsonfields
