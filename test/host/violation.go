// SPDX-License-Identifier: Apache-2.0

package host

import "fmt"

// Violation is the error of a plugin that breaks the interface where libsinsp
// does not look: what it returned would crash the framework, throw in it, or
// make it use memory that is not there.
type Violation struct {
	// Call is the function at fault; negative where no call was under way, or
	// none that the plugin could have done better in.
	Call Symbol
	// Detail says what was returned and what would be right.
	Detail string
}

// Error names the function and what it did.
func (v *Violation) Error() string {
	if v.Call == noCall {
		return "a plugin broke the plugin interface: " + v.Detail
	}
	return fmt.Sprintf("%s broke the plugin interface: %s", v.Call, v.Detail)
}

func violate(call Symbol, format string, args ...any) *Violation {
	return &Violation{Call: call, Detail: fmt.Sprintf(format, args...)}
}

// noCall stands for the plugin itself in a Violation.
const noCall Symbol = -1
