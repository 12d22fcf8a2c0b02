// SPDX-License-Identifier: Apache-2.0

package parse_test

import (
	"errors"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/parse"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// counter counts equal payloads.
type counter struct{ perPayload map[string]uint64 }

func (c *counter) Init(*plugin.Host, string) error {
	c.perPayload = map[string]uint64{}
	return nil
}

func (c *counter) Destroy() {}

func (c *counter) Parse(e *event.Event, _ *table.Access) error {
	b, ok := e.Payload()
	if !ok {
		return errors.New("count a payload: not a plugin event")
	}
	c.perPayload[string(b)]++
	return nil
}

// Example is the init function of a library's main package.
func Example() {
	r := plugin.Register(plugin.Info{
		Name: "counter", Description: "Counts.", Contact: "you@example.org", Version: "0.1.0",
	}, func() *counter { return &counter{} })
	parse.Register(r, parse.Options{EventTypes: []uint16{event.TypePlugin}, Sources: []string{"k8s_audit"}})
}
