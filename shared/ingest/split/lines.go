// SPDX-License-Identifier: Apache-2.0

package split

import "bytes"

// Lines yields every line of text that is not blank, without its line ending
// (LF or CR LF). The last line needs none. What stands in a line is not looked
// at; blank means nothing but spaces, tabs and carriage returns.
func Lines(text []byte, yield func(line []byte) error) error {
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if skipSpace(line, 0) == len(line) {
			continue
		}
		if err := yield(line[:len(line):len(line)]); err != nil {
			return err
		}
	}
	return nil
}
