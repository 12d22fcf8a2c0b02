// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

// TestWhatCannotBeTakenIsCounted posts to the k8saudit plugin what it cannot take, and
// looks at its metrics: whoever watches them sees that something is left out.
func TestWhatCannotBeTakenIsCounted(t *testing.T) {
	path := filepath.Join(repository, "dist", "linux_"+runtime.GOARCH, "libk8saudit.so")
	require.FileExists(t, path, "run go tool mage build:host first")
	lib, err := host.Load(path, nil)
	require.NoError(t, err)
	p, err := host.Register(lib)
	require.NoError(t, err)
	require.NoError(t, p.Init(host.InitOptions{Config: `{"maxEventSize": 1000, "webhookMaxBatchSize": 100000}`}))
	defer p.Destroy()
	address := freeAddress(t)
	in, err := p.Open("http://" + address + "/k8s-audit")
	require.NoError(t, err)
	defer p.Close(in)

	const good = `{"kind":"Event","stageTimestamp":"2026-03-01T14:02:11Z"}`
	large := `{"kind":"Event","x":"` + strings.Repeat("x", 1000) + `"}`
	posts := []struct {
		body string
		code int
		want map[string]uint64 // what goes up
	}{
		{good, 200, map[string]uint64{"events_accepted": 1}},
		{"garbage", 400, map[string]uint64{"events_malformed": 1, "requests_refused_bad_body": 1}},
		{`{"kind":"Pod"}`, 400, map[string]uint64{"events_unrecognised": 1, "requests_refused_bad_body": 1}},
		{large, 413, map[string]uint64{"events_too_large": 1, "requests_refused_too_large": 1}},
		{strings.Repeat(" ", 100_001), 413, map[string]uint64{"requests_refused_too_large": 1}},
		{strings.Repeat("[", 100_000), 400, map[string]uint64{"events_malformed": 1, "requests_refused_bad_body": 1}},
		{`[{"a":tru},7,` + large + `,` + good + `]`, 200, map[string]uint64{"events_accepted": 1, "events_malformed": 1, "events_unrecognised": 1, "events_too_large": 1}},
		{`{"kind":"Event"}`, 200, map[string]uint64{"events_accepted": 1, "events_without_time": 1}},
	}
	metrics := func() map[string]uint64 {
		list, err := p.Metrics()
		require.NoError(t, err)
		values := map[string]uint64{}
		for _, m := range list {
			if m.Name != "bodies_received_bytes" && m.Name != "requests_accepted" && !strings.HasPrefix(m.Name, "connections") {
				values[m.Name], _ = m.Value.(uint64)
			}
		}
		return values
	}
	for _, post := range posts {
		before := metrics()
		answers := make(chan int)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer cancel()
			response, err := http.Post("http://"+address+"/k8s-audit", "application/json", strings.NewReader(post.body))
			if assert.NoError(t, err) {
				response.Body.Close()
				answers <- response.StatusCode
			}
		}()
		code := 0
		for code == 0 && ctx.Err() == nil {
			_, rc, err := in.Next()
			require.NoError(t, err)
			require.Contains(t, []abi.RC{abi.Success, abi.Timeout}, rc)
			select {
			case code = <-answers:
			default:
			}
		}
		shown := post.body[:min(len(post.body), 30)]
		assert.Equal(t, post.code, code, shown)
		went := map[string]uint64{}
		for name, value := range metrics() {
			if value != before[name] {
				went[name] = value - before[name]
			}
		}
		assert.Equal(t, post.want, went, shown)
	}
}
