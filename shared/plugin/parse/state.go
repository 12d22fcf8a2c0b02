// SPDX-License-Identifier: Apache-2.0

package parse

import (
	"errors"
	"log/slog"
	"unsafe"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/internal/core"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
	"github.com/aerie-falco/aerie/shared/plugin/table"
)

// parser is the parsing half of one state. Frameworks call it on one thread at
// a time.
type parser struct {
	st     *core.State
	author Parser
	access *table.Access
	failed *metrics.Counter
	ev     event.Event // of the call under way
}

// Bind implements core.ParseCapability.
func (parsing) Bind(st *core.State, a core.Author) core.Parser {
	return &parser{st: st, author: a.Unwrap().(Parser), access: table.NewAccess(st), failed: st.Metrics.Counter("parse_errors")}
}

// Free implements core.Parser.
func (p *parser) Free() {}

// ParseEvent answers parse_event. Most events mean nothing to most plugins, so
// what the good case does here is little and fixed.
func (p *parser) ParseEvent(evt, in unsafe.Pointer) (rc abi.RC) {
	if evt == nil || (*abi.EventInput)(evt).Evt == nil {
		return p.fail(errNoEvent)
	}
	p.ev = event.FromInput(evt)
	p.st.LastEvent = p.ev.Timestamp()
	var reader, writer unsafe.Pointer
	if in != nil {
		i := (*abi.EventParseInput)(in)
		reader, writer = i.TableReaderExt, i.TableWriterExt
	}
	p.access.Begin(reader, writer)
	returned := false
	defer func() {
		if !returned { // sparing the good case the call of recover
			rc = p.fail(p.st.Panicked("parse_event", recover()))
		}
		p.access.End()
		p.ev = event.Event{} // a view that the plugin kept shows nothing, not freed memory
	}()
	err := p.author.Parse(&p.ev, p.access)
	returned = true
	if err != nil {
		return p.fail(err)
	}
	return abi.Success
}

var errNoEvent = errors.New("the framework passed no event")

// fail counts err and keeps it as the last error. Frameworks ask nothing after
// a failed parse_event, so the log is where a user sees it.
func (p *parser) fail(err error) abi.RC {
	p.failed.Inc()
	var panicked *core.PanicError // logged where it was caught
	if !errors.As(err, &panicked) {
		p.st.LogLimited(slog.LevelWarn, "parse", "parse_event: "+err.Error())
	}
	return p.st.Fail("parse_event", err)
}
