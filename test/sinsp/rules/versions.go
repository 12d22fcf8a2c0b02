// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Engine is the newest version of Falco's rules engine that is known here. A file
// that requires a later one loads in no Falco.
const Engine = "0.63.0"

// Requirement is a plugin and the least version of it.
type Requirement struct {
	Name    string
	Version string
}

// Met says whether a plugin of that version meets the requirement: it has the same
// major version, and is not older.
func (r Requirement) Met(loaded string) error {
	has, err := parseVersion(loaded)
	if err != nil {
		return fmt.Errorf("version of the loaded plugin %s: %w", r.Name, err)
	}
	wants, err := parseVersion(r.Version)
	if err != nil {
		return fmt.Errorf("required version of plugin %s: %w", r.Name, err)
	}
	if has[0] != wants[0] || slices.Compare(has[:], wants[:]) < 0 {
		return fmt.Errorf("plugin %s is required in version %s, and loaded is %s", r.Name, r.Version, loaded)
	}
	return nil
}

type version [3]int

func (v version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

func parseVersion(text string) (version, error) {
	var v version
	parts := strings.Split(text, ".")
	if len(parts) != len(v) {
		return v, fmt.Errorf("%q is no version; use X.Y.Z", text)
	}
	for k, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return v, fmt.Errorf("%q is no version; use X.Y.Z", text)
		}
		v[k] = int(n)
	}
	return v, nil
}

// early refuses a requirement behind a rule: an error in the rule would hide it.
func (c *collection) early(it item) error {
	for _, name := range c.order {
		if r := c.rules[name]; r.At.File == it.at.File {
			return it.at.errorf("%s stands behind a rule, in line %d, whose errors would hide it; put it first", it.what, r.At.Line)
		}
	}
	return nil
}

func (c *collection) addEngine(file string, n *yaml.Node) error {
	const key = "required_engine_version"
	it, err := mapping(file, key, n, key)
	if err != nil {
		return err
	}
	text, err := it.text(key)
	if err != nil {
		return err
	}
	if _, err := strconv.ParseUint(text, 10, 31); err == nil {
		text = "0." + text + ".0"
	}
	wanted, err := parseVersion(text)
	if err != nil {
		return it.errorf(key, "%w", err)
	}
	known, err := parseVersion(Engine)
	if err != nil {
		return err
	}
	if wanted[0] != known[0] || slices.Compare(wanted[:], known[:]) > 0 {
		return it.errorf(key, "%s is later than the newest engine, %s, or of another major version", text, Engine)
	}
	if slices.Compare(wanted[:], c.engine[:]) > 0 {
		c.engine = wanted
	}
	return c.early(it)
}

func (c *collection) addPlugins(file string, n *yaml.Node) error {
	const key = "required_plugin_versions"
	it, err := mapping(file, key, n, key)
	if err != nil {
		return err
	}
	all := it.keys[key]
	if all.Kind != yaml.SequenceNode {
		return it.errorf(key, "it is no list")
	}
	for _, e := range all.Content {
		first, err := readRequirement(file, key, e, "name", "version", "alternatives")
		if err != nil {
			return err
		}
		any := []Requirement{first.Requirement}
		if n := first.keys["alternatives"]; n != nil {
			if n.Kind != yaml.SequenceNode {
				return first.errorf("alternatives", "alternatives is no list")
			}
			for _, a := range n.Content {
				other, err := readRequirement(file, key, a, "name", "version")
				if err != nil {
					return err
				}
				if slices.ContainsFunc(any, func(r Requirement) bool { return r.Name == other.Name }) {
					return other.errorf("name", "plugin %s is named twice in one requirement", other.Name)
				}
				any = append(any, other.Requirement)
			}
		}
		c.needs = append(c.needs, any)
	}
	return c.early(it)
}

type requirement struct {
	item
	Requirement
}

func readRequirement(file, what string, n *yaml.Node, keys ...string) (requirement, error) {
	it, err := mapping(file, what, n, keys...)
	r := requirement{item: it}
	if err != nil {
		return r, err
	}
	if r.Name, err = it.text("name"); err != nil {
		return r, err
	}
	if r.Version, err = it.text("version"); err != nil {
		return r, err
	}
	if _, err := parseVersion(r.Version); err != nil {
		return r, it.errorf("version", "%w", err)
	}
	return r, nil
}
