// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"

	"github.com/aerie-falco/aerie/shared/ingest/webhook"
	"github.com/aerie-falco/aerie/shared/plugin/config"
)

// openParams configures one listener. addr and buffer are the options of the
// official plugin; all others leave its behaviour as it is unless they are set.
type openParams struct {
	Addr           string      `json:"addr" default:":54827" example:"unix:/run/falco/collector.sock" desc:"Where to listen: host:port, :port for all interfaces, or unix:/path."`
	Buffer         int         `json:"buffer" default:"0" min:"0" max:"65536" unit:"requests" desc:"How many requests may wait for the framework to take their events. 0: as many as connections and memory allow, each of them unanswered."`
	MaxPayloadSize config.Size `json:"maxPayloadSize" default:"262144" min:"1" max:"16MiB" desc:"Largest payload of an event."`
	Split          string      `json:"split" default:"none" enum:"none,ndjson,array,auto" desc:"What is an event. none: a request body. ndjson: each line of a body. array: each element of a JSON array. auto: the lines of a body of type application/x-ndjson, the elements of a body that starts with a square bracket, any other body as a whole."`
	webhook.Config
}

func readOpenParams(text string) (openParams, error) {
	var p openParams
	if err := config.Decode(text, &p); err != nil {
		return p, fmt.Errorf("open parameters: %w", err)
	}
	return p, nil
}

func (p *openParams) endpoint() webhook.Endpoint {
	e := webhook.Endpoint{
		Addr:         p.Addr,
		MaxEventSize: int(p.MaxPayloadSize),
		Buffer:       p.Buffer,
		Splits:       p.Split != "none",
	}
	switch p.Split {
	case "ndjson":
		e.Decode = webhook.NDJSON
	case "array":
		e.Decode = webhook.JSONArray
	case "auto":
		e.Decode = webhook.Detect
	}
	return e
}
