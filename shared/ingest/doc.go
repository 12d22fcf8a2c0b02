// SPDX-License-Identifier: Apache-2.0

// Package ingest is how payloads get into source plugins. It holds no code of
// its own; each way in is a package:
//
//   - webhook: an HTTP listener for requests whose bodies are events
//   - file: a file or the files of a directory, read once
//   - tail: a file that others write to, followed for ever
//   - lines: what turns the lines of files into events
//   - queue: what stands between a way in and the framework, bounded by bytes,
//     telling for each entry whether the framework has taken it
//   - split: one body into the events it holds
//
// Whatever comes in is bounded in memory, and is acknowledged to its sender when
// the framework has taken it and not before.
package ingest
