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
// Every value depends on the bytes of the document and on nothing else: not on
// what was read before, and not on which of the two ways below it was read.
//   - a string is its decoded text; half of a surrogate pair stays as written;
//   - a number is its source text, so no digit is lost;
//   - true, false and null are these words;
//   - an array or object is its source text without insignificant white space.
//
// Where a key occurs twice in an object, the first one counts.
//
// # How it reads
//
// A check of its own comes first ([Document.Load]), because fastjson accepts more
// than JSON: 1-2, NaN, control characters, unknown escapes. It also notes where each
// array and object ends. Then there are two ways to a value, and their equality is what
// the fuzz tests are about:
//   - Over the source text. Arrays and objects on the way are stepped over, so a value
//     costs what stands beside it and its parents. [Document.Locate] goes this way, and
//     knows where in the payload a value stands; so do the first questions to
//     [Document.Find], which rules seldom go beyond.
//   - In fastjson's tree, which Find builds if there are more, and which serves all
//     further ones. The tree is only ever read in ways that leave it as it is: fastjson
//     decodes strings and keys in place when asked for a type or a decoded string, and
//     would then write enclosing objects differently.
//
// Documents that the tree would not serve exactly or cheaply (escape sequences in keys,
// nesting at the limit, very many values) do without it.
package jsonfields
