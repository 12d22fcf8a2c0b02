// SPDX-License-Identifier: Apache-2.0

package capture_test

import (
	"context"
	"time"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/capture"
)

// scanner looks around once a minute while a capture is open.
type scanner struct{}

func (s *scanner) Init(*plugin.Host, string) error { return nil }
func (s *scanner) Destroy()                        {}

func (s *scanner) CaptureOpen(c *capture.Capture) error {
	return c.Routine("rescan", func(ctx context.Context) bool {
		select {
		case <-time.After(time.Minute):
			s.rescan()
			return true // again
		case <-ctx.Done():
			return false
		}
	})
}

func (s *scanner) CaptureClose(*capture.Capture) error { return nil }

func (s *scanner) rescan() {}

// Example is the init function of a library's main package.
func Example() {
	r := plugin.Register(plugin.Info{
		Name: "scanner", Description: "Scans.", Contact: "you@example.org", Version: "0.1.0",
	}, func() *scanner { return &scanner{} })
	capture.Register(r)
}
