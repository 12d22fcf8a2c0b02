// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/metadata"
)

// connection is one run of the source, and what the source sees of the feed.
type connection struct {
	*Feed
	gen   uint32
	first bool // of this run of the feed
	// stir has an element when the times below have changed.
	stir chan struct{}

	// Guarded by Feed.mu.
	opened     time.Time // zero: not yet
	news       bool      // a proper event has come
	introduced time.Time // when the last new or returning resource was told
	synced     bool      // the source says that it has told everything
	reconciled bool
	said       bool // the log's last word on the source is that it is there
}

// connect begins a new generation. said is whether the log's last word on the
// source is that it is there; first, that there was none.
func (f *Feed) connect(said, first bool) *connection {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gen++
	return &connection{Feed: f, gen: f.gen, said: said, first: first, stir: make(chan struct{}, 1)}
}

var errPanicked = errors.New("a fault in the plugin ended it, see the line before")

// run runs the source to its end.
func (c *connection) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var supervised, ran sync.WaitGroup
	defer func() {
		cancel()
		supervised.Wait()
		c.connected.Set(0)
	}()
	start(ctx, &supervised, "watching over a source of Kubernetes metadata", c.supervise)
	err := errPanicked
	start(ctx, &ran, "reading Kubernetes metadata", func(ctx context.Context) {
		err = c.source.Run(ctx, c)
	})
	ran.Wait()
	return err
}

// good tells whether the run was a success, so that the next attempt need not
// wait longer than the first.
func (c *connection) good() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.news || !c.opened.IsZero() && time.Since(c.opened) >= steady
}

// supervise says in the log that the source is back, and reconciles.
func (c *connection) supervise(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(c.look(time.Now())))
		select {
		case <-ctx.Done():
			return
		case <-c.stir:
		case <-timer.C:
		}
	}
}

// look does what it is time for, and returns when to look again.
func (c *connection) look(now time.Time) (next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next = now.Add(time.Hour)
	if c.opened.IsZero() {
		return next
	}
	if !c.said {
		// Having come back is news once it lasts.
		if at := c.opened.Add(steady); now.Before(at) {
			next = at
		} else {
			c.say()
		}
	}
	if !c.reconciled {
		if at := c.reconcileAt(now); !now.Before(at) {
			c.reconciled = true
			c.reconcile(c.gen)
		} else if at.Before(next) {
			next = at
		}
	}
	return next
}

// reconcileAt is when what this connection has not mentioned is deleted.
func (c *connection) reconcileAt(now time.Time) time.Time {
	switch {
	case c.synced:
		return now
	case c.blocked > 0:
		return now.Add(quiet) // there is more that could not be read
	case !c.news:
		return c.opened.Add(settled)
	}
	at := c.introduced.Add(quiet)
	if end := c.opened.Add(settled); end.Before(at) {
		return end
	}
	return at
}

// open notes that the source was reached. The caller holds mu.
func (c *connection) open() {
	if c.opened.IsZero() {
		c.opened = time.Now()
		c.introduced = c.opened
		c.connected.Set(1)
		if c.first {
			c.say()
		}
		signal(c.stir)
	}
}

// say says in the log that the source is there. The caller holds mu.
func (c *connection) say() {
	c.said = true
	c.log.Info("Kubernetes metadata: source connected", "source", c.source.String())
}

func (c *connection) Opened() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open()
}

func (c *connection) Synced() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open()
	c.synced = true
	signal(c.stir)
}

func (c *connection) Refuse(err error) {
	c.received.Inc()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse(err)
}

func (c *connection) Event(ctx context.Context, e *metadata.Event) {
	c.received.Inc()
	err := check(e)
	if errors.Is(err, errUnknownKind) {
		return
	}
	var text []byte
	if err == nil {
		text = metadata.AppendJSON(nil, e)
		if len(text) > MaxText {
			err = tooLong(e, len(text))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open()
	if err != nil {
		c.refuse(err)
		return
	}
	if !c.news {
		c.news = true
		signal(c.stir)
	}
	if e.Reason == metadata.Create {
		c.introduced = time.Now() // later than supervise may think, which sees when it looks
	}
	for c.waiting >= maxWaitingBytes && ctx.Err() == nil {
		room := c.room
		c.blocked++
		c.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-room:
		}
		c.mu.Lock()
		c.blocked--
	}
	if ctx.Err() != nil {
		return
	}
	c.note(e, text, c.gen)
}

// signal puts an element into a channel that has room for one, unless it has one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
