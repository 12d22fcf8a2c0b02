// SPDX-License-Identifier: Apache-2.0

// Package lines turns files of lines into events: what is read is cut into
// lines, a line is decoded into the events it holds, and these are added to
// batches, however many batches that takes.
//
//	r := lines.NewReader(ctx, lines.Options{Name: path, MaxLine: 12 << 20, Decode: decode})
//	for {
//		if !r.Take(batch) {
//			return nil // the batch is full
//		}
//		if _, err := r.Fill(file); err != nil {
//			return err // io.EOF: r.Finish, and Take again
//		}
//	}
//
// A line that is too long, or that the decoder refuses, is logged, counted and
// left out, and the next line is as good as ever. No more than one line is held
// in memory. Reader.Offset tells up to where a file need not be read again.
package lines
