// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkPost measures requests of eight clients on this machine, that is,
// with the cost of the clients: single events, and batches of a hundred. "bare"
// is net/http reading the body and answering 200, which is what to compare with.
func BenchmarkPost(b *testing.B) {
	event := `{"kind":"Event","pad":"` + strings.Repeat("x", 1675) + `"}`
	b.Run("bare", func(b *testing.B) {
		s, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		go http.Serve(s, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
		clients(b, s.Addr().String(), event)
	})
	for _, ack := range []string{"delivered", "queued"} {
		b.Run("single/"+ack, func(b *testing.B) {
			e := local()
			e.MaxEventSize, e.Buffer = 256<<10, 1024
			l := listen(b, `{"ack": "`+ack+`"}`, e)
			newFramework(b, l).runDry()
			clients(b, l.Addr(), event)
		})
	}
	b.Run("batches/delivered", func(b *testing.B) {
		e := local()
		e.MaxEventSize, e.Decode, e.Splits = 256<<10, JSONArray, true
		l := listen(b, "", e)
		newFramework(b, l).runDry()
		clients(b, l.Addr(), "["+strings.Repeat(event+",", 99)+event+"]")
		b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "events/s")
	})
}

// runDry takes events and forgets them.
func (f *framework) runDry() {
	ctx := f.t.Context()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for f.l.Next(ctx, f.batch) == nil {
			f.batch.Deliver(true)
		}
	}()
	f.t.Cleanup(func() {
		f.l.Close()
		<-ended
	})
}

func clients(b *testing.B, addr, body string) {
	text := fmt.Appendf(nil, "POST /k8s-audit HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			answer := make([]byte, 4096)
			for left.Add(-1) >= 0 {
				if _, err := c.Write(text); err != nil {
					b.Error(err)
					return
				}
				n, err := c.Read(answer)
				if err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 200")) {
					b.Errorf("answer %q, %v", answer[:n], err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}
