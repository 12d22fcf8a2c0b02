// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"errors"

	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// podUIDField is the field that the plugin adds to the framework's threads: the
// UID of the pod that a thread runs in, or the hash of a static one; empty
// outside of pods.
const podUIDField = "pod_uid"

// mostCgroups is how many cgroups of a thread are looked at. Kernels have about
// a dozen hierarchies.
const mostCgroups = 64

// threads is the framework's table of threads.
type threads struct {
	table   *table.Foreign[int64]
	podUID  table.Field[string]
	cgroups *table.Sub[uint64] // a list of hierarchies and paths
	path    table.Field[string]

	scratch []byte
}

// open finds the table, when the plugin is initialised.
func (t *threads) open(in *table.Init) (err error) {
	if t.table, err = table.Open[int64](in, "threads"); err != nil {
		return err
	}
	if t.cgroups, err = table.OpenSub[uint64](t.table, "cgroups"); err != nil {
		return err
	}
	var errs [2]error
	t.path, errs[0] = table.FieldOf[string](t.cgroups, "second")
	t.podUID, errs[1] = table.AddField[string](t.table, podUIDField)
	return errors.Join(errs[:]...)
}

// derive appends the UID of the pod that the cgroups of a thread name to dst.
// listed tells whether the framework knows any cgroups of the thread.
func (t *threads) derive(a *table.Access, thread table.Entry, dst []byte) (uid []byte, found, listed bool, err error) {
	cgroups, err := t.cgroups.Of(thread)
	if err != nil {
		return dst, false, false, err
	}
	n, err := cgroups.Size(a)
	if err != nil {
		return dst, false, false, err
	}
	for i := range min(n, mostCgroups) {
		cgroup, err := cgroups.Get(a, i)
		if err != nil {
			return dst, false, false, err
		}
		t.scratch, err = table.Append(t.scratch[:0], t.path, cgroup)
		cgroup.Release()
		if err != nil {
			return dst, false, false, err
		}
		listed = listed || len(t.scratch) > 0
		if uid, ok := appendPodUID(dst, t.scratch); ok {
			return uid, true, true, nil
		}
	}
	return dst, false, listed, nil
}
