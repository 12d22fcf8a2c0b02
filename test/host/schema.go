// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// ErrConfig marks a configuration that a plugin's own schema refuses. The
// framework throws over it, and does not call the plugin.
var ErrConfig = errors.New("init config")

// checkConfig validates a configuration as libsinsp does: draft 7 whatever the
// schema says, only the first fault told, formats other than dates and times
// ignored, comments and trailing text let through.
//
// Patterns are Go's regular expressions here and ECMAScript's in libsinsp.
func checkConfig(plugin, schema, config string) error {
	compiled, err := compileSchema(schema)
	if err != nil {
		return fmt.Errorf("error in plugin %s init schema: %w", plugin, err)
	}
	value, err := decodeLeading(config)
	if err != nil {
		return fmt.Errorf("error in plugin %s %w: %s", plugin, ErrConfig, err)
	}
	err = compiled.Validate(value)
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		for len(invalid.Causes) > 0 {
			invalid = invalid.Causes[0]
		}
		text := invalid.ErrorKind.LocalizedString(message.NewPrinter(language.English))
		return fmt.Errorf("error in plugin %s %w: In %s, %s", plugin, ErrConfig, instancePath(invalid.InstanceLocation), text)
	}
	if err != nil {
		return fmt.Errorf("error in plugin %s %w: %s", plugin, ErrConfig, err)
	}
	return nil
}

func instancePath(at []string) string {
	var b strings.Builder
	b.WriteString("<root>")
	for _, key := range at {
		fmt.Fprintf(&b, "[%q]", key)
	}
	return b.String()
}

func compileSchema(text string) (*jsonschema.Schema, error) {
	v, err := decodeLeading(text)
	if err != nil {
		return nil, err
	}
	root, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a JSON %s; use an object", jsonKind(v))
	}
	delete(root, "$schema")
	delete(root, "$id")

	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(noRemote{})
	for _, name := range []string{
		"email", "hostname", "idn-email", "idn-hostname", "ipv4", "ipv6", "iri", "iri-reference", "json-pointer",
		"regex", "relative-json-pointer", "uri", "uri-reference", "uri-template",
	} {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(any) error { return nil }})
	}
	const at = "init-schema.json"
	if err := c.AddResource(at, root); err != nil {
		return nil, err
	}
	return c.Compile(at)
}

// noRemote refuses references to other documents.
type noRemote struct{}

func (noRemote) Load(url string) (any, error) {
	return nil, fmt.Errorf("reference to %q: only references inside the schema are followed", url)
}
