// SPDX-License-Identifier: Apache-2.0

package capture

import "C"

import (
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

const capability = "capture"

func init() { core.Linked(capability) }

// listeningMinor is the API minor version that has captures as the kit knows
// them. The capability came with 3.6 and its input got the routines, in front
// of the tables, with 3.7; the kit reads both, and no libs release has the one
// without the other.
const listeningMinor = 7

// Register adds the capability to r.
func Register[P Listener](r *plugin.Registration[P]) {
	rec := r.Record()
	rec.Require(listeningMinor)
	rec.Capture = listening{}
	rec.Claim(capability)
}

// listening is the capability as registered, the same for all states.
type listening struct{}

// Bind implements core.CaptureCapability.
func (listening) Bind(st *core.State, a core.Author) core.Capturer {
	return &listener{
		st: st, author: a.Unwrap().(Listener), access: table.NewAccess(st),
		closeErrors: st.Metrics.Counter("capture_close_errors"), wait: CloseWait,
	}
}

//export plugin_capture_open
func plugin_capture_open(state uintptr, input unsafe.Pointer) int32 {
	st := core.States.Get(state)
	if st == nil || st.Capture == nil {
		return abi.Failure
	}
	if err := st.Capture.Open(input); err != nil {
		return st.Fail("capture_open", err)
	}
	return abi.Success
}

// plugin_capture_close keeps an author's error and reports success all the
// same: the capture is over either way, and libsinsp makes an exception of a
// failure, perhaps while it is being destroyed.
//
//export plugin_capture_close
func plugin_capture_close(state uintptr, input unsafe.Pointer) int32 {
	st := core.States.Get(state)
	if st == nil || st.Capture == nil {
		return abi.Failure
	}
	if err := st.Capture.Close(input); err != nil {
		st.Fail("capture_close", err)
	}
	return abi.Success
}

// aerie_capture_routine is what a framework's pool calls for one turn of a
// routine, on a thread of its own. 0 ends the routine.
//
//export aerie_capture_routine
func aerie_capture_routine(_, h uintptr) uint32 {
	r := routines.Get(h)
	if r == nil || !r.onPool() {
		return 0
	}
	return 1
}
