// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What the official plugin gets wrong, and what is right. Each case says what the
// official plugin, in version 0.18.0, makes of its payload.
func TestWhereTheOfficialPluginIsWrong(t *testing.T) {
	patch := audited(`"objectRef":{"resource":"pods","name":"web","subresource":""},` +
		`"requestObject":[{"op":"add","path":"/spec/containers/0/image","value":"x"},{"op":"remove","path":"/metadata"}]`)
	pod := podWith(`{"securityContext":{"runAsUser":1000,"runAsGroup":2000},"containers":[` +
		`{"name":"a","securityContext":{"runAsGroup":7}},{"name":"b","securityContext":{"runAsUser":500}}]}`)
	partial := podWith(`{"containers":[{"name":"a","image":"one:1","args":["x","y"]},{"args":["x",5,"z"]},{"name":"c","image":"three"}]}`)
	tests := []struct {
		name  string
		cases []said
	}{
		{"it takes source addresses from the rules of a role", []said{
			{audited(`"sourceIPs":["10.0.0.1","::1"]`), "ka.sourceips", is("10.0.0.1", "::1")},
			{audited(`"sourceIPs":["10.0.0.1","::1"]`), "ka.sourceips[0]", is("10.0.0.1")},
			{audited(`"sourceIPs":["10.0.0.1","::1"]`), "ka.sourceips[1]", is("::1")},
			{audited(`"sourceIPs":["10.0.0.1","::1"]`), "ka.sourceips[2]", absent},
			{audited(`"requestObject":{"rules":[{"sourceIPs":["6.6.6.6"]}]}`), "ka.sourceips", absent},
		}},
		{"it gives no query parameter at all if one pair of the query is malformed", []said{
			{audited(`"requestURI":"/p/exec?command=sh&x=%zz"`), "ka.uri.param[command]", is("sh")},
			{audited(`"requestURI":"/p/exec?%zz=1&command=sh"`), "ka.uri.param[command]", is("sh")},
			{audited(`"requestURI":"/p/exec?a;b&command=sh"`), "ka.uri.param[command]", is("sh")},
			{audited(`"requestURI":"/p/exec?command=sh&x=%zz"`), "ka.uri.param[x]", absent},
		}},
		{"it gives 0 for every container as effective user and group, and nothing for an index", []said{
			{pod, "ka.req.pod.containers.eff_run_as_user", is("1000", "500")},
			{pod, "ka.req.pod.containers.eff_run_as_user[0]", is("1000")},
			{pod, "ka.req.pod.containers.eff_run_as_user[1]", is("500")},
			{pod, "ka.req.pod.containers.eff_run_as_user[2]", absent},
			{pod, "ka.req.pod.containers.eff_run_as_group", is("7", "2000")},
			{podWith(`{"containers":[{},{"securityContext":{}}]}`), "ka.req.pod.containers.eff_run_as_user", is("0", "0")},
		}},
		{"it cuts the repository of an image at the first colon, be it that of a port", []said{
			{podWith(`{"containers":[{"image":"registry:5000/ns/app:1.2"},{"image":"localhost:5000/x@sha256:ff"}]}`),
				"ka.req.pod.containers.image.repository", is("registry:5000/ns/app", "localhost:5000/x")},
			{podWith(`{"containers":[{"image":"docker.io/lib/y:1@sha256:ff"},{"image":"plain"},{"image":"a/b:c"}]}`),
				"ka.req.pod.containers.image.repository", is("docker.io/lib/y", "plain", "a/b")},
			{podWith(`{"containers":[{"image":"registry:5000/ns/app:1.2"}]}`), "ka.req.container.image.repository", is("registry:5000/ns/app")},
		}},
		{"it gives no image, name or argument of any container if one container has none or an odd one", []said{
			{partial, "ka.req.pod.containers.image", is("one:1", "three")},
			{partial, "ka.req.pod.containers.image[1]", absent},
			{partial, "ka.req.pod.containers.image[2]", is("three")},
			{partial, "ka.req.pod.containers.name", is("a", "c")},
			{partial, "ka.req.pod.containers.image.repository", is("one", "three")},
			{partial, "ka.req.pod.containers.args", is("x y", "x z")},
		}},
		{"it gives the capabilities of a container, and the ports of a service, as one text of JSON", []said{
			{podWith(`{"containers":[{"securityContext":{"capabilities":{"add":["NET_ADMIN","SYS_TIME"]}}},{},{"securityContext":{"capabilities":{"add":["ALL"]}}}]}`),
				"ka.req.pod.containers.add_capabilities", is("NET_ADMIN", "SYS_TIME", "ALL")},
			{podWith(`{"containers":[{"securityContext":{"capabilities":{"add":["NET_ADMIN","SYS_TIME"]}}}]}`),
				"ka.req.pod.containers.add_capabilities[0]", is("NET_ADMIN", "SYS_TIME")},
			{podWith(`{"ports":[{"port": 80},{"port":443,"name":"https"}]}`), "ka.req.service.ports", is(`{"port":80}`, `{"port":443,"name":"https"}`)},
			{podWith(`{"ports":[{"port": 80},{"port":443}]}`), "ka.req.service.ports[1]", is(`{"port":443}`)},
			{podWith(`{"ports":[{"port": 80},{"port":443}]}`), "ka.req.service.ports[2]", absent},
		}},
		{"it takes the ports of containers for ports of the node", []said{
			{podWith(`{"containers":[{"ports":[{"containerPort":80}]}]}`), "ka.req.pod.containers.host_port", absent},
			{podWith(`{"containers":[{"ports":[{"containerPort":80},{"containerPort":81,"hostPort":8081},{"containerPort":82,"hostPort":0}]}]}`),
				"ka.req.pod.containers.host_port", is("8081")},
			{podWith(`{"hostNetwork":true,"containers":[{"ports":[{"containerPort":80},{"containerPort":81,"hostPort":8081},{"containerPort":82,"hostPort":0}]}]}`),
				"ka.req.pod.containers.host_port", is("80", "8081", "82")},
			{podWith(`{"hostNetwork":false,"containers":[{"ports":[{"containerPort":80}]}]}`), "ka.req.pod.containers.host_port", absent},
			{podWith(`{"initContainers":[{},{"ports":[{"hostPort":9}]}]}`), "ka.req.pod.initContainers.host_port[1]", is("9")},
		}},
		{"it takes the operations of a JSON patch for containers", []said{
			{patch, "ka.req.pod.containers.eff_run_as_user", absent},
			{patch, "ka.req.container.privileged", absent},
			{patch, "ka.req.pod.containers.name", absent},
			{patch, "ka.target.pod.name", is("web")},
		}},
		{"it ends the process over the volume types of a JSON patch", []said{
			{patch, "ka.req.pod.volumes.volume_type", absent},
			{patch, "ka.req.volume.hostpath[/]", absent},
		}},
		{"it writes JSON differently after one of its strings was read", []said{
			{audited(`"requestObject":{"subjects":[{"kind":"User","name":"a\u0007b"}]}`), "ka.req.binding.subjects", is(`{"kind":"User","name":"a\u0007b"}`)},
			{audited(`"requestObject":{"subjects":[{"kind":"User","name":"a\u0007b"}]}`), "ka.req.binding.subjects.user_names", is("a\ab")},
			{audited(`"requestObject":{"subjects":[{"kind":"User","name":"a\u0007b"}]}`), "ka.req.binding.subjects", is(`{"kind":"User","name":"a\u0007b"}`)},
		}},
		{"it names the pod only if there is a response, and never for a subresource", []said{
			{audited(`"objectRef":{"resource":"pods","name":"web"}`), "ka.target.pod.name", is("web")},
			{audited(`"objectRef":{"resource":"pods","subresource":"exec","name":"web"}`), "ka.target.pod.name", is("web")},
			{audited(`"objectRef":{"resource":"pods"},"responseObject":{"metadata":{"name":"web-1"}}`), "ka.target.pod.name", is("web-1")},
			{audited(`"objectRef":{"resource":"pods","name":""},"responseObject":{"metadata":{"name":"web-1"}}`), "ka.target.pod.name", is("web-1")},
			{audited(`"objectRef":{"resource":"services","name":"web"},"responseObject":{"metadata":{"name":"web"}}`), "ka.target.pod.name", absent},
		}},
		{"it takes null for a value", []said{
			{audited(`"stage":null`), "ka.stage", absent},
			{audited(`"user":{"groups":["a",null,"b"]}`), "ka.user.groups", is("a", "b")},
			{audited(`"sourceIPs":["a",null,"b"]`), "ka.sourceips[1]", absent},
			{podWith(`{"containers":[null,{"securityContext":{"privileged":null}}],"hostPID":null}`), "ka.req.pod.containers.privileged", absent},
			{podWith(`{"containers":[null,{"securityContext":{"privileged":null}}],"hostPID":null}`), "ka.req.pod.host_pid", absent},
		}},
		{"it gives true, and not N/A as it says, for any subject", []said{
			{audited(`"verb":"get"`), "ka.req.binding.subject.has_name[x]", is("true")},
			{patch, "ka.req.binding.subject.has_name[x]", is("true")},
		}},
		{"it takes the data of any object for that of a configmap", []said{
			{audited(`"objectRef":{"resource":"secrets","name":"s"},"requestObject":{"data":{"key":"c2VjcmV0"}}`), "ka.req.configmap.obj", absent},
			{audited(`"objectRef":{"resource":"secrets","name":"s"},"requestObject":{"data":{"key":"c2VjcmV0"}}`), "ka.req.configmap.name", absent},
			{audited(`"objectRef":{"resource":"configmaps","name":"c"},"requestObject":{"data":{"key": "v"}}`), "ka.req.configmap.obj", is(`{"key":"v"}`)},
			{audited(`"objectRef":{"resource":"configmaps","name":"c"}`), "ka.req.configmap.name", is("c")},
			{audited(`"objectRef":{"resource":"configmaps","name":"c"},"requestObject":[{"data":1}]`), "ka.req.configmap.obj", absent},
		}},
		{"it ends the process over an error inside an array", []said{
			{audited(`"user":{"groups":["a",]}`), "ka.auditid", absent},
			{audited(`"a":[1,2`), "ka.auditid", absent},
			{audited(`"a":[{"b":}]`), "ka.user.groups", absent},
		}},
		{"it ends the process over an empty key for the path of a volume", []said{
			{podWith(`{"volumes":[{"name":"v","hostPath":{"path":"/etc"}}]}`), "ka.req.volume.hostpath[]", is("false")},
		}},
		{"it takes the largest index for none, and ends the process over the one before", []said{
			{audited(`"sourceIPs":["a","b"]`), "ka.sourceips[18446744073709551615]", absent},
			{audited(`"sourceIPs":["a","b"]`), "ka.sourceips[18446744073709551614]", absent},
			{podWith(`{"containers":[{"name":"a"}]}`), "ka.req.pod.containers.name[18446744073709551615]", absent},
			{podWith(`{"containers":[{"name":"a"}]}`), "ka.req.pod.containers.name[18446744073709551614]", absent},
		}},
		{"it fails on payloads that start with white space", []said{
			{" \n" + audited(`"verb":"get"`), "ka.verb", is("get")},
			{"\xEF\xBB\xBF" + audited(`"verb":"get"`), "ka.verb", is("get")},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := New()
			for _, c := range test.cases {
				assert.Equal(t, c.want, ask(t, p, c.payload, c.expr), "%s of %s", c.expr, c.payload)
			}
		})
	}
}

// The official plugin keeps the document of an event by its number alone: another event
// with the same number has the values of the first, number 0 has none, and an event
// that is no JSON takes those of the one before away.
func TestTheOfficialPluginMistakesAnEventForAnotherOfItsNumber(t *testing.T) {
	p := New()
	good := audited(`"verb":"get","requestObject":{"spec":{"hostPID":true}}`)
	for range 2 {
		for payload, verb := range map[string][]string{
			good:                               is("get"),
			strings.Replace(good, "g", "s", 1): is("set"),
			good[1:]:                           absent,
			`{"verb":"get"}`:                   absent,
			``:                                 absent,
		} {
			assert.Equal(t, verb, ask(t, p, payload, "ka.verb"), payload)
			pid := absent
			if verb != nil {
				pid = is("true")
			}
			assert.Equal(t, pid, ask(t, p, payload, "ka.req.pod.host_pid"), payload)
		}
	}
}
