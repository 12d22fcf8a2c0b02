// SPDX-License-Identifier: Apache-2.0

package k8smeta

import "bytes"

// The cgroup that a container engine or the kubelet makes for a pod has "pod"
// in its path, and behind it one of
//
//   - the pod's UID, 8-4-4-4-12 lower-case letters and digits, as the cgroupfs
//     driver writes it: pod5eaeeca9-2277-…
//   - the same with underscores, as the systemd driver writes it, to which a
//     dash means a level of slices: kubepods-burstable-pod5eaeeca9_2277_….slice
//   - 32 hexadecimal digits, of static pods: the kubelet names these by a hash
//     of their configuration, as it knows them before an API server does.
//
// What stands around it (slices, scopes, the levels of nested nodes, a
// colon in place of a slash) differs between drivers and engines and does not
// matter.

const (
	uidLength  = 36
	hashLength = 32
)

// appendPodUID appends the UID of the pod that text names first to dst, with
// dashes, or the hash of a static pod; ok is false, and dst is as it was, if it
// names none. Text is the path of a cgroup, or several that something else than
// a letter or digit keeps apart.
func appendPodUID(dst, text []byte) (uid []byte, ok bool) {
	for {
		at := bytes.Index(text, []byte("pod"))
		if at < 0 {
			return dst, false
		}
		text = text[at+len("pod"):]
		if isUID(text) {
			for _, c := range text[:uidLength] {
				if c == '_' {
					c = '-'
				}
				dst = append(dst, c)
			}
			return dst, true
		}
		if isHash(text) {
			return append(dst, text[:hashLength]...), true
		}
	}
}

// isUID tells whether text begins with a UID.
func isUID(text []byte) bool {
	if len(text) < uidLength {
		return false
	}
	for i, c := range text[:uidLength] {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' && c != '_' {
				return false
			}
		default:
			if !alphanumeric(c) {
				return false
			}
		}
	}
	return true
}

// isHash tells whether text begins with a hash, and not with something longer
// such as the ID of a container.
func isHash(text []byte) bool {
	if len(text) < hashLength || len(text) > hashLength && alphanumeric(text[hashLength]) {
		return false
	}
	for _, c := range text[:hashLength] {
		if c-'0' > 9 && c-'a' > 5 {
			return false
		}
	}
	return true
}

// alphanumeric tells whether c is a lower-case letter or a digit.
func alphanumeric(c byte) bool { return c-'0' <= 9 || c-'a' <= 25 }
