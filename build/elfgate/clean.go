// SPDX-License-Identifier: Apache-2.0

package elfgate

import (
	"bytes"
	"debug/buildinfo"
	"path/filepath"
	"slices"
	"strings"
)

func (g *gate) stripped() error {
	var found []string
	for _, s := range g.file.Sections {
		if s.Name == ".symtab" || strings.HasPrefix(s.Name, ".debug_") || strings.HasPrefix(s.Name, ".zdebug_") {
			found = append(found, s.Name)
		}
	}
	if len(found) > 0 {
		slices.Sort(found)
		g.refuse("is not stripped: has sections %s", strings.Join(found, ", "))
	}
	return nil
}

// builderPaths looks for folders of the building machine anywhere in the file.
func (g *gate) builderPaths() error {
	for _, dir := range g.rules.Builder {
		for _, trace := range traces(filepath.Clean(dir)) {
			if i := trace.find(g.content); i >= 0 {
				g.refuse("contains a path of the building machine: %s", printable(g.content[i:min(i+len(trace.text)+40, len(g.content))]))
			}
		}
	}
	return nil
}

// trace is a text that gives a folder away.
type trace struct {
	text string
	// alone asks that no path character stands before the text. A folder such as /root is part of innocent paths
	// (/proc/1/root/), a deep one is not.
	alone bool
}

// traces returns what to look for. Temporary folders right under the root are in many programs' defaults; only what the
// go command puts there tells of the build.
func traces(dir string) []trace {
	switch {
	case dir == "/" || dir == ".":
		return nil
	case dir == "/tmp" || dir == "/var/tmp":
		return []trace{{text: dir + "/go-build"}, {text: dir + "/go-link-"}}
	default:
		return []trace{{text: dir + "/", alone: strings.Count(dir, "/") == 1}}
	}
}

func (t trace) find(content []byte) int {
	for from := 0; ; {
		i := bytes.Index(content[from:], []byte(t.text))
		if i < 0 {
			return -1
		}
		at := from + i
		if !t.alone || at == 0 || !pathByte(content[at-1]) {
			return at
		}
		from = at + 1
	}
}

func pathByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("._-/~", b) >= 0
}

// printable cuts at the first byte that is no readable ASCII.
func printable(b []byte) string {
	end := bytes.IndexFunc(b, func(r rune) bool { return r < ' ' || r > '~' })
	if end < 0 {
		end = len(b)
	}
	return string(b[:end])
}

// buildInfo checks what the go command recorded about the build.
func (g *gate) buildInfo() error {
	info, err := buildinfo.Read(bytes.NewReader(g.content))
	if err != nil {
		g.refuse("has no readable Go build information: %v", err)
		return nil
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	want := map[string]string{"-trimpath": "true", "-tags": "netgo,osusergo", "-buildmode": "c-shared", "CGO_ENABLED": "1", "GOOS": "linux", "GOARCH": g.rules.Arch}
	switch g.rules.Arch {
	case "amd64":
		want["GOAMD64"] = "v1"
	case "arm64":
		want["GOARM64"] = "v8.0"
	}
	var keys []string
	for key := range want {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if settings[key] != want[key] {
			g.refuse("was built with %s=%q, not %q", key, settings[key], want[key])
		}
	}
	return nil
}
