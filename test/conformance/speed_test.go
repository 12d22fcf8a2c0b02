// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fastjson"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

// The benchmarks here are of the k8saudit plugin as it is built: run go tool mage
// build:host, then
//
//	go test -C test -run '^$' -bench K8sAudit -benchtime 3s ./conformance
//
// Time depends on what else the machine does; the CPU microseconds, of the host with
// the plugin and of the clients, depend on that less.

// timedEnv is set in the process that reads a source as fast as it can, in a loop in C.
const timedEnv = "AERIE_CONFORMANCE_TIMED"

// timed is what that process reports.
type timed struct {
	Events, Batches int
	Busy            time.Duration // in calls that gave events, waiting included
	CPU             time.Duration // while the source was open
	Crossing        time.Duration // of 1000 calls that do nothing
}

// timedReader is that process.
type timedReader struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startTimed(b *testing.B, open string) *timedReader {
	b.Helper()
	lib := filepath.Join(repository, "dist", "linux_"+runtime.GOARCH, "libk8saudit.so")
	if _, err := os.Stat(lib); err != nil {
		b.Skip("not built: run go tool mage build:host first")
	}
	r := &timedReader{cmd: exec.Command(os.Args[0], "-test.run=^TestTimeASource$", "-test.cpuprofile="+os.Getenv("AERIE_HOST_PROFILE"))}
	r.cmd.Env = append(os.Environ(), timedEnv+"="+lib+"|"+open)
	r.cmd.Stderr = os.Stderr
	var err error
	r.in, err = r.cmd.StdinPipe()
	require.NoError(b, err)
	out, err := r.cmd.StdoutPipe()
	require.NoError(b, err)
	r.out = bufio.NewReader(out)
	require.NoError(b, r.cmd.Start())
	b.Cleanup(func() {
		r.in.Close()
		_ = r.cmd.Wait()
	})
	line, err := r.out.ReadString('\n')
	require.NoError(b, err)
	require.Equal(b, "open\n", line)
	return r
}

// stop ends the source, or waits for its end, and returns what was read.
func (r *timedReader) stop(b *testing.B) timed {
	b.Helper()
	require.NoError(b, r.in.Close())
	var t timed
	line, err := r.out.ReadString('\n')
	require.NoError(b, err)
	require.NoError(b, json.Unmarshal([]byte(line), &t))
	return t
}

// TestTimeASource is what that process runs.
func TestTimeASource(t *testing.T) {
	env := os.Getenv(timedEnv)
	if env == "" {
		t.Skip("the benchmarks run this")
	}
	path, open, _ := strings.Cut(env, "|")
	lib, err := host.Load(path, nil)
	require.NoError(t, err)
	p, err := host.Register(lib)
	require.NoError(t, err)
	require.NoError(t, p.Init(host.InitOptions{}))
	var stopped atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stopped.Store(true)
	}()
	var got timed
	got.Crossing = math.MaxInt64
	for range 20 {
		took, err := lib.TimeConstant(host.SymGetID, 1000)
		require.NoError(t, err)
		got.Crossing = min(got.Crossing, took)
	}
	began := cpu(t)
	in, err := p.Open(open)
	require.NoError(t, err)
	fmt.Println("open")
	for rc := abi.Success; rc != abi.EOF && !stopped.Load(); {
		times, err := in.TimeBatches(math.MaxInt, 50*time.Millisecond)
		require.NoError(t, err)
		got.Events += times.Events
		got.Batches += times.Batches
		got.Busy += times.Busy
		rc = times.RC
	}
	got.CPU = cpu(t) - began
	p.Close(in)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	fmt.Println(string(text))
}

// cpu is the time that this process has spent computing.
func cpu(t testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// auditEvent is a made-up event of the given size, compact.
func auditEvent(size int) string {
	const head = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"5c1f6f1e-3ae0-4d6b-9a57-0f4f8c1d2e3b","stage":"ResponseComplete",` +
		`"requestURI":"/api/v1/namespaces/default/pods?fieldManager=kubectl-client-side-apply","verb":"create","user":{"username":"kubernetes-admin","groups":["system:masters","system:authenticated"]},` +
		`"sourceIPs":["10.0.0.12","192.168.7.1"],"userAgent":"kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0","objectRef":{"resource":"pods","namespace":"default","name":"web","apiVersion":"v1"},` +
		`"responseStatus":{"metadata":{},"code":201},"requestObject":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"default","labels":{"app":"web","tier":"front"}},"spec":{`
	const tail = `"restartPolicy":"Always","dnsPolicy":"ClusterFirst"}},"requestReceivedTimestamp":"2026-03-01T14:02:11.120345Z","stageTimestamp":"2026-03-01T14:02:11.131072Z",` +
		`"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}`
	const container = `{"name":"c","image":"registry.example.com:5000/team/web:1.27","imagePullPolicy":"IfNotPresent","ports":[{"containerPort":8080,"protocol":"TCP"}],"resources":{"limits":{"cpu":"500m","memory":"128Mi"}}}`
	containers := `"containers":[` + container
	for len(head)+len(tail)+len(containers)+len(container)+len(`,],"x":"",`) <= size {
		containers += "," + container
	}
	event := head + containers + `],"x":"`
	return event + strings.Repeat("x", max(0, size-len(event)-len(`",`)-len(tail))) + `",` + tail
}

// BenchmarkK8sAuditWebhook posts to the webhook from eight clients on this machine:
// events of 1.7 KB one by one, and in batches of a hundred, as an API server does. Nothing
// is answered 200 before the host has taken it, and nothing that was is lost.
func BenchmarkK8sAuditWebhook(b *testing.B) {
	event := auditEvent(1740)
	require.Len(b, event, 1740)
	for _, perPost := range []int{1, 100} {
		body := event
		if perPost > 1 {
			body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Repeat(event+",", perPost-1) + event + `]}`
		}
		b.Run(strconv.Itoa(perPost)+"PerPost", func(b *testing.B) {
			addr := freeAddress(b)
			reader := startTimed(b, "http://"+addr+"/k8s-audit")
			began := cpu(b)
			b.ResetTimer()
			post(b, addr, body)
			took := b.Elapsed()
			b.StopTimer()
			clients := cpu(b) - began
			got := reader.stop(b)
			posts := float64(b.N)
			require.Equal(b, b.N*perPost, got.Events, "all that was answered 200 was read, once")
			b.ReportMetric(posts/took.Seconds(), "posts/s")
			b.ReportMetric(posts*float64(perPost)/took.Seconds(), "events/s")
			b.ReportMetric(got.CPU.Seconds()*1e6/posts, "host-cpu-µs/post")
			b.ReportMetric(clients.Seconds()*1e6/posts, "client-cpu-µs/post")
			b.ReportMetric(float64(got.Events)/float64(max(got.Batches, 1)), "events/batch")
		})
	}
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// post sends the body b.N times from eight clients.
func post(b *testing.B, addr, body string) {
	text := fmt.Appendf(nil, "POST /k8s-audit HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	var left atomic.Int64
	left.Store(int64(b.N))
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
}

// BenchmarkK8sAuditFile reads a file of events of 1.8 KB, one a line, through next_batch, on
// one thread. An event should cost no more than one parse by fastjson and forty calls that do
// nothing: "calls-over-parse" is how many it is.
func BenchmarkK8sAuditFile(b *testing.B) {
	event := auditEvent(1843)
	name := filepath.Join(b.TempDir(), "audit.json")
	const events = 5_000 // few, so that some run is not disturbed
	require.NoError(b, os.WriteFile(name, bytes.Repeat([]byte(event+"\n"), events), 0o600))
	best, crossing := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range b.N {
		reader := startTimed(b, name)
		line, err := reader.out.ReadString('\n')
		require.NoError(b, err)
		var got timed
		require.NoError(b, json.Unmarshal([]byte(line), &got))
		require.Equal(b, events, got.Events)
		best, crossing = min(best, got.Busy/events), min(crossing, got.Crossing/1000)
	}
	var parser fastjson.Parser
	parse := time.Duration(math.MaxInt64)
	for range 20 {
		began := time.Now()
		for range 500 {
			_, err := parser.Parse(event)
			require.NoError(b, err)
		}
		parse = min(parse, time.Since(began)/500)
	}
	b.ReportMetric(float64(best.Nanoseconds()), "ns/event")
	b.ReportMetric(float64(parse.Nanoseconds()), "ns/parse")
	b.ReportMetric(float64(crossing.Nanoseconds()), "ns/call")
	b.ReportMetric(float64(best-parse)/float64(crossing), "calls-over-parse")
}
