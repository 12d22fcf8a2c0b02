// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
	"github.com/aerie-falco/aerie/shared/plugin/plugintest"
)

// snapshot is all that is known.
func (r *rig) snapshot() (texts []string) {
	for k := range kinds {
		for _, known := range r.p.tables.rows(k) {
			texts = append(texts, string(metadata.AppendJSON(nil, known.event(k, known.uid))))
		}
	}
	return texts
}

func TestBrokenEventsFailAndChangeNothing(t *testing.T) {
	r := start(t)
	r.sayRealMetadata()
	before := r.snapshot()
	for says, text := range map[string]string{
		`has no text "reason"`:              `{"uid":"` + payments + `","kind":"Pod"}`,
		`has no text "uid"`:                 `{"reason":"Delete","kind":"Pod"}`,
		`has no text "kind"`:                `{"reason":"Delete","uid":"` + payments + `"}`,
		`has no text "reason"; `:            `{"reason":1,"uid":"` + payments + `","kind":"Pod"}`,
		`has no text "uid"; `:               `{"reason":"Delete","uid":"","kind":"Pod"}`,
		`unknown reason "Drop"`:             `{"reason":"Drop","uid":"` + payments + `","kind":"Pod"}`,
		`unknown reason "delete"`:           `{"reason":"delete","uid":"` + payments + `","kind":"Pod"}`,
		`parse JSON`:                        `{"reason":"Delete","uid":"` + payments + `","kind":"Pod"`,
		`parse JSON: byte 58`:               `{"reason":"Delete","uid":"` + payments[:30] + `"}x`,
		`parse JSON: the text ends`:         ``,
		`it is not UTF-8`:                   `{"reason":"Delete","uid":"` + payments + `","kind":"Pod` + "\xb0" + `"}`,
		`it is not a JSON object`:           `["reason","uid","kind"]`,
		`meta: parse JSON`:                  `{"reason":"Update","uid":"` + payments + `","kind":"Pod","meta":"{\"name\":"}`,
		`meta: want a text that holds`:      `{"reason":"Update","uid":"` + payments + `","kind":"Pod","meta":{"name":"x"}}`,
		`meta: want a text that holds a `:   `{"reason":"Update","uid":"` + payments + `","kind":"Pod","meta":"[]"}`,
		`spec: parse JSON`:                  `{"reason":"Update","uid":"` + payments + `","kind":"Pod","meta":"{}","spec":"x"}`,
		`status: parse JSON`:                `{"reason":"Update","uid":"` + payments + `","kind":"Pod","meta":"{}","status":""}`,
		`refs: want an object`:              `{"reason":"Update","uid":"` + payments + `","kind":"Pod","meta":"{}","refs":[]}`,
		`at most 300 arrays and objects`:    `{"reason":"Update","uid":"` + payments + `","kind":"Pod","refs":` + strings.Repeat("[", 100_000),
		`Pod "` + payments + `": meta: par`: `{"reason":"Update","uid":"` + payments + `","kind":"Pod","meta":"` + strings.Repeat("[", 100_000) + `"}`,
		`bytes of text; at most`:            `{"reason":"Delete","uid":"` + payments + `","kind":"Pod","more":"` + strings.Repeat("x", maxMessage) + `"}`,
	} {
		assert.ErrorContains(t, r.hear(text), says, "%.100s", text)
		assert.ErrorContains(t, r.hear(text), `read event "k8s": `, "%.100s", text)
	}
	assert.Equal(t, before, r.snapshot())
	assert.EqualValues(t, 11, r.Metrics().Counter("events_parsed").Value())
	assert.NotEmpty(t, r.Log())
	assert.Less(t, len(r.Log()), 5, "at a limited rate")
}

func TestEventsThatMeanNothingToThePlugin(t *testing.T) {
	r := start(t)
	for _, text := range []string{
		`{"reason":"Create","uid":"u","kind":"DaemonSet","meta":"{}"}`,
		`{"reason":"Create","uid":"u","kind":"Job","meta":"no JSON"}`,
		`{"reason":"Delete","uid":"u","kind":"pod"}`,
		`{"reason":"Delete","uid":"u","kind":"Pod"}`,
	} {
		assert.NoError(t, r.hear(text), text)
	}
	assert.NoError(t, r.Parse(plugintest.Async(1, "other", []byte("anything"))))
	assert.Empty(t, r.snapshot())
}

func TestTheTextEndsAtTheFirstNULOrWithTheEvent(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(uid1)...)
	for i, end := range []string{"", "\x00", "\x00\x00garbage", "\x00{"} {
		name := fmt.Sprint("pod-", i)
		text := object{Reason: "Update", UID: uid1, Kind: "Pod", Meta: fieldsOf{"name": name}}.text(t)
		require.NoError(t, r.Parse(plugintest.Async(1, eventName, []byte(text+end))))
		assert.Equal(t, []string{name}, r.values(1, "k8smeta.pod.name"))
		assert.Equal(t, []string{"Pod " + uid1 + " " + text}, r.parsed, "what the feed is told")
		r.parsed = nil
	}
}

func TestWhatIsOddIsLeftOut(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(uid1)...)
	require.NoError(t, r.hear(`{"more":[{}],"kind":"Pod","reason":"Create","uid":"`+uid1+`","meta":"{\"name\":7,\"namespace\":\"n\"}","spec":null,"status":"{\"podIP\":{}}","refs":{"resources":{"Service":{"list":["a",1,null,"b"]},"Namespace":{},"Deployment":null,"ReplicaSet":{"list":"x"}}}}`))
	assert.Equal(t, map[string][]string{"pod.uid": {uid1}, "ns.name": {"n"}, "svc.uid": {"a", "b"}}, r.all(1))
	require.NoError(t, r.hear(`{"reason":"Update","uid":"`+uid1+`","kind":"Pod","refs":{"resources":{"Service":{"list":["first"]},"Service":{"list":["second"]}}}}`))
	for range 2 {
		assert.Equal(t, []string{"first"}, r.values(1, "k8smeta.svc.uid"))
		require.NoError(t, r.hear(r.snapshot()[0]))
	}
	require.NoError(t, r.hear(`{"reason":"Update","uid":"`+uid1+`","kind":"Pod","meta":"null","refs":null}`))
	assert.Equal(t, map[string][]string{"pod.uid": {uid1}}, r.all(1))
	require.NoError(t, r.hear(`{"reason":"Update","uid":"`+uid1+`","kind":"Pod","refs":{}}`))
	assert.Equal(t, map[string][]string{"pod.uid": {uid1}}, r.all(1))
}

func TestUpdatesReplaceAndDeletesRemove(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(uid1)...)
	r.say(object{UID: uid1, Kind: "Pod", Meta: fieldsOf{"name": "p", "labels": fieldsOf{"app": "x"}}, Status: fieldsOf{"podIP": "10.0.0.1"}})
	r.say(object{UID: uid1, Kind: "Pod", Reason: "Update", Meta: fieldsOf{"name": "q"}})
	assert.Equal(t, map[string][]string{"pod.uid": {uid1}, "pod.name": {"q"}}, r.all(1), "not merged")
	r.say(object{UID: uid1, Kind: "Namespace", Reason: "Delete"})
	assert.NotEmpty(t, r.all(1), "another kind's UIDs are others")
	for range 2 {
		r.say(object{UID: uid1, Kind: "Pod", Reason: "Delete"})
		assert.Empty(t, r.all(1))
	}
	r.say(object{UID: uid1, Kind: "Pod", Reason: "Update", Meta: fieldsOf{"name": "r"}})
	assert.Equal(t, []string{"r"}, r.values(1, "k8smeta.pod.name"), "an update of a pod not known")
}

func TestTheMemoryForResourcesIsBounded(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(uid1)...)
	r.say(object{UID: uid1, Kind: "Pod", Meta: fieldsOf{"name": "p"}})
	big := &resource{name: "big", size: maxStored / 4}
	for i := range 3 {
		require.NoError(t, r.p.tables.put(service, fmt.Sprint(i), big))
	}
	assert.EqualError(t, r.p.tables.put(service, "3", big), `Service "3": it is left out, as the resources known take 192 MiB already; is this more than one node's?`)
	assert.NoError(t, r.p.tables.put(service, "2", big), "in place of what is there")
	assert.NoError(t, r.p.tables.put(service, "2", &resource{size: 1}))
	assert.NoError(t, r.p.tables.put(service, "3", big))
	for i := range 4 {
		r.say(object{UID: fmt.Sprint(i), Kind: "Service", Reason: "Delete"})
	}
	assert.Equal(t, []string{"p"}, r.values(1, "k8smeta.pod.name"))
	r.say(object{UID: uid1, Kind: "Pod", Reason: "Delete"})
	assert.Zero(t, r.p.tables.stored)
	assert.Zero(t, r.Metrics().Gauge("stored_bytes").Value())
}

func TestAHugeLabelSetIsReadOnce(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(uid1)...)
	labels := fieldsOf{}
	for i := range 20_000 {
		labels[fmt.Sprintf("key-%05d", i)] = fmt.Sprint(i)
	}
	r.say(object{UID: uid1, Kind: "Pod", Meta: fieldsOf{"labels": labels}})
	assert.Len(t, r.values(1, "k8smeta.pod.labels"), 20_000)
	assert.Equal(t, []string{"12345"}, r.values(1, "k8smeta.pod.label[key-12345]"))
}

func FuzzWhateverIsSaidFailsOrIsKept(f *testing.F) {
	for _, text := range realMetadata(f) {
		f.Add(text)
	}
	f.Add(`{"reason":"Create","uid":"u","kind":"Pod","meta":"{\"labels\":{\"a\":1,\"a\":{}}}","refs":{"resources":{"Pod":{"list":["",""]}}}}`)
	r := start(f)
	r.PutThread(1, inPod("11111111-1111-1111-1111-111111111111")...)
	f.Fuzz(func(t *testing.T, text string) {
		r.t = t
		text, _, _ = strings.Cut(text, "\x00")
		if r.hear(text) != nil {
			return
		}
		before := r.snapshot()
		for _, kept := range before { // what is told to a file says the same
			require.NoError(t, r.hear(kept))
		}
		require.Equal(t, before, r.snapshot())
		r.all(1)
		for k := range kinds {
			for _, known := range r.p.tables.rows(k) {
				r.p.tables.delete(k, known.uid)
			}
		}
		require.Zero(t, r.p.tables.stored)
		require.Empty(t, r.p.tables.static)
	})
}
