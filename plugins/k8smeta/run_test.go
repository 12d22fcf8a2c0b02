// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	stdjson "encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/plugintest"
)

// dataOf is what an asynchronous event of the plugin's says, without its NUL.
func dataOf(t testing.TB, raw []byte) string {
	t.Helper()
	e := event.New(raw, 1, "syscall")
	id, name, data, ok := e.Async()
	require.True(t, ok)
	assert.Zero(t, id, "the stream of system calls")
	assert.Equal(t, eventName, name)
	require.NotEmpty(t, data)
	assert.Zero(t, data[len(data)-1], "official readers look for it")
	return string(data[:len(data)-1])
}

func TestTheFeedRunsWhileACaptureTakesEvents(t *testing.T) {
	r := start(t)
	for range 2 {
		r.TakeEvents()
		running := <-r.runs
		require.NoError(t, running.Err())
		text := object{UID: uid1, Kind: "Pod"}.text(t)
		require.NoError(t, r.emit([]byte(text)))
		require.Len(t, r.Events(), 1)
		assert.Equal(t, text, dataOf(t, r.Events()[0]))
		require.NoError(t, r.Parse(r.Events()[0]))
		assert.Equal(t, []string{"Pod " + uid1 + " " + text}, r.parsed, "back from where it was sent")
		r.parsed = nil
		r.RefuseEvents()
		<-running.Done()
		assert.Error(t, r.emit([]byte(text)))
	}
	r.TakeEvents()
	running := <-r.runs
	r.Destroy()
	assert.Error(t, running.Err())
}

func TestTheVerbosityIsTheLeastLevelThatIsLogged(t *testing.T) {
	for verbosity, want := range map[string][]string{
		"warning": {"WARN hostProc has no effect any more; leave it out"}, "error": nil,
	} {
		h, err := plugintest.Start(t, Info, Register, New,
			`{"nodeName":"n","collectorHostname":"h","collectorPort":1,"hostProc":"/host","verbosity":"`+verbosity+`"}`)
		require.NoError(t, err)
		require.NoError(t, h.OpenCapture()) // which has a line for debugging
		assert.Equal(t, want, h.Log())
		h.Destroy()
	}
}

func TestNothingRunsOnReplay(t *testing.T) {
	r := start(t)
	r.sayRealMetadata()
	require.NoError(t, r.OpenCapture())
	require.NoError(t, r.CloseCapture())
	r.Destroy()
	assert.Empty(t, r.runs)
}

func TestACaptureFileIsToldAllThatIsKnown(t *testing.T) {
	r := start(t)
	for _, text := range realMetadata(t) {
		require.NoError(t, r.hear(text))
	}
	r.say(object{UID: "rc", Kind: "ReplicationController", Meta: fieldsOf{"name": "rc \"quoted\" \u2028 <&>"}})
	events, err := r.Dump()
	require.NoError(t, err)
	var texts []string
	for _, raw := range events {
		e := event.New(raw, 1, "syscall")
		assert.NotZero(t, e.Timestamp())
		assert.Less(t, e.Timestamp(), uint64(1)<<63, "a real time")
		texts = append(texts, dataOf(t, raw))
	}
	// The state as the official plugin wrote it, the first pod after its last update.
	want := []string{object{UID: "rc", Kind: "ReplicationController", Meta: fieldsOf{"name": "rc \"quoted\" \u2028 <&>"}}.text(t)}
	for _, text := range realMetadata(t)[:11] {
		if strings.Contains(text, `"uid":"`+payments) {
			text = strings.Replace(realMetadata(t)[13], "Update", "Create", 1)
		}
		want = append(want, text)
	}
	assert.ElementsMatch(t, decoded(t, want), decoded(t, texts))

	r.PutThread(1, inPod(payments)...)
	before := r.all(1)
	require.NotEmpty(t, before)
	replayed := start2(t, r)
	for _, raw := range events {
		require.NoError(t, replayed.Parse(raw))
	}
	replayed.PutThread(1, inPod(payments)...)
	assert.Equal(t, before, replayed.all(1))
	assert.ElementsMatch(t, texts, replayed.snapshot())
}

// decoded is what JSON texts say.
func decoded(t testing.TB, texts []string) (all []any) {
	for _, text := range texts {
		var v any
		require.NoError(t, stdjson.Unmarshal([]byte(text), &v))
		all = append(all, v)
	}
	return all
}

// start2 is another state, after the end of one.
func start2(t testing.TB, before *rig) *rig {
	before.Destroy()
	return start(t)
}

func TestAStateCannotBeginWithoutThreads(t *testing.T) {
	_, err := plugintest.Start(t, Info, Register, New, `{"nodeName":"n"}`)
	assert.ErrorContains(t, err, "collectorHostname")
}

func TestOtherPluginsReadTheTables(t *testing.T) {
	r := start(t)
	r.sayRealMetadata()
	for _, c := range []struct{ table, uid, field, want string }{
		{"k8smeta_pods", redis, "name", "redis-0"},
		{"k8smeta_pods", redis, "namespace", "data"},
		{"k8smeta_pods", redis, "status", `{"podIP":"10.244.1.12"}`},
		{"k8smeta_pods", redis, "spec", ""},
		{"k8smeta_pods", redis, "refs", `{"resources":{"Namespace":{"list":["11111111-0000-4000-8000-000000000002"]},"Service":{"list":["44444444-0000-4000-8000-000000000003"]}}}`},
		{"k8smeta_namespaces", "11111111-0000-4000-8000-000000000003", "meta", `{"name":"jobs","uid":"11111111-0000-4000-8000-000000000003"}`},
		{"k8smeta_deployments", "22222222-0000-4000-8000-000000000001", "name", "payments"},
		{"k8smeta_services", "44444444-0000-4000-8000-000000000002", "name", "payments-admin"},
		{"k8smeta_replicasets", "33333333-0000-4000-8000-000000000001", "namespace", "shop"},
	} {
		text, ok := r.TableText(c.table, c.uid, c.field)
		assert.True(t, ok, c.table)
		assert.Equal(t, c.want, text, "%s of %s", c.field, c.table)
	}
	_, ok := r.TableText("k8smeta_replicationcontrollers", redis, "name")
	assert.False(t, ok)
	r.say(object{Reason: "Delete", UID: redis, Kind: "Pod"})
	_, ok = r.TableText("k8smeta_pods", redis, "name")
	assert.False(t, ok)
}
