// SPDX-License-Identifier: Apache-2.0

// Package file reads a file of lines from its beginning to its end, or all files
// of a directory, those that were changed the longest time ago first.
//
//	return file.Open(ctx, path, lines.Options{MaxLine: 12 << 20, Decode: decode})
//
// One file is open at a time. Directories inside a directory are left out, as is,
// with a line in the log, what is neither a file nor a link to one and what cannot be
// read. Names that end like compressed files are read like any other.
package file
