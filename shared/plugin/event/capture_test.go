// SPDX-License-Identifier: Apache-2.0

package event

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event/schema"
)

// readAs reads parameter i with the reader that its kind names.
func readAs(e *Event, i int, k schema.Kind) (v any, ok bool) {
	switch k {
	case schema.KindInt8:
		return e.Int8(i)
	case schema.KindInt16:
		return e.Int16(i)
	case schema.KindInt32:
		return e.Int32(i)
	case schema.KindInt64:
		return e.Int64(i)
	case schema.KindUint8, schema.KindFlags8, schema.KindEnumflags8, schema.KindSigtype:
		return e.Uint8(i)
	case schema.KindUint16, schema.KindFlags16, schema.KindEnumflags16, schema.KindSyscallid:
		return e.Uint16(i)
	case schema.KindUint32, schema.KindFlags32, schema.KindEnumflags32, schema.KindUID, schema.KindGID, schema.KindMode, schema.KindSigset:
		return e.Uint32(i)
	case schema.KindUint64, schema.KindReltime:
		return e.Uint64(i)
	case schema.KindErrno:
		return e.Errno(i)
	case schema.KindFD:
		return e.FD(i)
	case schema.KindPID:
		return e.PID(i)
	case schema.KindAbstime:
		return e.AbsTime(i)
	case schema.KindCharbuf, schema.KindFspath, schema.KindFsrelpath:
		return e.String(i)
	case schema.KindSockaddr:
		return e.Sockaddr(i)
	case schema.KindSocktuple:
		return e.Socktuple(i)
	default:
		return e.Param(i)
	}
}

func TestEveryParameterOfRealEventsIsOfItsKind(t *testing.T) {
	types, params, newer := map[uint16]bool{}, 0, map[string]int{}
	for n, raw := range sample(t) {
		e := New(raw, uint64(n+1), "syscall")
		require.NoError(t, e.Malformed())
		d, ok := schema.Of(e.Type())
		require.True(t, ok, "type %d", e.Type())
		types[e.Type()] = true
		for i := range e.NumParams() {
			b, ok := e.Param(i)
			require.True(t, ok)
			if i >= d.NumParams() {
				newer[fmt.Sprintf("%s parameter %d of %d bytes", d.Name, i, len(b))]++
				continue
			}
			p := d.Param(i)
			_, ok = readAs(&e, i, p.Kind)
			if len(b) > 0 {
				assert.True(t, ok, "%s %s: %d bytes for a parameter of kind %s", d.Name, p.Name, len(b), p.Kind)
				params++
			}
		}
	}
	assert.Len(t, types, 53)
	assert.Equal(t, 1214, params)
	assert.Equal(t, map[string]int{"socket parameter 4 of 4 bytes": 2, "fcntl parameter 3 of 8 bytes": 2}, newer)
}

func TestTheCgroupsOfRealProcesses(t *testing.T) {
	carriers := []uint16{TypeExecveX, TypeCloneX, TypeForkX, TypeVforkX, TypeClone3X}
	pods, seen := map[string]int{}, map[uint16]int{}
	for n, raw := range sample(t) {
		e := New(raw, uint64(n+1), "syscall")
		if !slices.Contains(carriers, e.Type()) {
			continue
		}
		seen[e.Type()]++
		assert.Equal(t, 14, e.ParamIndex("cgroups"))
		l, ok := e.Strings(14)
		require.True(t, ok)
		cpu, ok := l.Value("cpu")
		require.True(t, ok)
		memory, ok := l.Value("memory")
		require.True(t, ok)
		assert.NotContains(t, memory, "kubepods")
		switch {
		case strings.Contains(cpu, "pod0b1d3a52_6c1f_4e0a_9a54_3a1f0b6c7d01"):
			pods["payments"]++
		case strings.Contains(cpu, "/podc9a7e6d3-1f44-4b1b-a1ce-6e5d4c3b2a03/"):
			pods["batch"]++
		default:
			pods["host"]++
		}
	}
	assert.Equal(t, map[uint16]int{TypeExecveX: 8, TypeCloneX: 4, TypeForkX: 4, TypeVforkX: 4, TypeClone3X: 4}, seen)
	assert.Equal(t, map[string]int{"payments": 7, "batch": 13, "host": 4}, pods)
}

func TestValuesOfRealEvents(t *testing.T) {
	var execs, connects, asyncs []string
	for n, raw := range sample(t) {
		e := New(raw, uint64(n+1), "syscall")
		switch e.Type() {
		case TypeExecveX:
			res, _ := e.Errno(e.ParamIndex("res"))
			exe, _ := e.String(e.ParamIndex("exe"))
			args, _ := e.Strings(e.ParamIndex("args"))
			pid, _ := e.PID(e.ParamIndex("pid"))
			_, cwd := e.String(e.ParamIndex("cwd"))
			assert.False(t, cwd, "the driver leaves it empty")
			assert.Equal(t, e.ThreadID(), uint64(pid))
			execs = append(execs, fmt.Sprint(res, " ", exe, " ", slices.Collect(args.All())))
		case TypeConnectX:
			res, _ := e.Errno(0)
			to, ok := e.Sockaddr(e.ParamIndex("addr"))
			require.True(t, ok)
			text := fmt.Sprint(res, " ", to.Path)
			if to.Family == FamilyIPv4 {
				text = fmt.Sprint(res, " ", to.AddrPort)
			}
			if tuple, ok := e.Socktuple(e.ParamIndex("tuple")); ok {
				text += ", connection to " + tuple.Destination.String()
			}
			connects = append(connects, text)
		case TypeAsync:
			id, name, data, ok := e.Async()
			require.True(t, ok)
			asyncs = append(asyncs, fmt.Sprintf("%d %s %.63s", id, name, data))
		}
	}
	container := "hostname batch-28931-abcde; mount -t proc proc /srv/rec/rootfs/proc 2>/dev/null; exec chroot /srv/rec/rootfs \"$@\" runc-init /usr/local/bin/batch-job 1.5 2"
	assert.Equal(t, []string{
		"0 chroot [/srv/noded /bin/sh -c id; cat /etc/shadow]",
		"0 unshare [--pid --fork --kill-child --mount --uts --ipc /bin/sh -c " + container + "]",
		"0 /bin/sh [-c id; cat /etc/shadow]",
		"0 /bin/sh [-c " + container + "]",
		"-2 chroot [/srv/rec/rootfs /usr/local/bin/batch-job 1.5 2]",
		"-2 chroot [/srv/rec/rootfs /usr/local/bin/batch-job 1.5 2]",
		"-2 true []",
		"-2 true []",
	}, execs)
	const nscd, refused, started = "-2 /var/run/nscd/socket", "-111 127.0.0.1:9", "-115 127.0.0.1:9, connection to 127.0.0.1:9"
	assert.Equal(t, []string{nscd, nscd, nscd, nscd, refused, started, refused, refused, started, refused, started}, connects)
	assert.Equal(t, []string{
		`0 k8s {"reason":"Create","uid":"11111111-0000-4000-8000-000000000001"`,
		`0 k8s {"reason":"Create","uid":"11111111-0000-4000-8000-000000000002"`,
		`0 k8s {"reason":"Create","uid":"11111111-0000-4000-8000-000000000003"`,
		`0 k8s {"reason":"Create","uid":"22222222-0000-4000-8000-000000000001"`,
	}, asyncs)
}
