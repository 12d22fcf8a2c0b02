// SPDX-License-Identifier: Apache-2.0

package release

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aerie-falco/aerie/build/ruleset"
	"github.com/aerie-falco/aerie/build/sinsp"
)

// Compatibility is the content of a CompatibilityFile.
type Compatibility struct {
	Name        string              `json:"name"`
	Version     string              `json:"version"`
	Commit      string              `json:"commit"`
	Created     string              `json:"created"` // RFC 3339, UTC: of the commit
	PluginAPI   string              `json:"plugin_api"`
	EventSchema string              `json:"event_schema,omitempty"` // for events of the kernel; absent where only plugin events are read
	Go          string              `json:"go"`
	Platforms   map[string]Platform `json:"platforms"` // by "linux/GOARCH"
	Rules       *Rules              `json:"rules,omitempty"`
	TestedWith  sinsp.Versions      `json:"tested_with"`
}

// Platform is the plugin for one of them.
type Platform struct {
	Library string `json:"library"`
	SHA256  string `json:"sha256"`
	Glibc   string `json:"glibc"` // the lowest that it loads on
}

// Rules is what the plugin's rules require.
type Rules struct {
	Engine  string               `json:"engine_version,omitempty"`
	Plugins []ruleset.Dependency `json:"plugins"`
}

func (p *packer) compatibility(one plugin) ([]byte, error) {
	c := Compatibility{
		Name: one.entry.Name, Version: one.version, Commit: p.checkout.Commit, Created: p.checkout.Time.Format(timeForm),
		PluginAPI: one.api, EventSchema: one.eventSchema, Go: one.goVersion, Platforms: map[string]Platform{}, TestedWith: sinsp.Tested,
	}
	for _, l := range one.libraries {
		c.Platforms["linux/"+l.arch] = Platform{Library: l.file, SHA256: sum(l.content), Glibc: l.glibc}
	}
	if len(one.rules) > 0 {
		c.Rules = &Rules{Engine: one.requires.Engine, Plugins: one.requires.Plugins}
	}
	return indented(c)
}

// Compatibility reads the facts about a plugin of the release. A release of several plugins has one file for each.
func (p Packaged) Compatibility(name string) (Compatibility, error) {
	found := ""
	for file := range p.sums {
		version, ok := strings.CutPrefix(file, name+"-")
		version, isFacts := strings.CutSuffix(version, "-compatibility.json")
		// the name of another plugin may begin like this one, but no version begins with a letter
		if ok && isFacts && version != "" && version[0] >= '0' && version[0] <= '9' {
			found = file
		}
	}
	if found == "" {
		return Compatibility{}, fmt.Errorf("reading the release: %s has no plugin %q; make it first: go tool mage release:package %s", p.Dir, name, name)
	}
	text, err := p.Read(found)
	if err != nil {
		return Compatibility{}, err
	}
	var c Compatibility
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Compatibility{}, fmt.Errorf("reading the release: %s: %w", found, err)
	}
	return c, nil
}

const timeForm = "2006-01-02T15:04:05Z" // of times in UTC

func indented(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return out.Bytes(), err
}
