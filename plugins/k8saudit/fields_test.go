// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// official are the fields of the official plugin in the order of their numbers, which
// compiled filters and viewers use: name, L for lists, K for required keys and I for
// optional indexes.
const official = `
ka.auditid
ka.stage
ka.auth.decision
ka.auth.reason
ka.auth.openshift.decision
ka.validations.admission.policy.failure
ka.security.pod.violations
ka.auth.openshift.username
ka.user.name
ka.user.groups L
ka.impuser.name
ka.verb
ka.uri
ka.uri.param K
ka.target.name
ka.target.namespace
ka.target.resource
ka.target.subresource
ka.target.pod.name
ka.req.binding.subjects L
ka.req.binding.subjects.user_names L
ka.req.binding.subjects.serviceaccount_names L
ka.req.binding.subjects.serviceaccount_ns_names L
ka.req.binding.subjects.group_names L
ka.req.binding.role
ka.req.binding.subject.has_name K
ka.req.configmap.name
ka.req.configmap.obj
ka.req.pod.containers.args LI
ka.req.pod.containers.command LI
ka.req.pod.containers.name LI
ka.req.pod.containers.image LI
ka.req.container.image
ka.req.pod.containers.image.repository LI
ka.req.container.image.repository
ka.req.pod.host_ipc
ka.req.pod.host_network
ka.req.container.host_network
ka.req.pod.host_pid
ka.req.pod.containers.host_port LI
ka.req.pod.containers.privileged LI
ka.req.container.privileged
ka.req.pod.containers.allow_privilege_escalation LI
ka.req.pod.containers.read_only_fs LI
ka.req.pod.run_as_user
ka.req.pod.containers.run_as_user LI
ka.req.pod.containers.eff_run_as_user LI
ka.req.pod.run_as_group
ka.req.pod.containers.run_as_group LI
ka.req.pod.containers.eff_run_as_group LI
ka.req.pod.containers.proc_mount LI
ka.req.role.rules L
ka.req.role.rules.apiGroups LI
ka.req.role.rules.nonResourceURLs LI
ka.req.role.rules.verbs LI
ka.req.role.rules.resources LI
ka.req.pod.fs_group
ka.req.pod.supplemental_groups L
ka.req.pod.containers.add_capabilities LI
ka.req.service.type
ka.req.service.ports LI
ka.req.pod.volumes.hostpath LI
ka.req.volume.hostpath K
ka.req.pod.volumes.flexvolume_driver LI
ka.req.pod.volumes.volume_type LI
ka.resp.name
ka.response.code
ka.response.reason
ka.useragent
ka.sourceips LI
ka.cluster.name
ka.req.pod.initContainers.name LI
ka.req.pod.initContainers.image LI
ka.req.pod.initContainers.image.repository LI
ka.req.pod.initContainers.command LI
ka.req.pod.initContainers.args LI
ka.req.pod.initContainers.privileged LI
ka.req.pod.initContainers.allow_privilege_escalation LI
ka.req.pod.initContainers.read_only_fs LI
ka.req.pod.initContainers.run_as_user LI
ka.req.pod.initContainers.eff_run_as_user LI
ka.req.pod.initContainers.run_as_group LI
ka.req.pod.initContainers.eff_run_as_group LI
ka.req.pod.initContainers.proc_mount LI
ka.req.pod.initContainers.add_capabilities LI
ka.req.pod.initContainers.host_port LI
ka.req.pod.ephemeralContainers.name LI
ka.req.pod.ephemeralContainers.image LI
ka.req.pod.ephemeralContainers.image.repository LI
ka.req.pod.ephemeralContainers.command LI
ka.req.pod.ephemeralContainers.args LI
ka.req.pod.ephemeralContainers.privileged LI
ka.req.pod.ephemeralContainers.allow_privilege_escalation LI
ka.req.pod.ephemeralContainers.read_only_fs LI
ka.req.pod.ephemeralContainers.run_as_user LI
ka.req.pod.ephemeralContainers.eff_run_as_user LI
ka.req.pod.ephemeralContainers.run_as_group LI
ka.req.pod.ephemeralContainers.eff_run_as_group LI
ka.req.pod.ephemeralContainers.proc_mount LI
ka.req.pod.ephemeralContainers.add_capabilities LI
`

func TestFieldsAreThoseOfTheOfficialPluginInItsOrder(t *testing.T) {
	want := strings.Split(strings.TrimSpace(official), "\n")
	require.Len(t, want, 100)
	require.Len(t, Extraction.Fields, len(want))
	for id, field := range Extraction.Fields {
		traits := ""
		if isList(field) {
			traits = "L"
		}
		traits += map[extract.Arg]string{extract.NoArg: "", extract.RequiredKey: "K", extract.Index: "I"}[field.Arg]
		assert.Equal(t, want[id], strings.TrimSpace(field.Name+" "+traits), "field number %d", id)
	}
}

func isList(f field) bool { return reflect.ValueOf(f.Value).FieldByName("list").Bool() }

func TestFieldsAreDescribed(t *testing.T) {
	displays := map[string]string{}
	for _, field := range Extraction.Fields {
		assert.Regexp(t, `^[A-Z].*\.$`, field.Desc, field.Name)
		assert.NotContains(t, field.Desc, "  ", field.Name)
		assert.Empty(t, displays[field.Display], "%s is displayed like another field: %s", field.Name, field.Display)
		displays[field.Display] = field.Name
		assert.False(t, field.AddOutput, field.Name)
	}
}

func TestEventsOfOtherSourcesAreNotRead(t *testing.T) {
	assert.Empty(t, Extraction.Sources, "no source means that of the plugin, as it has one")
	assert.Empty(t, Extraction.EventTypes, "no type means plugin events")
	assert.EqualValues(t, 1, Info.ID)
	assert.Equal(t, "k8s_audit", Info.EventSource)
	assert.Equal(t, "k8saudit", Info.Name)
}
