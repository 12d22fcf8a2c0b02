// SPDX-License-Identifier: Apache-2.0

package sinsp

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Versions are those of the real framework that plugins are tested on.
type Versions struct {
	Sysdig string `json:"sysdig"`
	Libs   string `json:"libs"` // libsinsp and libscap
}

// Tested are the versions that releases name. CheckTested says when Debian has moved on.
var Tested = Versions{Sysdig: "0.41.4", Libs: "0.23.2"}

// packages are the Debian packages that have these versions.
const sysdigPackage, libsPackage = "sysdig", "libfalcosecurity0-dev"

// CheckTested compares Tested with the framework that the tests on this machine
// use. A machine that never made one has nothing to compare.
func CheckTested() error {
	root, ok, err := framework.Find()
	if err != nil || !ok {
		return err
	}
	here, err := versions(root)
	if err != nil {
		return err
	}
	if here != Tested {
		return fmt.Errorf("comparing the tested versions: the tests on this machine use sysdig %s and libs %s, but build/sinsp/tested.go has %s and %s, which releases would name; put the former there",
			here.Sysdig, here.Libs, Tested.Sysdig, Tested.Libs)
	}
	return nil
}

// versions reads a root's list of installed packages.
func versions(root string) (Versions, error) {
	f, err := os.Open(filepath.Join(root, "var/lib/dpkg/status"))
	if err != nil {
		return Versions{}, fmt.Errorf("reading the versions of the framework: %w", err)
	}
	defer f.Close()
	found := map[string]string{}
	name := ""
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20) // descriptions and dependencies are long lines
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "Package: "); ok {
			name = value
		}
		if value, ok := strings.CutPrefix(lines.Text(), "Version: "); ok {
			found[name] = upstream(value)
		}
	}
	if err := lines.Err(); err != nil {
		return Versions{}, fmt.Errorf("reading the versions of the framework: %w", err)
	}
	v := Versions{Sysdig: found[sysdigPackage], Libs: found[libsPackage]}
	if v.Sysdig == "" || v.Libs == "" {
		return Versions{}, fmt.Errorf("reading the versions of the framework: %s lacks %s or %s", f.Name(), sysdigPackage, libsPackage)
	}
	return v, nil
}

// upstream leaves the number of a Debian version that its authors gave it: [EPOCH:]NUMBER[+WHAT DEBIAN CHANGED]-REVISION.
func upstream(version string) string {
	if _, after, ok := strings.Cut(version, ":"); ok {
		version = after
	}
	if i := strings.LastIndex(version, "-"); i >= 0 {
		version = version[:i]
	}
	number, _, _ := strings.Cut(version, "+")
	return number
}
