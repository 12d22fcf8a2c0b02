// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/abitest"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/tabletest"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// keeper is a plugin that uses tables in Init.
type keeper struct {
	init func(h *Host) error
}

func (k *keeper) Init(h *Host, _ string) error { return k.init(h) }
func (k *keeper) Destroy()                     {}

// initIn makes a state of the plugin in framework f, nil for one without tables.
func initIn(t *testing.T, f *tabletest.Framework, init func(h *Host) error) (uintptr, abi.RC) {
	register(t, func() *keeper { return &keeper{init} })
	in := abitest.Init(t, "")
	if f != nil {
		i := (*abi.InitInput)(in)
		i.Owner, i.GetOwnerLastError, i.Tables = f.Owner(), f.OwnerError(), f.Tables()
	}
	var rc abi.RC
	return plugin_init(in, &rc), rc
}

func TestInitReachesStateTables(t *testing.T) {
	f := tabletest.New(t)
	f.Native("threads", abi.StateInt64).Field("ino", abi.StateUint64, false)
	var host *Host
	h, rc := initIn(t, f, func(h *Host) error {
		host = h
		threads, err := table.Open[int64](h.Tables(), "threads")
		if err != nil {
			return err
		}
		if _, err := threads.Add(h.Tables().Access(), 1); err != nil {
			return err
		}
		return table.Offer(h.Tables(), table.New[string, struct{}]("mine"))
	})
	require.Equal(t, abi.Success, rc, lastError(h))
	c := f.Counts()
	assert.Equal(t, uint64(1), c.Added)
	assert.Equal(t, uint64(1), c.Released, "entries are released when Init returns")
	_, err := host.Tables().List()
	assert.EqualError(t, err, "list tables: tables and fields are looked up in the plugin's Init only")
	plugin_destroy(h)
}

func TestAFailedInitEndsItsTables(t *testing.T) {
	f := tabletest.New(t)
	f.Native("threads", abi.StateInt64)
	for _, fault := range []func() error{
		func() error { return errors.New("no") },
		func() error { panic("boom") },
	} {
		h, rc := initIn(t, f, func(h *Host) error {
			threads, err := table.Open[int64](h.Tables(), "threads")
			require.NoError(t, err)
			_, err = threads.Create(h.Tables().Access())
			require.NoError(t, err)
			_ = table.Offer(h.Tables(), table.New[string, struct{}]("mine"))
			return fault()
		})
		require.Equal(t, abi.Failure, rc)
		plugin_destroy(h)
	}
	assert.Equal(t, uint64(2), f.Counts().Destroyed)
}

func TestAFrameworkWithoutTablesIsAnErrorInInit(t *testing.T) {
	h, rc := initIn(t, nil, func(h *Host) error {
		_, err := table.Open[int64](h.Tables(), "threads")
		return err
	})
	require.Equal(t, abi.Failure, rc)
	assert.Contains(t, lastError(h), `open table "threads": the framework gave this plugin no tables`)
	plugin_destroy(h)
}

func TestSubtablesRaiseTheRequiredAPIVersion(t *testing.T) {
	core.Reset()
	t.Cleanup(core.Reset)
	r := Register(info, func() plain { return plain{} })
	assert.Equal(t, "3.3.0", r.Record().APIVersion())
	table.RequireSubtables(r)
	assert.Equal(t, "3.5.0", r.Record().APIVersion())
}
