// SPDX-License-Identifier: Apache-2.0

package async

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// during runs During on a goroutine, and gives what its f was called with.
func during(t *testing.T, ctx context.Context, m *Emitter, f func(ctx context.Context)) (calls chan context.Context, returned chan struct{}) {
	calls, returned = make(chan context.Context), make(chan struct{})
	go func() {
		defer close(returned)
		m.During(ctx, func(ctx context.Context) {
			calls <- ctx
			f(ctx)
		})
	}()
	return calls, returned
}

func TestWorkDuringACaptureEndsWithIt(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	ctx, cancel := context.WithCancel(t.Context())
	calls, returned := during(t, ctx, r.Emitter, func(ctx context.Context) { <-ctx.Done() })
	for range 3 {
		r.set()
		capture := <-calls
		require.NoError(t, capture.Err())
		require.NoError(t, r.Emit("tick", nil))
		r.unset()
		<-capture.Done()
	}
	r.set()
	capture := <-calls
	cancel()
	<-returned
	assert.ErrorIs(t, capture.Err(), context.Canceled)
}

func TestWorkThatIsDoneEarlyIsNotCalledAgainForTheSameCapture(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	calls, returned := during(t, t.Context(), r.Emitter, func(context.Context) {})
	r.set()
	first := <-calls
	require.NoError(t, first.Err())
	r.set() // the same capture, told again
	r.unset()
	<-first.Done()
	r.set()
	second := <-calls
	assert.False(t, first == second, "each capture has a context of its own")
	r.destroy()
	<-returned
}

func TestNoWorkDuringAReplay(t *testing.T) {
	r := newRig(t, info, both, &plain{})
	_, returned := during(t, t.Context(), r.Emitter, func(context.Context) { t.Error("nobody takes events") })
	r.destroy()
	<-returned
}
