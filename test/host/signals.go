// SPDX-License-Identifier: Apache-2.0

package host

/*
#include "calls.h"
*/
import "C"

// DefaultSignals gives the signals of crashes back to the kernel, as they are
// in Falco, which is no Go program: a crash in a plugin's C code then ends the
// process with its signal, and a plugin in Go meets no other runtime's handlers
// when it installs its own. To be called before the first Load, in a process
// that exists for plugins only: a crash of Go code of the host itself is no
// longer reported either.
func DefaultSignals() { C.aerie_host_default_signals() }
