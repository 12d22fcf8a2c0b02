// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// The position of a field is its number, which compiled filters use.
func TestFieldsAreThoseOfTheOfficialPluginInItsOrder(t *testing.T) {
	want := strings.Fields(`pod.name pod.uid pod.label pod.labels pod.ip ns.name ns.uid ns.label ns.labels
		deployment.name deployment.uid deployment.label deployment.labels svc.name svc.uid svc.label svc.labels
		rs.name rs.uid rs.label rs.labels rc.name rc.uid rc.label rc.labels`)
	require.Len(t, fields, 25)
	for id, field := range fields {
		name := strings.TrimPrefix(field.Name, "k8smeta.")
		assert.Equal(t, want[id], name)
		arg := extract.NoArg
		if strings.HasSuffix(name, ".label") {
			arg = extract.RequiredKey
		}
		assert.Equal(t, arg, field.Arg, name)
		assert.Equal(t, name == "pod.name" || name == "ns.name", field.AddOutput, name)
		assert.NotEmpty(t, field.Desc, name)
		assert.NotEmpty(t, field.Display, name)
	}
}

// values of all fields of an event of a thread; labels with the key app.
func (r *rig) all(tid int64) map[string][]string {
	r.t.Helper()
	all := map[string][]string{}
	for _, f := range fields {
		name := strings.TrimPrefix(f.Name, "k8smeta.")
		if f.Arg != extract.NoArg {
			f.Name += "[app]"
			name += "[app]"
		}
		if values := r.values(tid, f.Name); len(values) > 0 {
			all[name] = values
		}
	}
	return all
}

func TestTheRealPods(t *testing.T) {
	r := start(t)
	r.sayRealMetadata()
	for i, uid := range []string{payments, redis, batch} {
		r.PutThread(int64(1+i), inPod(uid)...)
	}
	r.PutThread(4, onHost...)
	require.NoError(t, r.OpenCapture())

	assert.Equal(t, map[string][]string{
		"pod.name": {"payments-7d9c5b6f4-x2x7k"}, "pod.uid": {payments}, "pod.label[app]": {"payments"}, "pod.ip": {"10.244.1.11"},
		"pod.labels": {"app:payments", "app.kubernetes.io/component:api", "pod-template-hash:7d9c5b6f4", "rev:1"},
		"ns.name":    {"shop"}, "ns.uid": {"11111111-0000-4000-8000-000000000001"}, "ns.labels": {"kubernetes.io/metadata.name:shop", "team:checkout"},
		"deployment.name": {"payments"}, "deployment.uid": {"22222222-0000-4000-8000-000000000001"}, "deployment.label[app]": {"payments"}, "deployment.labels": {"app:payments"},
		"rs.name": {"payments-7d9c5b6f4"}, "rs.uid": {"33333333-0000-4000-8000-000000000001"}, "rs.label[app]": {"payments"}, "rs.labels": {"app:payments"},
		"svc.name": {"payments", "payments-admin"}, "svc.uid": {"44444444-0000-4000-8000-000000000001", "44444444-0000-4000-8000-000000000002"}, "svc.labels": {"tier:front", "tier:admin"},
	}, r.all(1))
	assert.Equal(t, map[string][]string{
		"pod.name": {"redis-0"}, "pod.uid": {redis}, "pod.label[app]": {"redis"}, "pod.ip": {"10.244.1.12"},
		"pod.labels": {"app:redis", "statefulset.kubernetes.io/pod-name:redis-0"},
		"ns.name":    {"data"}, "ns.uid": {"11111111-0000-4000-8000-000000000002"}, "ns.labels": {"team:storage"},
		"svc.name": {"redis"}, "svc.uid": {"44444444-0000-4000-8000-000000000003"},
	}, r.all(2))
	assert.Equal(t, map[string][]string{
		"pod.name": {"batch-28931-abcde"}, "pod.uid": {batch}, "pod.ip": {"10.244.1.13"}, "pod.labels": {"job-name:batch-28931"},
		"ns.name": {"jobs"}, "ns.uid": {"11111111-0000-4000-8000-000000000003"},
	}, r.all(3))
	assert.Equal(t, []string{"checkout"}, r.values(1, "k8smeta.ns.label[team]"))
	assert.Equal(t, []string{"front", "admin"}, r.values(1, "k8smeta.svc.label[tier]"))
	assert.Empty(t, r.all(4), "a thread of the host")
	assert.Empty(t, r.all(5), "a thread that nobody knows")

	for i, text := range realMetadata(t)[11:] {
		require.NoError(t, r.hear(text))
		assert.Equal(t, []string{string(rune('2' + i))}, r.values(1, "k8smeta.pod.label[rev]"))
	}
	for k, want := range map[string]int64{"pods": 3, "namespaces": 3, "services": 3, "deployments": 1, "replicasets": 1, "replicationcontrollers": 0, "unknown_pods": 0} {
		assert.Equal(t, want, r.Metrics().Gauge(k).Value(), k)
	}
	assert.EqualValues(t, 14, r.Metrics().Counter("events_parsed").Value())
}

func TestReplicationControllers(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(uid1)...)
	r.say(object{UID: uid1, Kind: "Pod", Meta: fieldsOf{"name": "p"}, Refs: map[string][]string{"ReplicationController": {"rc-1"}, "DaemonSet": {"ds-1"}}})
	assert.Equal(t, map[string][]string{"pod.name": {"p"}, "pod.uid": {uid1}, "rc.uid": {"rc-1"}}, r.all(1), "the UID needs the pod only")
	r.say(object{UID: "rc-1", Kind: "ReplicationController", Meta: fieldsOf{"name": "c", "labels": fieldsOf{"app": "x"}}})
	assert.Equal(t, map[string][]string{
		"pod.name": {"p"}, "pod.uid": {uid1}, "rc.uid": {"rc-1"}, "rc.name": {"c"}, "rc.label[app]": {"x"}, "rc.labels": {"app:x"},
	}, r.all(1))
	r.say(object{Reason: "Delete", UID: "rc-1", Kind: "ReplicationController"})
	assert.Equal(t, []string{"rc-1"}, r.values(1, "k8smeta.rc.uid"))
	assert.Empty(t, r.values(1, "k8smeta.rc.name"), "gone with the resource")
}

func TestLabels(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(uid1)...)
	require.NoError(t, r.hear(`{"reason":"Create","uid":"`+uid1+`","kind":"Pod","meta":"{\"labels\":{\"z\":\"3\",\"a.b/c\":\"slash\",\"a\":\"1\",\"a-\":\"2\",\"num\":1.50,\"obj\":{\"x\": [1, null]},\"null\":null,\"empty\":\"\",\"a\":\"again\",\"q\\u0022\":\"q\\u0022\"}}"}`))
	assert.Equal(t, []string{"a:1", "a-:2", "a.b/c:slash", "empty:", "null:null", "num:1.50", `obj:{"x":[1,null]}`, `q":q"`, "z:3"}, r.values(1, "k8smeta.pod.labels"), "in order of their keys")
	for key, want := range map[string]string{"a": "1", "a-": "2", "a.b/c": "slash", "num": "1.50", "obj": `{"x":[1,null]}`, "z": "3", "empty": "", "null": "null"} {
		assert.Equal(t, []string{want}, r.values(1, "k8smeta.pod.label["+key+"]"), key)
	}
	for _, key := range []string{"", "b", "A", "a.b", "zz"} {
		assert.Empty(t, r.values(1, "k8smeta.pod.label["+key+"]"), key)
	}
	for _, meta := range []any{fieldsOf{}, fieldsOf{"labels": fieldsOf{}}, fieldsOf{"labels": nil}, fieldsOf{"labels": "odd"}, nil} {
		r.say(object{Reason: "Update", UID: uid1, Kind: "Pod", Meta: meta})
		assert.Empty(t, r.values(1, "k8smeta.pod.labels"))
		assert.Equal(t, []string{uid1}, r.values(1, "k8smeta.pod.uid"))
	}
}

func TestOneOddServiceHidesNoOther(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(uid1)...)
	r.say(object{UID: uid1, Kind: "Pod", Refs: map[string][]string{"Service": {"s1", "none", "s2", "s3"}}})
	assert.Equal(t, []string{"s1", "none", "s2", "s3"}, r.values(1, "k8smeta.svc.uid"))
	assert.Empty(t, r.values(1, "k8smeta.svc.name"))
	r.say(object{UID: "s3", Kind: "Service", Meta: fieldsOf{"name": "third", "labels": fieldsOf{"tier": "b", "x": "1"}}})
	r.say(object{UID: "s1", Kind: "Service", Meta: fieldsOf{"name": "first", "labels": fieldsOf{"tier": "a", "x": "1"}}})
	r.say(object{UID: "s2", Kind: "Service", Meta: fieldsOf{"name": 5, "labels": fieldsOf{"y": "2"}}})
	assert.Equal(t, []string{"first", "third"}, r.values(1, "k8smeta.svc.name"), "in the order of the pod")
	assert.Equal(t, []string{"a", "b"}, r.values(1, "k8smeta.svc.label[tier]"))
	assert.Equal(t, []string{"tier:a", "x:1", "y:2", "tier:b", "x:1"}, r.values(1, "k8smeta.svc.labels"), "repeated labels stay")
}

func TestStaticPods(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(hash)...)
	require.NoError(t, r.OpenCapture())
	assert.Equal(t, hash, r.ThreadText(1, podUIDField))
	assert.Empty(t, r.all(1))
	mirror := object{UID: uid1, Kind: "Pod", Meta: fieldsOf{"name": "etcd-node-1", "namespace": "kube-system", "annotations": fieldsOf{"kubernetes.io/config.hash": hash}}}
	r.say(mirror)
	want := map[string][]string{"pod.name": {"etcd-node-1"}, "pod.uid": {hash}, "ns.name": {"kube-system"}}
	assert.Equal(t, want, r.all(1))

	next := mirror
	next.UID = "aaaaaaaa-2277-460b-a4bf-5a0783f6d49f"
	r.say(next)
	r.say(object{Reason: "Delete", UID: uid1, Kind: "Pod"})
	assert.Equal(t, want, r.all(1), "the next mirror pod came before the last one went")
	next.Reason, next.Meta = "Update", fieldsOf{"name": "other"}
	r.say(next)
	assert.Empty(t, r.all(1), "the annotation is gone")
	r.say(object{Reason: "Delete", UID: next.UID, Kind: "Pod"})
	assert.Empty(t, r.p.tables.static)
}

func TestOfManyMirrorsOfAStaticPodTheNewestCount(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(hash)...)
	of := func(i int) object {
		return object{UID: fmt.Sprint("mirror-", i), Kind: "Pod", Meta: fieldsOf{"name": fmt.Sprint("etcd-", i), "annotations": fieldsOf{"kubernetes.io/config.hash": hash}}}
	}
	for i := range 100 {
		r.say(of(i))
		assert.Equal(t, []string{fmt.Sprint("etcd-", i)}, r.values(1, "k8smeta.pod.name"))
		assert.LessOrEqual(t, len(r.p.tables.static[hash]), mostMirrors)
	}
	for _, i := range []int{98, 99, 3} {
		o := of(i)
		o.Reason = "Delete"
		r.say(o)
	}
	assert.Equal(t, []string{"etcd-97"}, r.values(1, "k8smeta.pod.name"))
	for i := range 100 {
		o := of(i)
		o.Reason = "Delete"
		r.say(o)
	}
	assert.Empty(t, r.p.tables.static)
}

// Collectors may know of an owner later than of the pod.
func TestOwnersThatComeLater(t *testing.T) {
	r := start(t)
	r.PutThread(1, inPod(payments)...)
	all := realMetadata(t)
	slices.Reverse(all[:11]) // pods first, namespaces last
	for _, text := range all[:11] {
		require.NoError(t, r.hear(text))
	}
	assert.Equal(t, []string{"payments"}, r.values(1, "k8smeta.deployment.name"))
	assert.Equal(t, []string{"team:checkout"}, r.values(1, "k8smeta.ns.labels")[1:])
}
