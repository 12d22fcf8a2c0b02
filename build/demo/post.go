// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// post sends every body to a webhook, so many at a time, and returns once all
// are answered. Any answer but 200 is an error, for
// 200 is the plugin's word that the framework has taken the events.
func post(ctx context.Context, url string, all []body, clients int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()

	work := make(chan body)
	var running sync.WaitGroup
	for range clients {
		running.Go(func() {
			for b := range work {
				if err := postOne(ctx, client, url, b); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, b := range all {
		select {
		case work <- b:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	running.Wait()
	return context.Cause(ctx)
}

func postOne(ctx context.Context, client *http.Client, url string, b body) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(b.text))
	if err != nil {
		return fmt.Errorf("posting %s: %w", b.name, err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("posting %s: %w", b.name, err)
	}
	defer answer.Body.Close() // read to its end below; closing cannot lose anything
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1024))
	if err != nil {
		return fmt.Errorf("posting %s: reading the answer: %w", b.name, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("posting %s: answered %s: %s", b.name, answer.Status, text)
	}
	return nil
}
