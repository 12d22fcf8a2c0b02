// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"bytes"

	"github.com/aerie-falco/aerie/shared/jsonfields"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
)

// containers are the three lists of containers that a pod has. Fields of one never see
// the containers of another.
type containers struct {
	key   string // in the spec of a pod
	words string // for texts
	title string
}

var (
	appContainers       = containers{"containers", "containers", "Container"}
	initContainers      = containers{"initContainers", "init containers", "Init Container"}
	ephemeralContainers = containers{"ephemeralContainers", "ephemeral containers", "Ephemeral Container"}
)

// aspect is what a field says of each container in a list.
type aspect struct {
	suffix, title, desc string
	set                 setter
	pod                 []string // path to what the setter has to know of the spec of the pod
}

// setter adds what there is to say of one container.
type setter func(out *extract.StringOut, pod, container jsonfields.Value)

// The aspects, in the order of the fields for init containers and ephemeral containers.
var (
	containerNames           = aspect{"name", "Names", "Names of the", setMember("name"), nil}
	containerImages          = aspect{"image", "Images", "Images of the", setMember("image"), nil}
	containerRepositories    = aspect{"image.repository", "Image Repositories", "Images, without tag and digest, of the", setRepository, nil}
	containerCommands        = aspect{"command", "Commands", "Entry points, each with its words joined by blanks, of the", setWords("command"), nil}
	containerArgs            = aspect{"args", "Arguments", "Arguments of the entry points, joined by blanks, of the", setWords("args"), nil}
	containerPrivileged      = aspect{"privileged", "Privileged", "Values of securityContext.privileged, true or false, in the", setSecurity("privileged"), nil}
	containerEscalation      = aspect{"allow_privilege_escalation", "Privilege Escalation", "Values of securityContext.allowPrivilegeEscalation, true or false, in the", setSecurity("allowPrivilegeEscalation"), nil}
	containerReadOnlyFS      = aspect{"read_only_fs", "Read-only Root", "Values of securityContext.readOnlyRootFilesystem, true or false, in the", setSecurity("readOnlyRootFilesystem"), nil}
	containerUsers           = aspect{"run_as_user", "User IDs", "User IDs that are set in the", setSecurity("runAsUser"), nil}
	containerEffectiveUsers  = aspect{"eff_run_as_user", "Effective User IDs", "User IDs, one for each container: its own, else that of the pod, else 0, of the", setEffective("runAsUser"), []string{"securityContext", "runAsUser"}}
	containerGroups          = aspect{"run_as_group", "Group IDs", "Group IDs that are set in the", setSecurity("runAsGroup"), nil}
	containerEffectiveGroups = aspect{"eff_run_as_group", "Effective Group IDs", "Group IDs, one for each container: its own, else that of the pod, else 0, of the", setEffective("runAsGroup"), []string{"securityContext", "runAsGroup"}}
	containerProcMounts      = aspect{"proc_mount", "Proc Mounts", "Values of securityContext.procMount in the", setSecurity("procMount"), nil}
	containerCapabilities    = aspect{"add_capabilities", "Added Capabilities", "Capabilities, one value each, that are added in the", setCapabilities, nil}
	containerHostPorts       = aspect{"host_port", "Host Ports", "Ports of the node, one value each, that are taken by the", setHostPorts, []string{"hostNetwork"}}
)

var (
	ephemeralAspects = []aspect{
		containerNames, containerImages, containerRepositories, containerCommands, containerArgs, containerPrivileged, containerEscalation, containerReadOnlyFS,
		containerUsers, containerEffectiveUsers, containerGroups, containerEffectiveGroups, containerProcMounts, containerCapabilities,
	}
	// Ephemeral containers have no ports.
	initAspects = append(ephemeralAspects[:len(ephemeralAspects):len(ephemeralAspects)], containerHostPorts)
)

// of is the field for an aspect of the containers in a list.
func (a aspect) of(l containers) extract.Field[*Plugin] {
	return extract.Field[*Plugin]{
		Name:    "ka.req.pod." + l.key + "." + a.suffix,
		Display: l.title + " " + a.title,
		Desc:    a.desc + " " + l.words + " of the pod in the request. With an index, of that one only.",
		Arg:     extract.Index,
		Value: list(func(p *Plugin, c *extract.Call, out *extract.StringOut) {
			spec := p.spec(c)
			pod := under(spec, a.pod) // once, however many containers there are
			each(c, spec.Get(l.key), func(container jsonfields.Value) {
				if container.Kind() == jsonfields.KindObject {
					a.set(out, pod, container)
				}
			})
		}),
	}
}

// fieldsOf are the fields for several aspects of the containers in a list.
func fieldsOf(l containers, aspects []aspect) []extract.Field[*Plugin] {
	var fields []extract.Field[*Plugin]
	for _, a := range aspects {
		fields = append(fields, a.of(l))
	}
	return fields
}

func setMember(key string) setter {
	return func(out *extract.StringOut, _, container jsonfields.Value) { setString(out, container.Get(key)) }
}

func setSecurity(key string) setter {
	return func(out *extract.StringOut, _, container jsonfields.Value) {
		set(out, container.Get("securityContext").Get(key))
	}
}

// setEffective adds what holds for a container in the end: the pod's security context is
// the default for that of each container. Without both the image decides, which the
// event does not tell; 0 is the answer to be careful with.
func setEffective(key string) setter {
	return func(out *extract.StringOut, ofPod, container jsonfields.Value) {
		v := container.Get("securityContext").Get(key)
		if !there(v) {
			v = ofPod
		}
		if !there(v) {
			out.Set("0")
			return
		}
		set(out, v)
	}
}

// setWords adds the strings of an array, joined by blanks. An empty array is an empty text.
func setWords(key string) setter {
	return func(out *extract.StringOut, _, container jsonfields.Value) {
		words := container.Get(key)
		if words.Kind() != jsonfields.KindArray {
			return
		}
		text, first := out.Buffer(), true
		for word := range words.Elements {
			if word.Kind() != jsonfields.KindString {
				continue
			}
			if !first {
				text = append(text, ' ')
			}
			text, first = word.AppendText(text), false
		}
		out.SetBuffer(text)
	}
}

func setRepository(out *extract.StringOut, _, container jsonfields.Value) {
	if v := container.Get("image"); v.Kind() == jsonfields.KindString {
		out.SetBytes(repository(v.Text()))
	}
}

// repository gives an image without its digest and tag. A colon before the last slash
// belongs to the port of a registry.
func repository(image []byte) []byte {
	image, _, _ = bytes.Cut(image, []byte{'@'})
	if colon := bytes.LastIndexByte(image, ':'); colon > bytes.LastIndexByte(image, '/') {
		image = image[:colon]
	}
	return image
}

func setCapabilities(out *extract.StringOut, _, container jsonfields.Value) {
	setStrings(out, container.Get("securityContext").Get("capabilities").Get("add"))
}

// setHostPorts adds the ports that a container takes from its node: those it asks for,
// and in the network of the node all that it listens on.
func setHostPorts(out *extract.StringOut, hostNetwork, container jsonfields.Value) {
	inHostNetwork, _ := hostNetwork.Bool()
	for port := range container.Get("ports").Elements {
		switch onHost := port.Get("hostPort"); {
		case isPort(onHost):
			set(out, onHost)
		case inHostNetwork && isPort(port.Get("containerPort")):
			set(out, port.Get("containerPort"))
		}
	}
}

// isPort reports whether v is a port that was set, which 0 says it was not.
func isPort(v jsonfields.Value) bool {
	n, whole := v.Uint64()
	return v.Kind() == jsonfields.KindNumber && !(whole && n == 0)
}
