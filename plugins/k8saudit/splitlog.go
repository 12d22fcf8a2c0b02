// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/metrics"
)

// splitLog counts and logs what became of documents. It is safe for concurrent use.
type splitLog struct {
	ctx                                  context.Context
	malformed, unknown, tooLarge, noTime *metrics.Counter
}

func newSplitLog(ctx context.Context) *splitLog {
	m := plugin.Metrics(ctx)
	return &splitLog{
		ctx:       ctx,
		malformed: m.Counter("events_malformed"),
		unknown:   m.Counter("events_unrecognised"),
		tooLarge:  m.Counter("events_too_large"),
		noTime:    m.Counter("events_without_time"),
	}
}

// note takes the tally of a document that came from client, if it came over the network.
// Errors about a whole document are logged by whoever refuses it.
func (l *splitLog) note(t tally, err error, client string) {
	l.malformed.Add(uint64(t.malformed))
	l.unknown.Add(uint64(t.unknown))
	l.tooLarge.Add(uint64(t.tooLarge))
	if err != nil {
		if t.leftOut() == 0 && errors.Is(err, errMalformed) {
			l.malformed.Inc()
		}
		return
	}
	l.noTime.Add(uint64(t.noTime))
	if t.leftOut() > 0 {
		plugin.LogLimited(l.ctx, slog.LevelWarn, "left out", "left out a part of a document: "+t.firstError.Error(),
			"parts", t.leftOut(), "events", t.events, "client", client)
	}
	if t.noTime > 0 {
		plugin.LogLimited(l.ctx, slog.LevelWarn, "no time", "events without a usable stageTimestamp, requestReceivedTimestamp or timestamp have the time when they were read",
			"events", t.noTime, "client", client)
	}
}
