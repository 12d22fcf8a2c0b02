// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"

	"github.com/aerie-falco/aerie/shared/ingest/webhook"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// Sourcing is the source capability. A listener's open parameters may raise the
// size limit.
var Sourcing = source.Options{MaxEventSize: 262144}

// Open listens on the address of the open parameters.
func (p *Plugin) Open(ctx context.Context, text string) (source.Instance, error) {
	params, err := readOpenParams(text)
	if err != nil {
		return nil, err
	}
	l, err := webhook.Listen(ctx, params.Config, params.endpoint())
	if err != nil {
		return nil, err
	}
	return l, nil
}

// EventString shows an event: its payload, as it is.
func (p *Plugin) EventString(e *event.Event) (string, error) {
	payload, ok := e.Payload()
	if !ok {
		return "", fmt.Errorf("show event %d: it is of type %d and has no plugin payload", e.Num(), e.Type())
	}
	return string(payload), nil
}
