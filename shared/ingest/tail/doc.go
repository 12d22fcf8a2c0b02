// SPDX-License-Identifier: Apache-2.0

// Package tail follows one file of lines that others write to, for ever.
//
//	return tail.Open(ctx, "/var/log/kube-audit.log", tail.Options{Lines: lines.Options{…}})
//
// Reading starts at the end that the file has when Open returns, or at the
// beginning of a file that appears later. A checkpoint changes that.
//
// # Rotation
//
// A file that is renamed or removed is read on as long as no other is in its
// place, and then until nothing has been written to it for the grace period. Files
// that came and went while nobody looked are found beside the last one: they are
// called like it but for digits in the name, and were changed later. A file that
// is truncated, or whose first bytes are others now, is read from its beginning.
//
// A line counts when its newline is there; what stands behind the last newline is
// a line when the file has been replaced, removed or truncated.
//
// # How changes are noticed
//
// inotify watches the directory of the file and, if the name is a symbolic link,
// that of its target. Once a second the file is looked at in any case: that is
// what works on network file systems, on which inotify sees no writes of others.
//
// # Checkpoint
//
// With a checkpoint, the offset up to which the framework has consumed events
// is kept in a file, at most a second later than it is known. Whoever opens the same
// path with it goes on from there, in renamed files too. Events may then come
// twice. None is lost as long as the file that was read last, and those that took its
// place, are still in the directory as they were written: not removed, not compressed.
package tail
