// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// eventOf is an event of the plugin with this payload.
func eventOf(payload string) event.Event {
	return event.New(event.Encode(1, 1_700_000_000_000_000_000, []byte(payload)), 1, "k8s_audit")
}

// question takes an expression like ka.uri.param[command] apart.
func question(t testing.TB, expr string) extract.Question {
	t.Helper()
	name, argument, given := strings.Cut(expr, "[")
	q := extract.Question{Field: name, Given: given}
	if !given {
		return q
	}
	q.Key = strings.TrimSuffix(argument, "]")
	for _, field := range Extraction.Fields {
		if field.Name == name && field.Arg == extract.Index {
			index, err := strconv.ParseUint(q.Key, 10, 64)
			require.NoError(t, err)
			q.Index = index
		}
	}
	return q
}

// probe gives what an expression says of a payload, and where its values stand. That no
// payload makes a field fail is asserted in passing by all tests.
func probe(t testing.TB, p *Plugin, payload, expr string) extract.Probed {
	t.Helper()
	got, err := extract.Probe(Extraction.Fields, p, eventOf(payload), question(t, expr))
	require.NoError(t, err, expr)
	return got
}

// ask gives the texts that an expression says of a payload; nil, if it has no value.
func ask(t testing.TB, p *Plugin, payload, expr string) []string {
	t.Helper()
	var texts []string
	for _, v := range probe(t, p, payload, expr).Values {
		texts = append(texts, v.(string))
	}
	return texts
}

// said is what a field is wanted to say of an event.
type said struct {
	payload string
	expr    string
	want    []string
}

var absent []string

func is(texts ...string) []string { return texts }

// audited makes an audit event of some members.
func audited(members string) string { return `{"auditID":"id",` + members + `}` }

// podWith makes an audit event for the creation of a pod with this spec.
func podWith(spec string) string {
	return audited(`"objectRef":{"resource":"pods"},"requestObject":{"spec":` + spec + `}`)
}
