// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

func TestQueryParameters(t *testing.T) {
	tests := []struct {
		name, uri, key string
		want           []string
	}{
		{"one of several", "/a?x=1&command=sh&y=2", "command", is("sh")},
		{"the first one of a name", "/a?command=sh&command=-c", "command", is("sh")},
		{"one without a value", "/a?x=&y", "x", is("")},
		{"one without an equals sign", "/a?x=&y", "y", is("")},
		{"one that is not there", "/a?x=1", "y", absent},
		{"one whose name starts like another's", "/a?command2=x&command=sh", "command", is("sh")},
		{"no query", "/a/command=sh", "command", absent},
		{"an empty query", "/a?", "", absent},
		{"an empty name", "/a?=v", "", is("v")},
		{"no pair is not one with an empty name", "/a?&&x=1", "", absent},
		{"escape sequences in the value", "/a?x=%2Fbin%2fsh", "x", is("/bin/sh")},
		{"escape sequences in the name", "/a?comm%61nd=sh", "command", is("sh")},
		{"a plus sign for a blank", "/a?x=a+b%2B", "x", is("a b+")},
		{"a second question mark", "/a?x=1?y=2", "x", is("1?y=2")},
		{"a second equals sign", "/a?x=1=2", "x", is("1=2")},
		{"an escape sequence cut short", "/a?x=%2&y=1", "x", absent},
		{"an escape sequence cut short at the end", "/a?y=1&x=%", "x", absent},
		{"the next one of a name whose first value is malformed", "/a?x=%zz&x=2", "x", is("2")},
		{"a pair with a semicolon", "/a?x=1;y=2", "x", absent},
		{"a fragment", "/a?x=1#f", "x", is("1")},
		{"a parameter in the fragment", "/a?x=1#y=2", "y", absent},
		{"a parameter behind the fragment, which the server takes for one", "/a?x=1#f&command=sh", "command", is("sh")},
		{"names in other letters", "/a?Command=sh", "command", absent},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, ask(t, New(), audited(`"requestURI":"`+test.uri+`"`), "ka.uri.param["+test.key+"]"))
		})
	}
	assert.Equal(t, is("17"), ask(t, New(), audited(`"requestURI":17`), "ka.uri"))
	assert.Equal(t, absent, ask(t, New(), audited(`"requestURI":{"a?x=1":"?x=1"}`), "ka.uri.param[x]"))
}

func TestRepositoriesOfImages(t *testing.T) {
	for image, want := range map[string]string{
		"nginx": "nginx", "nginx:1.27": "nginx", "library/nginx:1.27": "library/nginx", "docker.io/library/nginx": "docker.io/library/nginx",
		"localhost:5000/x": "localhost:5000/x", "localhost:5000/x:1": "localhost:5000/x", "localhost:5000/x:1@sha256:00": "localhost:5000/x",
		"x@sha256:00": "x", "[::1]:5000/x:1": "[::1]:5000/x", "": "", ":": "", "@": "", "/": "/", "a/:b": "a/", "host:80": "host",
	} {
		assert.Equal(t, want, string(repository([]byte(image))), image)
	}
}

func TestPathsOfTheNode(t *testing.T) {
	pod := podWith(`{"volumes":[{"name":"a","hostPath":{"path":"/var/run/docker.sock"}},{"name":"b","emptyDir":{}},{"name":"c","hostPath":{"path":"/proc"}},{"hostPath":{"path":7}}]}`)
	tests := []struct {
		name, payload, key string
		want               []string
	}{
		{"the very path", pod, "/proc", is("true")},
		{"a path inside it", pod, "/proc/sys", is("false")},
		{"a path that starts like it", pod, "/pro", is("false")},
		{"a start of a path", pod, "/var/run/*", is("true")},
		{"the whole path as a start", pod, "/proc*", is("true")},
		{"a start that is longer than the path", pod, "/proc/*", is("false")},
		{"any path", pod, "*", is("true")},
		{"an asterisk in the middle stands for itself", pod, "/var/*/docker.sock", is("false")},
		{"no path, even if a volume has none", podWith(`{"volumes":[{"hostPath":{"path":""}}]}`), "", is("false")},
		{"any path of a pod without paths", podWith(`{"volumes":[{"name":"b","emptyDir":{}}]}`), "*", is("false")},
		{"no volumes", podWith(`{"volumes":[]}`), "*", is("false")},
		{"a pod that does not speak of volumes", podWith(`{"containers":[]}`), "*", absent},
		{"volumes that are none", podWith(`{"volumes":{"hostPath":{"path":"/proc"}}}`), "*", absent},
		{"no request object", audited(`"verb":"get"`), "*", absent},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, ask(t, New(), test.payload, "ka.req.volume.hostpath["+test.key+"]"))
		})
	}
}

func TestValuesOfPods(t *testing.T) {
	tests := []struct {
		name string
		said
	}{
		{"an index counts containers, not values", said{podWith(`{"containers":[{},{"args":["a"]}]}`), "ka.req.pod.containers.args[1]", is("a")}},
		{"a container without the value has none", said{podWith(`{"containers":[{},{"args":["a"]}]}`), "ka.req.pod.containers.args[0]", absent}},
		{"no words are an empty text", said{podWith(`{"containers":[{"args":[]},{}]}`), "ka.req.pod.containers.args", is("")}},
		{"an empty word is a word", said{podWith(`{"containers":[{"command":["","a",""]}]}`), "ka.req.pod.containers.command", is(" a ")}},
		{"words that are no list are none", said{podWith(`{"containers":[{"command":"sh"}]}`), "ka.req.pod.containers.command", absent}},
		{"no containers have no values", said{podWith(`{"containers":[]}`), "ka.req.pod.containers.name", absent}},
		{"no containers have no effective user", said{podWith(`{"containers":[]}`), "ka.req.pod.containers.eff_run_as_user", absent}},
		{"no container is privileged", said{podWith(`{"containers":[]}`), "ka.req.container.privileged", is("false")}},
		{"what is no list has no containers", said{podWith(`{"containers":{"securityContext":{"privileged":true}}}`), "ka.req.container.privileged", absent}},
		{"one of several containers is privileged", said{podWith(`{"containers":[{},{"securityContext":{"privileged":true}},{}]}`), "ka.req.container.privileged", is("true")}},
		{"a word in a string is no truth", said{podWith(`{"containers":[{"securityContext":{"privileged":"true"}}]}`), "ka.req.container.privileged", is("false")}},
		{"a privileged init container is none of the containers", said{podWith(`{"containers":[{}],"initContainers":[{"securityContext":{"privileged":true}}]}`), "ka.req.container.privileged", is("false")}},
		{"init containers are not containers", said{podWith(`{"initContainers":[{"name":"a"}],"ephemeralContainers":[{"name":"b"}]}`), "ka.req.pod.containers.name", absent}},
		{"containers are not init containers", said{podWith(`{"containers":[{"name":"a"}],"ephemeralContainers":[{"name":"b"}]}`), "ka.req.pod.initContainers.name", absent}},
		{"ephemeral containers are themselves", said{podWith(`{"containers":[{"name":"a"}],"ephemeralContainers":[{"name":"b"}]}`), "ka.req.pod.ephemeralContainers.name", is("b")}},
		{"init containers take the user of the pod", said{podWith(`{"securityContext":{"runAsUser":5},"initContainers":[{}]}`), "ka.req.pod.initContainers.eff_run_as_user", is("5")}},
		{"the first container has no image", said{podWith(`{"containers":[{},{"image":"b"}]}`), "ka.req.container.image", absent}},
		{"what is no container is skipped", said{podWith(`{"containers":["x",{"name":"a"},[{"name":"b"}]]}`), "ka.req.pod.containers.name", is("a")}},
		{"what is no container is not counted in", said{podWith(`{"containers":["x",{"name":"a"}]}`), "ka.req.pod.containers.eff_run_as_user", is("0")}},
		{"a port that is no number is none", said{podWith(`{"containers":[{"ports":[{"hostPort":"80"},{"hostPort":-1},{"hostPort":null},5]}]}`), "ka.req.pod.containers.host_port", is("-1")}},
		{"the pod of a deployment is not looked into", said{podWith(`{"template":{"spec":{"containers":[{"name":"a"}],"hostPID":true}}}`), "ka.req.pod.containers.name", absent}},
		{"a list of supplemental groups", said{podWith(`{"securityContext":{"supplementalGroups":[1,2]}}`), "ka.req.pod.supplemental_groups", is("1", "2")}},
		{"types of a volume", said{podWith(`{"volumes":[{"name":"a","b":{},"c":null,"\u0064":1},{"name":"e"},7,{"hostPath":{}}]}`), "ka.req.pod.volumes.volume_type", is("b", "d", "hostPath")}},
		{"an index counts volumes", said{podWith(`{"volumes":[{"name":"a","emptyDir":{}},{"hostPath":{"path":"/p"}}]}`), "ka.req.pod.volumes.hostpath[1]", is("/p")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, ask(t, New(), test.payload, test.expr))
		})
	}
}

func TestValuesOfRolesAndBindings(t *testing.T) {
	binding := audited(`"requestObject":{"subjects":[{"kind":"ServiceAccount","namespace":"","name":"a"},{"kind":"ServiceAccount","namespace":null,"name":"b"},` +
		`{"kind":"User","name":null},{"kind":"Group","name":7},{"kind":["User"],"name":"c"},{"name":"d"},"User"]}`)
	role := audited(`"requestObject":{"rules":[{"verbs":["get",5,null,"list"]},{"verbs":"all"},{"verbs":["*"],"apiGroups":[""]},null]}`)
	tests := []struct {
		name string
		said
	}{
		{"a namespace may be empty, but not missing", said{binding, "ka.req.binding.subjects.serviceaccount_ns_names", is(":a")}},
		{"the names of service accounts need no namespace", said{binding, "ka.req.binding.subjects.serviceaccount_names", is("a", "b")}},
		{"subjects without a name or kind are skipped", said{binding, "ka.req.binding.subjects.user_names", absent}},
		{"a name of another type is its text", said{binding, "ka.req.binding.subjects.group_names", is("7")}},
		{"no subjects", said{audited(`"requestObject":{"subjects":[]}`), "ka.req.binding.subjects", absent}},
		{"subjects that are no list", said{audited(`"requestObject":{"subjects":{"kind":"User","name":"a"}}`), "ka.req.binding.subjects.user_names", absent}},
		{"the verbs of all rules", said{role, "ka.req.role.rules.verbs", is("get", "list", "*")}},
		{"the verbs of one rule", said{role, "ka.req.role.rules.verbs[0]", is("get", "list")}},
		{"verbs that are no list", said{role, "ka.req.role.rules.verbs[1]", absent}},
		{"a rule that is null", said{role, "ka.req.role.rules.verbs[3]", absent}},
		{"the core group has no name", said{role, "ka.req.role.rules.apiGroups", is("")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, ask(t, New(), test.payload, test.expr))
		})
	}
}

func TestTokensOfListsStandWhereTheFieldsSay(t *testing.T) {
	const payload = ` {"auditID": "id", "user":{"groups":["a\u0041" , "b"]}, "responseStatus":{"code": 404},` +
		`"requestObject":{"spec":{"securityContext":{"runAsUser":5},"containers":[{"image":"r/i:1","args":["x"]},{"securityContext":{"runAsUser":6}}]}}}`
	for expr, want := range map[string][]string{
		"ka.user.groups":                            {`"a\u0041"`, `"b"`},
		"ka.response.code":                          {`404`},
		"ka.auditid":                                {`"id"`},
		"ka.req.pod.containers.image":               {`"r/i:1"`},
		"ka.req.pod.containers.eff_run_as_user":     {`5`, `6`},
		"ka.req.pod.containers.eff_run_as_group":    {``, ``},
		"ka.req.pod.containers.image.repository":    {``},
		"ka.req.pod.containers.args":                {``},
		"ka.req.binding.subject.has_name[x]":        {``},
		"ka.req.pod.run_as_user":                    {`5`},
		"ka.req.pod.containers.run_as_user":         {`6`},
		"ka.req.pod.initContainers.eff_run_as_user": nil,
	} {
		var tokens []string
		for _, at := range probe(t, New(), payload, expr).Offsets {
			tokens = append(tokens, payload[at[0]:at[0]+at[1]])
		}
		assert.Equal(t, want, tokens, expr)
	}
}

func TestEventsOfOtherTypesHaveNoValues(t *testing.T) {
	p := New()
	good := eventOf(audited(`"verb":"get"`))
	raw := event.Encode(1, 1, []byte(audited(`"verb":"get"`)))
	raw[20], raw[21] = 3, 0 // the event type
	for _, e := range []event.Event{good, event.New(raw, 1, "syscall"), good} {
		for _, field := range []string{"ka.verb", "ka.req.pod.host_pid", "ka.req.binding.subject.has_name"} {
			got, err := extract.Probe(Extraction.Fields, p, e, extract.Question{Field: field, Key: "x", Given: true})
			assert.NoError(t, err)
			want := 1
			if e.Type() != good.Type() || field == "ka.req.pod.host_pid" {
				want = 0
			}
			assert.Len(t, got.Values, want, field)
		}
	}
}

func TestNothingIsLeftAfterDestroy(t *testing.T) {
	p := New()
	ask(t, p, audited(`"verb":"get","requestObject":{"spec":{}}`), "ka.req.pod.host_pid")
	p.Destroy()
	assert.Zero(t, p.doc)
	assert.Zero(t, p.found)
	assert.Equal(t, is("get"), ask(t, p, audited(`"verb":"get"`), "ka.verb"))
}
