// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	uid1 = "5eaeeca9-2277-460b-a4bf-5a0783f6d49f"
	hash = "0123456789abcdef0123456789abcdef"
	long = "e222bfd42aae0795c774fdb9a7ad5a5f7df78a61c5131947dd2774081d0666cb" // a container's ID
)

func TestPodsInCgroups(t *testing.T) {
	slice := strings.ReplaceAll(uid1, "-", "_")
	tests := []struct{ name, path, uid string }{
		{"cgroupfs driver, best effort", "/kubepods/besteffort/pod" + uid1 + "/" + long, uid1},
		{"cgroupfs driver, guaranteed", "/kubepods/pod" + uid1 + "/" + long, uid1},
		{"systemd driver, burstable, containerd", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + slice + ".slice/cri-containerd-" + long + ".scope", uid1},
		{"systemd driver, guaranteed, CRI-O", "/kubepods.slice/kubepods-pod" + slice + ".slice/crio-" + long + ".scope", uid1},
		{"the monitor of CRI-O", "/kubepods.slice/kubepods-pod" + slice + ".slice/crio-conmon-" + long + ".scope", uid1},
		{"systemd driver, Docker", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + slice + ".slice/docker-" + long + ".scope", uid1},
		{"containerd without systemd", "/system.slice/containerd.service/kubepods-burstable-pod" + slice + ".slice:cri-containerd:" + long, uid1},
		{"a node in a container, kind", "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod" + slice + ".slice/cri-containerd-" + long + ".scope", uid1},
		{"a node in a pod: the outer pod is first", "/kubepods/pod" + uid1 + "/x/kubepods/podaaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/y", uid1},
		{"a static pod, cgroupfs driver", "/kubepods/burstable/pod" + hash + "/" + long, hash},
		{"a static pod, systemd driver", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + hash + ".slice/cri-containerd-" + long + ".scope", hash},
		{"a static pod at the end", "/kubepods/pod" + hash, hash},
		{"letters beyond hexadecimal in a UID", "/podzzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"},
		{"separators of both kinds", "/pod5eaeeca9-2277_460b-a4bf_5a0783f6d49f", uid1},
		{"behind something that looks like a pod", "/podman/pod-x/podpod" + uid1, uid1},
		{"a service", "/system.slice/x.service", ""},
		{"the root", "/", ""},
		{"nothing", "", ""},
		{"upper case", "/kubepods/pod" + strings.ToUpper(uid1), ""},
		{"a hash in upper case", "/kubepods/pod" + strings.ToUpper(hash), ""},
		{"a UID cut short", "/kubepods/pod" + uid1[:35], ""},
		{"a hash cut short", "/kubepods/pod" + hash[:31], ""},
		{"a UID that nothing stands in front of", "/kubepods/" + uid1, ""},
		{"a container's ID behind pod", "/x/pod" + long, ""},
		{"a hash with a letter that is none", "/pod0123456789abcdef0123456789abcdeg", ""},
		{"a separator in the wrong place", "/pod5eaeeca92-277-460b-a4bf-5a0783f6d49f", ""},
		{"a container of podman", "/machine.slice/libpod-" + long + ".scope", ""},
		{"pod at the end", "/x/pod", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := []byte("before ")
			uid, ok := appendPodUID(before, []byte(test.path))
			assert.Equal(t, test.uid != "", ok)
			assert.Equal(t, "before "+test.uid, string(uid))
		})
	}
}

func TestTheFirstPathWithAPodCounts(t *testing.T) {
	list := "cpuset=/\x00cpu=/kubepods/pod" + uid1 + "/x\x00memory=/kubepods/podaaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\x00"
	uid, ok := appendPodUID(nil, []byte(list))
	assert.True(t, ok)
	assert.Equal(t, uid1, string(uid))
	_, ok = appendPodUID(nil, []byte("a=/pod5eaeeca9-2277-460b\x00b=/-a4bf-5a0783f6d49f\x00"))
	assert.False(t, ok, "a UID over two paths")
}

var asPattern = regexp.MustCompile(`pod(?:([a-z0-9]{8}[-_][a-z0-9]{4}[-_][a-z0-9]{4}[-_][a-z0-9]{4}[-_][a-z0-9]{12})|([0-9a-f]{32})(?:[^a-z0-9]|$))`)

func FuzzPodsInCgroupsAreThoseOfThePattern(f *testing.F) {
	for _, s := range []string{"/kubepods/pod" + uid1, "pod" + hash + "/", "podpod" + hash, "pod" + strings.ReplaceAll(uid1, "-", "_"), "pod" + long, "\x00podpod"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want string
		if m := asPattern.FindSubmatch(text); m != nil {
			want = strings.ReplaceAll(string(m[1]), "_", "-") + string(m[2])
		}
		uid, ok := appendPodUID(nil, text)
		assert.Equal(t, want != "", ok)
		assert.Equal(t, want, string(uid))
	})
}

func TestMatchingNeedsNoMemory(t *testing.T) {
	buf := make([]byte, 0, uidLength)
	path := []byte("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid1 + ".slice/cri-containerd-" + long + ".scope")
	assert.Zero(t, testing.AllocsPerRun(100, func() { appendPodUID(buf, path) }))
}

func BenchmarkPodInCgroup(b *testing.B) {
	buf := make([]byte, 0, uidLength)
	path := []byte("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid1 + ".slice/cri-containerd-" + long + ".scope")
	b.ReportAllocs()
	for b.Loop() {
		appendPodUID(buf, path)
	}
}
