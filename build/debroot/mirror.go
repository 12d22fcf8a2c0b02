// SPDX-License-Identifier: Apache-2.0

package debroot

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/levels"
)

// mirrorEnv names a Debian archive where the machine's own sources do not.
const mirrorEnv = "AERIE_DEBIAN_MIRROR"

// Mirror is the URL of the Debian archive that AERIE_DEBIAN_MIRROR names, or
// that this machine installs its own packages from. A machine that knows none
// gives an error that wraps levels.ErrCannotRun.
func Mirror() (string, error) {
	if url := os.Getenv(mirrorEnv); url != "" {
		return strings.TrimSuffix(url, "/"), nil
	}
	return mirrorOf("/etc/os-release", "/etc/apt")
}

var errNoMirror = fmt.Errorf("%w: apt knows no Debian archive here; set %s to the URL of one", levels.ErrCannotRun, mirrorEnv)

func mirrorOf(release, apt string) (string, error) {
	text, err := os.ReadFile(release)
	if err != nil {
		return "", errNoMirror
	}
	id, codename := setting(string(text), "ID"), setting(string(text), "VERSION_CODENAME")
	if id != "debian" {
		return "", errNoMirror
	}
	files := []string{filepath.Join(apt, "sources.list")}
	for _, pattern := range []string{"*.list", "*.sources"} {
		more, err := filepath.Glob(filepath.Join(apt, "sources.list.d", pattern))
		if err != nil {
			return "", err
		}
		files = append(files, more...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("reading where this machine's packages come from: %w", err)
		}
		read := oneLineSources
		if strings.HasSuffix(file, ".sources") {
			read = deb822Sources
		}
		for _, s := range read(string(text)) {
			if s.offers(codename) {
				return strings.TrimSuffix(s.uri, "/"), nil
			}
		}
	}
	return "", errNoMirror
}

// setting is the value of a name in the format of os-release(5), "" if it has none.
func setting(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key == name {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

// source is one place and what it offers, see sources.list(5).
type source struct {
	uri        string
	suites     []string
	components []string
}

// offers tells the archive itself from its security updates and from other
// vendors' packages, and what debootstrap can fetch from other schemes.
func (s source) offers(codename string) bool {
	web := strings.HasPrefix(s.uri, "http://") || strings.HasPrefix(s.uri, "https://")
	return web && slices.Contains(s.components, "main") && (slices.Contains(s.suites, codename) || slices.Contains(s.suites, "stable"))
}

// oneLineSources reads lines "deb [options] URI SUITE COMPONENT...".
func oneLineSources(text string) []source {
	var all []source
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") {
			_, rest, _ = strings.Cut(rest, "]")
		}
		if words := strings.Fields(rest); len(words) >= 3 {
			all = append(all, source{words[0], words[1:2], words[2:]})
		}
	}
	return all
}

// deb822Sources reads stanzas of "Key: values" lines; a line that starts with
// a blank goes on with the last key's values.
func deb822Sources(text string) []source {
	var all []source
	stanza := map[string][]string{}
	key := ""
	flush := func() {
		disabled := slices.Equal(stanza["enabled"], []string{"no"})
		if slices.Contains(stanza["types"], "deb") && !disabled {
			for _, uri := range stanza["uris"] {
				all = append(all, source{uri, stanza["suites"], stanza["components"]})
			}
		}
		stanza, key = map[string][]string{}, ""
	}
	for line := range strings.Lines(text) {
		switch line = strings.TrimRight(line, "\r\n"); {
		case strings.TrimSpace(line) == "":
			flush()
		case strings.HasPrefix(line, "#"):
		case line[0] == ' ' || line[0] == '\t':
			stanza[key] = append(stanza[key], strings.Fields(line)...)
		default:
			name, value, _ := strings.Cut(line, ":")
			key = strings.ToLower(strings.TrimSpace(name))
			stanza[key] = strings.Fields(value)
		}
	}
	flush()
	return all
}
