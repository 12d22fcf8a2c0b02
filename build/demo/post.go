// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// clients is how many requests are under way at a time.
const clients = 4

// post sends every sample to the collector that listens on a unix socket, one
// request each, and returns once all are answered. Any answer but 200 is an error, for
// 200 is the collector's word that the framework has taken the event.
func post(ctx context.Context, socket string, all []sample) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		MaxIdleConnsPerHost: clients,
	}}
	defer client.CloseIdleConnections()

	work := make(chan sample)
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for s := range work {
				if err := postOne(ctx, client, s); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, s := range all {
		select {
		case work <- s:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	running.Wait()
	return context.Cause(ctx)
}

func postOne(ctx context.Context, client *http.Client, s sample) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://collector/k8s-audit", bytes.NewReader(s.body))
	if err != nil {
		return fmt.Errorf("posting %s: %w", s.name, err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("posting %s: %w", s.name, err)
	}
	defer answer.Body.Close() // read to its end below; closing cannot lose anything
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1024))
	if err != nil {
		return fmt.Errorf("posting %s: reading the answer: %w", s.name, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("posting %s: answered %s: %s", s.name, answer.Status, text)
	}
	return nil
}
