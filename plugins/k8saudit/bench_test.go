// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fastjson"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// tenFields are what the stock rules look at most.
var tenFields = []string{
	"ka.stage", "ka.verb", "ka.target.resource", "ka.target.namespace", "ka.user.name",
	"ka.user.groups", "ka.response.code", "ka.target.subresource", "ka.target.name", "ka.auth.decision",
}

// podFields are ten fields of the containers and volumes of a pod.
var podFields = []string{
	"ka.req.pod.containers.image", "ka.req.pod.containers.image.repository", "ka.req.pod.containers.privileged", "ka.req.pod.host_network",
	"ka.req.pod.containers.eff_run_as_user", "ka.req.pod.containers.add_capabilities", "ka.req.pod.volumes.hostpath", "ka.req.volume.hostpath[/proc*]",
	"ka.req.pod.containers.host_port", "ka.req.pod.containers.args",
}

// sample is one of the audit events in testdata, and a second one of the same size that
// differs from it: to read them by turns is always news.
func sample(t testing.TB, file string) [2]event.Event {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	first := strings.TrimSpace(string(text))
	at := strings.Index(first, `"auditID":"`) + len(`"auditID":"`)
	second := first[:at] + "X" + first[at+1:]
	return [2]event.Event{eventOf(first), eventOf(second)}
}

func prepare(t testing.TB, exprs ...string) *extract.Questions[*Plugin] {
	t.Helper()
	var questions []extract.Question
	for _, expr := range exprs {
		questions = append(questions, question(t, expr))
	}
	asked, err := extract.Prepare(Extraction.Fields, New(), questions...)
	require.NoError(t, err)
	t.Cleanup(asked.Free)
	return asked
}

// everyField has an expression for each field.
func everyField() []string {
	var exprs []string
	for _, f := range Extraction.Fields {
		if f.Arg == extract.RequiredKey {
			exprs = append(exprs, f.Name+"["+keys[f.Name][0]+"]")
			continue
		}
		exprs = append(exprs, f.Name)
	}
	return exprs
}

func TestExtractionAllocatesNothing(t *testing.T) {
	for _, file := range []string{"samples/attach_cluster_admin_role.json", "everything.json"} {
		events := sample(t, file)
		for _, expr := range everyField() {
			asked := prepare(t, expr)
			i := 0
			ask := func() {
				i++
				_, err := asked.Ask(events[i%2])
				require.NoError(t, err)
			}
			for range 4 { // until all buffers have their size
				ask()
			}
			assert.Zero(t, testing.AllocsPerRun(10, ask), "%s of %s", expr, file)
		}
	}
}

// BenchmarkFields is what fields of an event cost that is new, and of one that was asked
// for other fields before, without the way from the framework into the plugin.
func BenchmarkFields(b *testing.B) {
	for _, bench := range []struct {
		name, file string
		exprs      []string
	}{
		{"None", "samples/attach_cluster_admin_role.json", nil},
		{"One", "samples/attach_cluster_admin_role.json", tenFields[:1]},
		{"Ten", "samples/attach_cluster_admin_role.json", tenFields},
		{"TenOfAPod", "samples/create_nginx_pod_sensitive_mount.json", podFields},
		{"All", "samples/attach_cluster_admin_role.json", everyField()},
	} {
		for _, distinct := range []int{2, 1} {
			b.Run(fmt.Sprintf("%s/%s", bench.name, map[int]string{2: "NewEvent", 1: "SeenEvent"}[distinct]), func(b *testing.B) {
				events := sample(b, bench.file)
				asked := prepare(b, bench.exprs...)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if _, err := asked.Ask(events[i%distinct]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkParse is one parse of the same event by fastjson, which the ten fields above
// may exceed by twenty times the way into the plugin.
func BenchmarkParse(b *testing.B) {
	events := sample(b, "samples/attach_cluster_admin_role.json")
	var payloads [2][]byte
	for i := range events {
		payloads[i], _ = events[i].Payload()
	}
	b.SetBytes(int64(len(payloads[0])))
	b.ReportAllocs()
	var parser fastjson.Parser
	for i := 0; b.Loop(); i++ {
		if _, err := parser.ParseBytes(payloads[i%2]); err != nil {
			b.Fatal(err)
		}
	}
}
