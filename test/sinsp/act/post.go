// SPDX-License-Identifier: Apache-2.0

package act

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aerie-falco/aerie/test/sinsp/scenario"
	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// perform posts the scenario's payloads, and reads events all the while: a
// source may answer only when the framework has taken what was posted, and
// come back for more.
func perform(ctx context.Context, p *stage.Process, inspector string, s scenario.Scenario, address string) (Performance, error) {
	type posted struct {
		answers []int
		err     error
	}
	done := make(chan posted, 1)
	go func() {
		answers, err := post(ctx, "http://"+address+s.Post.Path, s.Post)
		done <- posted{answers, err}
	}()
	var all Performance
	for finished := false; ; {
		// one turn: whatever has come, until the source has nothing
		turn, err := read(ctx, p, stage.Command{Do: "next", Inspector: inspector, Events: unlimited, Idle: 1})
		all.Events = append(all.Events, turn.Events...)
		all.Result, all.Error = turn.Result, turn.Error
		if err != nil || turn.Result != "timeout" || finished {
			return all, err
		}
		select {
		case result := <-done:
			if all.Answers = result.answers; result.err != nil {
				return all, result.err
			}
			finished = true // one more turn, for what came after this one
		default:
		}
	}
}

func post(ctx context.Context, url string, p *scenario.Post) ([]int, error) {
	var answers []int
	for k, payload := range p.Payloads {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(payload))
		if err != nil {
			return answers, fmt.Errorf("posting payload %d: %w", k+1, err)
		}
		if p.Type != "" {
			request.Header.Set("Content-Type", p.Type)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return answers, fmt.Errorf("posting payload %d: %w", k+1, err)
		}
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err != nil {
			return answers, fmt.Errorf("posting payload %d: reading the answer: %w", k+1, err)
		}
		answers = append(answers, response.StatusCode)
	}
	return answers, nil
}
