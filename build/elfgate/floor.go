// SPDX-License-Identifier: Apache-2.0

package elfgate

import (
	"debug/elf"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/semver"
)

// Glibc returns the lowest glibc that a plugin loads on: the highest version
// among those of the symbols that it imports, such as 2.17. It is "" for a file
// that imports none.
func Glibc(file io.ReaderAt) (string, error) {
	f, err := elf.NewFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the glibc version it needs: %w", err)
	}
	if table, err := f.DynValue(elf.DT_VERNEED); err != nil || len(table) == 0 {
		return "", nil // neither table nor dynamic section: nothing is imported
	}
	libraries, err := f.DynamicVersionNeeds()
	if err != nil {
		return "", fmt.Errorf("reading the glibc version it needs: %w", err)
	}
	highest := ""
	for _, library := range libraries {
		for _, need := range library.Needs {
			if version, ok := strings.CutPrefix(need.Dep, "GLIBC_"); ok && semver.Compare("v"+version, "v"+highest) > 0 {
				highest = version
			}
		}
	}
	return highest, nil
}
