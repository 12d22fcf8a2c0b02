// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aerie-falco/aerie/build/workspace"
)

// Where things are, relative to the root: events as API servers wrote them, the
// rules, and which of the events fire which of the rules.
const (
	samplesPath     = "plugins/k8saudit/testdata/samples"
	rulesPath       = "plugins/k8saudit/rules/k8saudit_rules.yaml"
	declarationPath = "plugins/k8saudit/testdata/rules.yaml"
)

// values are those of an event, one a column; "" where the event has none.
type values [6]string

// sample is one audit event and what must be shown of it.
type sample struct {
	name  string
	body  []byte
	want  values
	fires string // names of rules, sorted, with a comma between two
}

// samples reads the events. What must be shown is read from them by
// Go's own JSON package, so that the plugins are checked against something else than themselves. That the
// declared rules fire is checked by test:rules, on the real framework.
func samples(w workspace.Workspace) ([]sample, error) {
	fires, err := declared(w)
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(w.Path(samplesPath, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("looking for sample events: %w", err)
	}
	var all []sample
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the sample events: %w", err)
		}
		var document map[string]any
		if err := json.Unmarshal(body, &document); err != nil {
			return nil, fmt.Errorf("reading the sample event %s: %w", name, err)
		}
		if document["kind"] != "Event" {
			continue // a sample of something else
		}
		base := strings.TrimSuffix(filepath.Base(name), ".json")
		slices.Sort(fires[base])
		s := sample{name: base, body: body, fires: strings.Join(fires[base], ", ")}
		for i, c := range columns {
			s.want[i] = lookUp(document, c.pointer)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("looking for sample events: there are none in %s", samplesPath)
	}
	return all, nil
}

// declared is the names of the enabled rules that are declared to fire on a sample, by the sample's name.
func declared(w workspace.Workspace) (map[string][]string, error) {
	var rules []struct {
		Rule    string
		Enabled *bool
	}
	if err := readYAML(w.Path(rulesPath), &rules); err != nil {
		return nil, fmt.Errorf("reading the rules: %w", err)
	}
	var on map[string]struct{ Fires []any }
	if err := readYAML(w.Path(declarationPath), &on); err != nil {
		return nil, fmt.Errorf("reading what the rules fire on: %w", err)
	}
	by := map[string][]string{}
	for _, r := range rules {
		if r.Rule == "" || r.Enabled != nil && !*r.Enabled {
			continue
		}
		for _, event := range on[r.Rule].Fires {
			declared, _ := event.(map[string]any) // others are texts of events
			if file, ok := declared["file"].(string); ok {
				name := strings.TrimSuffix(path.Base(file), ".json")
				by[name] = append(by[name], r.Rule)
			}
		}
	}
	if len(by) == 0 {
		return nil, errors.New("no rule is declared to fire on a sample")
	}
	return by, nil
}

func readYAML(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return yaml.Unmarshal(text, into)
}

// lookUp follows a pointer whose steps are plain member names and returns a string or number there as text.
func lookUp(document any, pointer string) string {
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		object, ok := document.(map[string]any)
		if !ok {
			return ""
		}
		document = object[step]
	}
	switch v := document.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// row is one event as shown.
type row struct {
	values
	alerts []alert
}

// alert is a rule that fired, as `plughost run --rules --json` says it.
type alert struct{ Rule, Priority, Output string }

// fires is the names of the rules, as a sample has them.
func (r row) fires() string {
	var names []string
	for _, a := range r.alerts {
		names = append(names, a.Rule)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// missing returns the names of the samples that shown lacks, with the rules that they had to fire.
func missing(all []sample, shown []row) []string {
	type key struct {
		values
		fires string
	}
	left := map[key]int{}
	for _, r := range shown {
		left[key{r.values, r.fires()}]++
	}
	var names []string
	for _, s := range all {
		k := key{s.want, s.fires}
		if left[k] == 0 {
			names = append(names, fmt.Sprintf("%s (%s)", s.name, s.fires))
			continue
		}
		left[k]--
	}
	return names
}
