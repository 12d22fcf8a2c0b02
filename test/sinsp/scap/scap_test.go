// SPDX-License-Identifier: Apache-2.0

package scap_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/sinsp/scap"
)

const pods = "../../reference/threads/testdata/pods.scap.gz"

// types are the types of a file's events.
func types(t *testing.T, f *scap.File) (all []uint16) {
	t.Helper()
	events, err := f.Events()
	require.NoError(t, err)
	for _, raw := range events {
		all = append(all, binary.LittleEndian.Uint16(raw[abi.EventType:]))
	}
	return all
}

func TestEventsAreScatteredEvenly(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4253, 10_000} {
		f, err := scap.Read(pods)
		require.NoError(t, err)
		before := types(t, f)
		require.Len(t, before, 4197+56)
		var async [][]byte
		for range n {
			async = append(async, scap.Async(1, "name", []byte("data")))
		}
		f.Scatter(async)
		path := filepath.Join(t.TempDir(), "scattered")
		require.NoError(t, f.Write(path))
		f, err = scap.Read(path)
		require.NoError(t, err)
		var others []uint16
		longest, run := 0, 0
		for _, typ := range types(t, f) {
			if typ == abi.TypeAsyncEvent {
				run++
				longest = max(longest, run)
				continue
			}
			run = 0
			others = append(others, typ)
		}
		assert.Equal(t, before, others)
		assert.Equal(t, (n+4252)/4253, longest, "events in a row, of %d", n)
	}
}

func TestBrokenFilesAreRefused(t *testing.T) {
	good, err := scap.Read(pods)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "good")
	require.NoError(t, good.Write(path))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, text := range map[string][]byte{
		"cut in a block":  whole[:len(whole)-2],
		"more behind":     append(append([]byte(nil), whole...), 1, 2, 3),
		"no length":       make([]byte, 12),
		"gzip of nothing": {0x1F, 0x8B},
	} {
		broken := filepath.Join(t.TempDir(), "broken")
		require.NoError(t, os.WriteFile(broken, text, 0o644))
		_, err := scap.Read(broken)
		assert.ErrorContains(t, err, broken, name)
	}
}

func TestThreadsOfAFileAreRead(t *testing.T) {
	f, err := scap.Read(pods)
	require.NoError(t, err)
	all, err := f.Processes()
	require.NoError(t, err)
	assert.Len(t, all, 16)
	cpu := map[string]string{}
	for _, p := range all {
		require.Len(t, p.Cgroups, 5, "of %s", p.Comm)
		assert.Equal(t, p.PID, p.TID)
		assert.NotZero(t, p.PTID)
		for _, c := range p.Cgroups {
			if c[0] == "cpu" {
				cpu[p.Comm] = c[1]
			}
		}
	}
	assert.Equal(t, "/", cpu["bash"])
	assert.Contains(t, cpu["payments-api"], "pod0b1d3a52_6c1f_4e0a_9a54_3a1f0b6c7d01.slice/")
	assert.Contains(t, cpu["log-shipper"], "pod5f2c8e11_90ab_4c77_8d12_b7d0f4a9e202.slice/")
}
