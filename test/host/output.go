// SPDX-License-Identifier: Apache-2.0

package host

import (
	"fmt"
	"regexp"
	"strings"
)

// NoValue is what outputs show for a field without a value.
const NoValue = "<NA>"

// Printed is a field's values as Falco prints them in an output.
func Printed(values []any, list bool) string {
	if len(values) == 0 {
		return NoValue
	}
	if !list {
		return fmt.Sprint(values[0])
	}
	parts := make([]string, len(values))
	for k, v := range values {
		parts[k] = fmt.Sprint(v)
	}
	return "(" + strings.Join(parts, ",") + ")"
}

// Output is a rule's output: text with fields in it.
type Output struct {
	texts  []string // one more than fields
	fields []*Check
}

// fieldInOutput is a field with its argument.
var fieldInOutput = regexp.MustCompile(`%([a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z0-9_]+)+(?:\[[^\]]*\])?)`)

// CompileOutput compiles text with fields such as %evt.num or %json.value[/a].
func (n *Inspector) CompileOutput(text string) (*Output, error) {
	o := &Output{}
	at := 0
	for _, m := range fieldInOutput.FindAllStringSubmatchIndex(text, -1) {
		check, err := n.Compile(text[m[2]:m[3]])
		if err != nil {
			return nil, fmt.Errorf("compile output %.80q: %w", text, err)
		}
		o.texts = append(o.texts, text[at:m[0]])
		o.fields = append(o.fields, check)
		at = m[1]
	}
	if rest := text[at:]; strings.Contains(strings.Join(append(o.texts, rest), ""), "%") {
		return nil, fmt.Errorf("compile output %.80q: a %% has no field behind it", text)
	}
	o.texts = append(o.texts, text[at:])
	return o, nil
}

// Text is the output for the event at hand.
func (o *Output) Text(of Values) (string, error) {
	var out strings.Builder
	for k, f := range o.fields {
		values, err := of(f)
		if err != nil {
			return "", err
		}
		out.WriteString(o.texts[k])
		out.WriteString(Printed(values, f.List))
	}
	out.WriteString(o.texts[len(o.fields)])
	return out.String(), nil
}
