// SPDX-License-Identifier: Apache-2.0

package plugin

// The symbols that every plugin exports. The official SDK's own ones are not
// used: they know no panics, hold at most 255 handles and pass on the
// configuration alone.

import "C"

import (
	"fmt"
	"log/slog"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/cmem"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/internal/hostlog"
)

//export plugin_get_required_api_version
func plugin_get_required_api_version() unsafe.Pointer {
	return core.Answer("api", (*core.Record).APIVersion)
}

//export plugin_get_name
func plugin_get_name() unsafe.Pointer {
	return core.Answer("name", func(r *core.Record) string { return r.Name })
}

//export plugin_get_description
func plugin_get_description() unsafe.Pointer {
	return core.Answer("description", func(r *core.Record) string { return r.Description })
}

//export plugin_get_contact
func plugin_get_contact() unsafe.Pointer {
	return core.Answer("contact", func(r *core.Record) string { return r.Contact })
}

//export plugin_get_version
func plugin_get_version() unsafe.Pointer {
	return core.Answer("version", func(r *core.Record) string { return r.Version })
}

//export plugin_get_init_schema
func plugin_get_init_schema(kind *uint32) unsafe.Pointer {
	text := core.Answer("schema", func(r *core.Record) string { return r.Schema })
	if kind != nil {
		*kind = abi.SchemaNone
		if *(*byte)(text) != 0 {
			*kind = abi.SchemaJSON
		}
	}
	return text
}

// plugin_get_required_event_schema_version tells which event schema the
// extracted event types belong to; NULL where only plugin events are read.
//
//export plugin_get_required_event_schema_version
func plugin_get_required_event_schema_version(state uintptr) unsafe.Pointer {
	if core.Registration().EventSchema == "" {
		return nil
	}
	return core.Answer("event schema", func(r *core.Record) string { return r.EventSchema })
}

// plugin_init returns a state even when it fails, so that the framework can
// ask it why.
//
//export plugin_init
func plugin_init(input unsafe.Pointer, rc *int32) uintptr {
	*rc = abi.Failure
	r := core.Registered()
	if r == nil {
		return 0
	}
	in := (*abi.InitInput)(input)
	sink := hostlog.NewSink(in.LogFn, in.Owner, r.Name)
	st := core.NewState(r, slog.New(hostlog.NewHandler(sink)))
	st.Sink = sink
	st.Owner, st.OwnerError, st.Tables = in.Owner, in.GetOwnerLastError, core.CopyTables(in.Tables)
	if err := st.Init(cmem.GoString(in.Config)); err != nil {
		st.SetError(err)
	} else {
		*rc = abi.Success
	}
	return core.States.Put(st)
}

//export plugin_destroy
func plugin_destroy(state uintptr) {
	if st := core.States.Drop(state); st != nil {
		st.Destroy()
		st.Sink.Close()
	}
}

//export plugin_get_last_error
func plugin_get_last_error(state uintptr) unsafe.Pointer {
	if st := core.States.Get(state); st != nil {
		return st.LastError()
	}
	return core.Answer("no state", func(*core.Record) string {
		return "the plugin has no such state: it was destroyed, or init never made it"
	})
}

//export plugin_set_config
func plugin_set_config(state uintptr, input unsafe.Pointer) int32 {
	st := core.States.Get(state)
	if st == nil || input == nil {
		return abi.Failure
	}
	if err := setConfig(st, cmem.GoString((*abi.SetConfigInput)(input).Config)); err != nil {
		return st.Fail("set_config", err)
	}
	return abi.Success
}

func setConfig(st *core.State, config string) (err error) {
	defer st.Contain("set_config", &err)
	s, ok := st.Author.Unwrap().(ConfigSetter)
	if !ok {
		return fmt.Errorf("%s takes no new configuration while it runs; restart it", st.Record.Name)
	}
	return s.SetConfig(config)
}

// plugin_get_metrics may run on a web server's thread beside everything else.
//
//export plugin_get_metrics
func plugin_get_metrics(state uintptr, n *uint32) unsafe.Pointer {
	*n = 0
	st := core.States.Get(state)
	if st == nil {
		return nil
	}
	p, count := st.Metrics.Export()
	*n = uint32(count)
	return p
}
