// SPDX-License-Identifier: Apache-2.0

package standin_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/standin"
)

func cluster(t *testing.T) *standin.Cluster {
	t.Helper()
	text, err := os.ReadFile("../../testdata/cluster.yaml")
	require.NoError(t, err)
	c := standin.NewCluster()
	require.NoError(t, c.Apply(text))
	return c
}

func TestManifestsThatAreNoObjectsChangeNothing(t *testing.T) {
	c := cluster(t)
	api, err := standin.NewAPI("127.0.0.1:0", c, standin.APIOptions{})
	require.NoError(t, err)
	t.Cleanup(api.Close)
	before := get(t, api.URL()+"/api/v1/namespaces")
	for text, want := range map[string]string{
		"{kind: Pod}":                                     "document 2: an object has at least kind and metadata",
		"{kind: Pod, metadata: {namespace: x}}":           "document 2: Pod: metadata.name is missing",
		"{kind: Pod, metadata: {name: x, labels: 7}}":     `document 2: Pod "x": json: cannot unmarshal number`,
		"{kind: Pod, metadata: {name: x}, deleted: true}": `document 2: there is no Pod "x" in namespace "default" to delete`,
		"{kind: Pod": "read objects: yaml",
	} {
		err := c.Apply([]byte("{kind: Namespace, metadata: {name: fresh}}\n---\n" + text))
		require.Error(t, err, text)
		assert.Contains(t, err.Error(), want)
	}
	assert.Equal(t, before, get(t, api.URL()+"/api/v1/namespaces"))
}

// get returns the names of a list, and its version.
func get(t *testing.T, url string) (out []string) {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	var list struct {
		Metadata struct{ ResourceVersion, Continue string }
		Items    []struct{ Metadata struct{ Name string } }
		Message  string
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&list))
	out = append(out, list.Metadata.ResourceVersion, list.Metadata.Continue)
	for _, i := range list.Items {
		out = append(out, i.Metadata.Name)
	}
	if list.Message != "" {
		out = append(out, answer.Status, list.Message)
	}
	return out
}

func TestLists(t *testing.T) {
	api, err := standin.NewAPI("127.0.0.1:0", cluster(t), standin.APIOptions{})
	require.NoError(t, err)
	t.Cleanup(api.Close)
	for path, want := range map[string][]string{
		"/api/v1/pods": {"111", "", "redis-0", "batch-28931-abcde", "payments-7d9c5b6f4-x2x7k"},
		"/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&limit=2": {"111", "2", "redis-0", "batch-28931-abcde"},
		"/api/v1/pods?limit=2&continue=2":                           {"111", "", "payments-7d9c5b6f4-x2x7k"},
		"/api/v1/pods?fieldSelector=spec.nodeName=node-2":           {"111", ""},
		"/api/v1/namespaces?fieldSelector=metadata.name%3Dshop":     {"111", "", "shop"},
		"/api/v1/namespaces/shop/services":                          {"111", "", "payments", "payments-admin"},
		"/apis/apps/v1/namespaces/shop/deployments":                 {"111", "", "payments"},
		"/apis/apps/v1/namespaces/shop/services":                    {"", "", "404 Not Found", "the stand-in does not serve /apis/apps/v1/namespaces/shop/services"},
		"/api/v1/secrets":                                           {"", "", "404 Not Found", "the stand-in does not serve /api/v1/secrets"},
		"/api/v1/pods?fieldSelector=status.phase=x":                 {"", "", "404 Not Found", `field label not supported: "status.phase=x"`},
	} {
		assert.Equal(t, want, get(t, api.URL()+path), path)
	}
}

func TestAWatchTellsEveryChangeInOrder(t *testing.T) {
	c := cluster(t)
	api, err := standin.NewAPI("127.0.0.1:0", c, standin.APIOptions{})
	require.NoError(t, err)
	t.Cleanup(api.Close)
	answer, err := http.Get(api.URL() + "/api/v1/pods?watch=1&resourceVersion=111&fieldSelector=spec.nodeName%3Dnode-1&allowWatchBookmarks=true")
	require.NoError(t, err)
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	next := func() string {
		require.True(t, lines.Scan())
		var e struct {
			Type   string
			Object struct {
				Metadata struct{ Name, ResourceVersion string }
				Code     int
			}
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		return strings.TrimSpace(e.Type + " " + e.Object.Metadata.Name + " " + e.Object.Metadata.ResourceVersion)
	}
	for _, step := range []struct {
		text string
		want []string
	}{
		{"{kind: Pod, metadata: {name: a}, spec: {nodeName: node-1}}", []string{"ADDED a 112", "BOOKMARK  112"}},
		{"{kind: Pod, metadata: {name: b}, spec: {nodeName: node-2}}", []string{"BOOKMARK  113"}},
		{"{kind: Pod, metadata: {name: b}, spec: {nodeName: node-1}}", []string{"ADDED b 114", "BOOKMARK  114"}},
		{"{kind: Pod, metadata: {name: a, labels: {x: y}}, spec: {nodeName: node-1}}\n---\n{kind: Pod, metadata: {name: b}, spec: {nodeName: node-3}}",
			[]string{"MODIFIED a 115", "DELETED b 116", "BOOKMARK  116"}},
		{"{kind: Pod, metadata: {name: a}, deleted: true}", []string{"DELETED a 117", "BOOKMARK  117"}},
	} {
		require.NoError(t, c.Apply([]byte(step.text)))
		for _, want := range step.want {
			assert.Equal(t, want, next(), step.text)
		}
	}
	watches, _ := api.Watches()
	assert.Equal(t, []string{"pods"}, watches)
	assert.Equal(t, 1, api.EndWatches())
	_, err = io.ReadAll(answer.Body)
	require.NoError(t, err, "an orderly end")

	c.Forget()
	late, err := http.Get(api.URL() + "/api/v1/pods?watch=1&resourceVersion=112")
	require.NoError(t, err)
	defer late.Body.Close()
	text, err := io.ReadAll(late.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"type":"ERROR"`)
	assert.Contains(t, string(text), `"code":410`)
}

func TestUIDsThatAreLeftOutStayTheSame(t *testing.T) {
	uid := func(c *standin.Cluster) string {
		api, err := standin.NewAPI("127.0.0.1:0", c, standin.APIOptions{})
		require.NoError(t, err)
		defer api.Close()
		answer, err := http.Get(api.URL() + "/api/v1/pods")
		require.NoError(t, err)
		defer answer.Body.Close()
		var list struct {
			Items []struct{ Metadata struct{ UID string } }
		}
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&list))
		return list.Items[0].Metadata.UID
	}
	one, other := standin.NewCluster(), standin.NewCluster()
	for _, c := range []*standin.Cluster{one, other} {
		require.NoError(t, c.Apply([]byte("{kind: Pod, metadata: {name: a}}")))
	}
	assert.Regexp(t, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", uid(one))
	assert.Equal(t, uid(one), uid(other))
	require.NoError(t, one.Apply([]byte("{kind: Pod, metadata: {name: a, uid: given}}")))
	require.NoError(t, one.Apply([]byte("{kind: Pod, metadata: {name: a, labels: {x: y}}}")))
	assert.Equal(t, "given", uid(one))
}
