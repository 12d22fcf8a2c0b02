// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"fmt"
	"io"

	"github.com/aerie-falco/aerie/build/workspace"
)

// columns are what the demo shows of an event: a heading, where it stands in
// the event, as a JSON Pointer, and the field of the k8saudit plugin that has it.
var columns = []struct{ heading, pointer, field string }{
	{"VERB", "/verb", "ka.verb"},
	{"RESOURCE", "/objectRef/resource", "ka.target.resource"},
	{"NAMESPACE", "/objectRef/namespace", "ka.target.namespace"},
	{"NAME", "/objectRef/name", "ka.target.name"},
	{"USER", "/user/username", "ka.user.name"},
	{"CODE", "/responseStatus/code", "ka.response.code"},
}

// scene is one way for the samples to go.
type scene struct {
	plugins []string // the source first
	open    string   // open parameters, for any free port
	path    string   // of requests
	rules   string   // rules file, "" for none
	fields  []string // one a column
	batch   int      // events in a request; 1 for each as it is, else in lists
	clients int      // requests at a time
	rows    int      // how many to print
	text    string   // what is to be seen
}

func scenes(w workspace.Workspace) []scene {
	audit := scene{
		plugins: []string{"k8saudit"}, open: "http://127.0.0.1:0/k8s-audit", path: "/k8s-audit",
		rules: w.Path(rulesPath), batch: 8, clients: 1, rows: 1 << 10,
		text: `
Kubernetes audit events, and the rules that they fire

  %d sample events
    │  HTTP: lists of %d, as an API server posts them
    ▼
  libk8saudit.so    the event source and its fields; answers 200 once the framework has taken the events
    │  events, one by one
    ▼
  plughost          plays the framework, in Falco's place; tries the rules of k8saudit_rules.yaml

`,
	}
	posts := scene{
		plugins: []string{"collector", "json"}, open: `{"addr": "127.0.0.1:0"}`, path: "/",
		batch: 1, clients: 4, rows: 4,
		text: `
The same through two plugins for JSON of any kind

  %d sample events
    │  HTTP: one a request, four at a time
    ▼
  libcollector.so   the event source
    │  events
    ▼
  libjson.so        fields by JSON Pointer: json.value[/verb], json.value[/objectRef/resource], …

`,
	}
	for _, c := range columns {
		audit.fields = append(audit.fields, c.field)
		posts.fields = append(posts.fields, "json.value["+c.pointer+"]")
	}
	return []scene{audit, posts}
}

func (s scene) introduce(out io.Writer, all []sample) {
	if s.batch == 1 {
		fmt.Fprintf(out, s.text, len(all))
		return
	}
	fmt.Fprintf(out, s.text, len(all), s.batch)
}

// body is that of one request, with a name for errors.
type body struct {
	name string
	text []byte
}

// bodies puts the samples into requests.
func (s scene) bodies(all []sample) []body {
	var out []body
	for from := 0; from < len(all); from += s.batch {
		part := all[from:min(from+s.batch, len(all))]
		if s.batch == 1 {
			out = append(out, body{part[0].name, part[0].body})
			continue
		}
		var items [][]byte
		for _, one := range part {
			items = append(items, bytes.TrimSpace(one.body))
		}
		list := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + string(bytes.Join(items, []byte(","))) + "]}\n"
		out = append(out, body{fmt.Sprintf("%s to %s", part[0].name, part[len(part)-1].name), []byte(list)})
	}
	return out
}

// expected is what has to be shown of the samples.
func (s scene) expected(all []sample) []sample {
	if s.rules != "" {
		return all
	}
	var without []sample
	for _, one := range all {
		one.fires = ""
		without = append(without, one)
	}
	return without
}
