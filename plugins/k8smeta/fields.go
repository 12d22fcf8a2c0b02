// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"fmt"
	"slices"

	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// fields is the field table. A field's place is its number, which compiled
// filters use; it is that of the official plugin.
var fields = slices.Concat(
	[]extract.Field[*Plugin]{
		{Name: "k8smeta.pod.name", Display: "Pod name", AddOutput: true, Desc: "Name of the pod that the event's thread runs in.", Value: value(func(_ *Plugin, r *resource) string { return r.name })},
		{Name: "k8smeta.pod.uid", Display: "Pod UID", Desc: "UID of the pod as its cgroups have it: for a static pod, the hash of its configuration. Only of pods whose metadata is known.", Value: podUID},
		{Name: "k8smeta.pod.label", Display: "Pod label", Arg: extract.RequiredKey, Desc: "Value of the pod's label with that key, such as k8smeta.pod.label[app.kubernetes.io/name].", Value: labelOf(itself)},
		{Name: "k8smeta.pod.labels", Display: "Pod labels", Desc: "All labels of the pod as key:value, in order of their keys.", Value: labelsOf(itself)},
		{Name: "k8smeta.pod.ip", Display: "Pod IP", Desc: "IP address of the pod. There is none before one is assigned.", Value: value(func(_ *Plugin, r *resource) string { return r.ip })},
		{Name: "k8smeta.ns.name", Display: "Namespace name", AddOutput: true, Desc: "Name of the pod's namespace, from the pod's own metadata.", Value: value(func(_ *Plugin, r *resource) string { return r.namespace })},
		uidField("ns", "Namespace", namespace),
	},
	labelFields("ns", "Namespace", namespace),
	ownerFields("deployment", "Deployment", deployment),
	[]extract.Field[*Plugin]{
		{Name: "k8smeta.svc.name", Display: "Service names", Desc: "Names of the services that select the pod.", Value: services(addName)},
		{Name: "k8smeta.svc.uid", Display: "Service UIDs", Desc: "UIDs of the services that select the pod, those without known metadata too.", Value: serviceUIDs},
		{Name: "k8smeta.svc.label", Display: "Service label", Arg: extract.RequiredKey, Desc: "Values of the label with that key, of each service that selects the pod and has it.", Value: services(addLabel)},
		{Name: "k8smeta.svc.labels", Display: "Service labels", Desc: "Labels of all services that select the pod as key:value, service by service in order of their keys.", Value: services(addAllLabels)},
	},
	ownerFields("rs", "ReplicaSet", replicaSet),
	ownerFields("rc", "ReplicationController", replicationController),
)

// ownerFields are the four fields of a kind that a pod has at most one of.
func ownerFields(short, long string, k kind) []extract.Field[*Plugin] {
	return slices.Concat([]extract.Field[*Plugin]{
		{Name: "k8smeta." + short + ".name", Display: long + " name", Desc: fmt.Sprintf("Name of the pod's %s.", long), Value: value(firstName(k))},
		uidField(short, long, k),
	}, labelFields(short, long, k))
}

func uidField(short, long string, k kind) extract.Field[*Plugin] {
	return extract.Field[*Plugin]{
		Name: "k8smeta." + short + ".uid", Display: long + " UID", Value: value(firstUID(k)),
		Desc: fmt.Sprintf("UID of the pod's %s, also where its metadata is not known.", long),
	}
}

func labelFields(short, long string, k kind) []extract.Field[*Plugin] {
	return []extract.Field[*Plugin]{
		{Name: "k8smeta." + short + ".label", Display: long + " label", Arg: extract.RequiredKey, Desc: fmt.Sprintf("Value of the label with that key, of the pod's %s.", long), Value: labelOf(first(k))},
		{Name: "k8smeta." + short + ".labels", Display: long + " labels", Desc: fmt.Sprintf("All labels of the pod's %s as key:value, in order of their keys.", long), Value: labelsOf(first(k))},
	}
}
