// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"slices"

	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// Extraction is what the plugin extracts, from plugin events of its own source.
var Extraction = extract.Options[*Plugin]{Fields: fields}

type field = extract.Field[*Plugin]

// fields has the fields of the official plugin in its order: the position of a field is
// its number. Rows refer to the object in the request and to its spec by where their
// values start.
var fields = slices.Concat(aboutRequest, aboutBinding, aboutConfigMap, aboutPod, aboutRole, aboutPodGroups, aboutService, aboutVolumes, aboutResponse,
	fieldsOf(initContainers, initAspects), fieldsOf(ephemeralContainers, ephemeralAspects))

var (
	inEvent   part = (*Plugin).event
	inRequest part = (*Plugin).request
	inSpec    part = (*Plugin).spec
)

var aboutRequest = []field{
	{Name: "ka.auditid", Display: "Audit ID", Value: text(inEvent, "auditID"),
		Desc: "Unique ID of the request. The events of its stages share it."},
	{Name: "ka.stage", Display: "Stage", Value: text(inEvent, "stage"),
		Desc: "Stage of the request that the event is about: RequestReceived, ResponseStarted, ResponseComplete or Panic."},
	{Name: "ka.auth.decision", Display: "Authorization Decision", Value: text(inEvent, "annotations", "authorization.k8s.io/decision"),
		Desc: "Whether the request was authorized: allow or forbid."},
	{Name: "ka.auth.reason", Display: "Authorization Reason", Value: text(inEvent, "annotations", "authorization.k8s.io/reason"),
		Desc: "Why the authorizer decided so, for example the role binding that allowed the request."},
	{Name: "ka.auth.openshift.decision", Display: "OpenShift Authentication Decision", Value: text(inEvent, "annotations", "authentication.openshift.io/decision"),
		Desc: "Whether OpenShift authenticated the user: allow, deny or error."},
	{Name: "ka.validations.admission.policy.failure", Display: "Admission Policy Failures", Value: text(inEvent, "annotations", "validation.policy.admission.k8s.io/validation_failure"),
		Desc: "Failures of validating admission policies, as JSON: which policy and binding, and what they said."},
	{Name: "ka.security.pod.violations", Display: "Pod Security Violations", Value: text(inEvent, "annotations", "pod-security.kubernetes.io/audit-violations"),
		Desc: "How the object violates the pod security standard that its namespace is audited for."},
	{Name: "ka.auth.openshift.username", Display: "OpenShift User Name", Value: text(inEvent, "annotations", "authentication.openshift.io/username"),
		Desc: "Name of the user whom OpenShift authenticated, or failed to."},
	{Name: "ka.user.name", Display: "User", Value: text(inEvent, "user", "username"),
		Desc: "Name of the user who made the request."},
	{Name: "ka.user.groups", Display: "User Groups", Value: texts(inEvent, "user", "groups"),
		Desc: "Groups that the user who made the request belongs to."},
	{Name: "ka.impuser.name", Display: "Impersonated User", Value: text(inEvent, "impersonatedUser", "username"),
		Desc: "Name of the user as whom the request was made. Absent if the user did not impersonate another."},
	{Name: "ka.verb", Display: "Verb", Value: text(inEvent, "verb"),
		Desc: "What the request asks for, such as get, list, watch, create, update, patch or delete."},
	{Name: "ka.uri", Display: "Request URI", Value: text(inEvent, "requestURI"),
		Desc: "Path and query of the request, as the client sent them to the server."},
	{Name: "ka.uri.param", Display: "Query Parameter", Arg: extract.RequiredKey, Value: extract.String((*Plugin).uriParam),
		Desc: "Decoded value of a parameter in the query of the request, such as ka.uri.param[command]; the first one of several. Pairs that the API server ignores are ignored."},
	{Name: "ka.target.name", Display: "Target", Value: text(inEvent, "objectRef", "name"),
		Desc: "Name of the object that the request is about."},
	{Name: "ka.target.namespace", Display: "Target Namespace", Value: text(inEvent, "objectRef", "namespace"),
		Desc: "Namespace of the object that the request is about."},
	{Name: "ka.target.resource", Display: "Target Resource", Value: text(inEvent, "objectRef", "resource"),
		Desc: "Resource that the request is about, in the plural, such as pods."},
	{Name: "ka.target.subresource", Display: "Target Subresource", Value: text(inEvent, "objectRef", "subresource"),
		Desc: "Subresource that the request is about, such as exec, log or status."},
	{Name: "ka.target.pod.name", Display: "Target Pod", Value: extract.String((*Plugin).podName).WithOffsets(),
		Desc: "Name of the pod that the request is about, whatever the subresource. If a pod is created whose name the server makes up, it is taken from the response."},
}

var aboutBinding = []field{
	{Name: "ka.req.binding.subjects", Display: "Binding Subjects", Value: texts(inRequest, "subjects"),
		Desc: "Subjects of the role binding in the request, each as JSON."},
	{Name: "ka.req.binding.subjects.user_names", Display: "Binding Users", Value: subjectNames("User"),
		Desc: "Names of the users among the subjects of the role binding in the request."},
	{Name: "ka.req.binding.subjects.serviceaccount_names", Display: "Binding Service Accounts", Value: subjectNames("ServiceAccount"),
		Desc: "Names of the service accounts among the subjects of the role binding in the request."},
	{Name: "ka.req.binding.subjects.serviceaccount_ns_names", Display: "Binding Service Accounts with Namespaces", Value: extract.Strings((*Plugin).serviceAccounts),
		Desc: "Service accounts among the subjects of the role binding in the request, as namespace:name. Those without a namespace are left out."},
	{Name: "ka.req.binding.subjects.group_names", Display: "Binding Groups", Value: subjectNames("Group"),
		Desc: "Names of the groups among the subjects of the role binding in the request."},
	{Name: "ka.req.binding.role", Display: "Binding Role", Value: text(inRequest, "roleRef", "name"),
		Desc: "Name of the role that the role binding in the request gives."},
	{Name: "ka.req.binding.subject.has_name", Display: "Binding Has Subject", Arg: extract.RequiredKey, Value: extract.String((*Plugin).hasName),
		Desc: "The word true in every audit event, whatever the argument: existing rules rely on that. Ask ka.req.binding.subjects.user_names and its like for names."},
}

var aboutConfigMap = []field{
	{Name: "ka.req.configmap.name", Display: "Configmap", Value: extract.String((*Plugin).configMapName).WithOffsets(),
		Desc: "Name of the configmap that the request is about. Absent for other resources."},
	{Name: "ka.req.configmap.obj", Display: "Configmap Data", Value: extract.String((*Plugin).configMapData).WithOffsets(),
		Desc: "Data of the configmap in the request, as JSON. Absent for other resources."},
}

var aboutPod = []field{
	containerArgs.of(appContainers),
	containerCommands.of(appContainers),
	containerNames.of(appContainers),
	containerImages.of(appContainers),
	{Name: "ka.req.container.image", Display: "First Container Image", Value: ofFirst(containerImages),
		Desc: "Image of the first container of the pod in the request. ka.req.pod.containers.image has those of all."},
	containerRepositories.of(appContainers),
	{Name: "ka.req.container.image.repository", Display: "First Container Image Repository", Value: ofFirst(containerRepositories),
		Desc: "Image, without tag and digest, of the first container of the pod in the request."},
	{Name: "ka.req.pod.host_ipc", Display: "Host IPC", Value: text(inSpec, "hostIPC"),
		Desc: "Whether the pod in the request shares the IPC namespace of its node: true or false, absent if it does not say."},
	{Name: "ka.req.pod.host_network", Display: "Host Network", Value: text(inSpec, "hostNetwork"),
		Desc: "Whether the pod in the request shares the network namespace of its node: true or false, absent if it does not say."},
	{Name: "ka.req.container.host_network", Display: "Container Host Network", Value: text(inSpec, "hostNetwork"),
		Desc: "The same as ka.req.pod.host_network. Kept for existing rules."},
	{Name: "ka.req.pod.host_pid", Display: "Host PID", Value: text(inSpec, "hostPID"),
		Desc: "Whether the pod in the request shares the process namespace of its node: true or false, absent if it does not say."},
	containerHostPorts.of(appContainers),
	containerPrivileged.of(appContainers),
	{Name: "ka.req.container.privileged", Display: "Any Container Privileged", Value: extract.String((*Plugin).anyPrivileged),
		Desc: "Whether any container of the pod in the request is privileged: true or false, absent if the request has no containers. Init containers and ephemeral containers do not count."},
	containerEscalation.of(appContainers),
	containerReadOnlyFS.of(appContainers),
	{Name: "ka.req.pod.run_as_user", Display: "Pod User ID", Value: text(inSpec, "securityContext", "runAsUser"),
		Desc: "User ID that the pod in the request sets for its containers."},
	containerUsers.of(appContainers),
	containerEffectiveUsers.of(appContainers),
	{Name: "ka.req.pod.run_as_group", Display: "Pod Group ID", Value: text(inSpec, "securityContext", "runAsGroup"),
		Desc: "Group ID that the pod in the request sets for its containers."},
	containerGroups.of(appContainers),
	containerEffectiveGroups.of(appContainers),
	containerProcMounts.of(appContainers),
}

var aboutRole = []field{
	{Name: "ka.req.role.rules", Display: "Role Rules", Value: texts(inRequest, "rules"),
		Desc: "Rules of the role in the request, each as JSON."},
	{Name: "ka.req.role.rules.apiGroups", Display: "Role API Groups", Arg: extract.Index, Value: ruleStrings("apiGroups"),
		Desc: "API groups in the rules of the role in the request; the core group is an empty text. With an index, those of that rule only."},
	{Name: "ka.req.role.rules.nonResourceURLs", Display: "Role Non-resource URLs", Arg: extract.Index, Value: ruleStrings("nonResourceURLs"),
		Desc: "Paths other than resources in the rules of the role in the request. With an index, those of that rule only."},
	{Name: "ka.req.role.rules.verbs", Display: "Role Verbs", Arg: extract.Index, Value: ruleStrings("verbs"),
		Desc: "Verbs that the rules of the role in the request allow. With an index, those of that rule only."},
	{Name: "ka.req.role.rules.resources", Display: "Role Resources", Arg: extract.Index, Value: ruleStrings("resources"),
		Desc: "Resources in the rules of the role in the request. With an index, those of that rule only."},
}

var aboutPodGroups = []field{
	{Name: "ka.req.pod.fs_group", Display: "Pod Filesystem Group", Value: text(inSpec, "securityContext", "fsGroup"),
		Desc: "Group ID that owns the volumes of the pod in the request."},
	{Name: "ka.req.pod.supplemental_groups", Display: "Pod Supplemental Groups", Value: texts(inSpec, "securityContext", "supplementalGroups"),
		Desc: "Group IDs that the first process of each container of the pod in the request has besides its own."},
	containerCapabilities.of(appContainers),
}

var aboutService = []field{
	{Name: "ka.req.service.type", Display: "Service Type", Value: text(inSpec, "type"),
		Desc: "Type of the service in the request, such as ClusterIP, NodePort or LoadBalancer."},
	{Name: "ka.req.service.ports", Display: "Service Ports", Arg: extract.Index, Value: texts(inSpec, "ports"),
		Desc: "Ports of the service in the request, each as JSON. With an index, that one only."},
}

var aboutVolumes = []field{
	{Name: "ka.req.pod.volumes.hostpath", Display: "Host Paths", Arg: extract.Index, Value: items(inSpec, []string{"volumes"}, "hostPath", "path"),
		Desc: "Paths of the node that are volumes of the pod in the request. With an index, that of this volume only."},
	{Name: "ka.req.volume.hostpath", Display: "Mounts Host Path", Arg: extract.RequiredKey, Value: extract.String((*Plugin).mountsHostPath),
		Desc: "Whether the pod in the request has the path of its node in the argument as a volume: true or false, absent if it has no volumes. An argument that ends in * stands for all paths that start like it."},
	{Name: "ka.req.pod.volumes.flexvolume_driver", Display: "FlexVolume Drivers", Arg: extract.Index, Value: items(inSpec, []string{"volumes"}, "flexVolume", "driver"),
		Desc: "Drivers of the FlexVolumes of the pod in the request. With an index, that of this volume only."},
	{Name: "ka.req.pod.volumes.volume_type", Display: "Volume Types", Arg: extract.Index, Value: extract.Strings((*Plugin).volumeTypes),
		Desc: "Types of the volumes of the pod in the request, such as hostPath or emptyDir. With an index, that of this volume only."},
}

var aboutResponse = []field{
	{Name: "ka.resp.name", Display: "Response Name", Value: text(inEvent, "responseObject", "metadata", "name"),
		Desc: "Name of the object in the response."},
	{Name: "ka.response.code", Display: "Response Code", Value: text(inEvent, "responseStatus", "code"),
		Desc: "HTTP status of the response, such as 201."},
	{Name: "ka.response.reason", Display: "Response Reason", Value: text(inEvent, "responseStatus", "reason"),
		Desc: "Why the request failed in a word, such as Forbidden or NotFound."},
	{Name: "ka.useragent", Display: "User Agent", Value: text(inEvent, "userAgent"),
		Desc: "What the client calls itself. Clients choose it freely."},
	{Name: "ka.sourceips", Display: "Source Addresses", Arg: extract.Index, Value: texts(inEvent, "sourceIPs"),
		Desc: "Addresses that the request came from and through: first that of the client, as it or its proxies state it, then those of proxies. With an index, that one only."},
	{Name: "ka.cluster.name", Display: "Cluster", Value: text(inEvent, "annotations", "cluster_name"),
		Desc: "Name of the cluster that the event comes from, if whoever passes events on has added the annotation cluster_name."},
}
