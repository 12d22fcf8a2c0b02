// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

const (
	readerEnv = "AERIE_CONFORMANCE_READER" // set in the process that reads events until it is killed
	postsEnv  = "AERIE_KILL_POSTS"         // how many requests the kill test sends
)

// webhook is a source that takes events by HTTP, for the kill test.
type webhook struct {
	network, address string // of the listener
	open             string // parameters
	url              string
	contentType      string
	body             func(n int64) string
	id               func(event string) string // what tells a body's event from all others
}

// webhooks are the sources that are killed, by plugin.
var webhooks = map[string]func(t *testing.T) webhook{
	"collector": func(t *testing.T) webhook {
		socket := filepath.Join(t.TempDir(), "s")
		params, err := json.Marshal(map[string]string{"addr": "unix:" + socket})
		require.NoError(t, err)
		return webhook{
			network: "unix", address: socket, open: string(params), url: "http://collector/", contentType: "text/plain",
			body: func(n int64) string { return fmt.Sprintf("event %d", n) },
			id:   func(event string) string { return event },
		}
	},
	"k8saudit": func(t *testing.T) webhook {
		address := freeAddress(t)
		return webhook{
			network: "tcp", address: address, open: "http://" + address + "/k8s-audit", url: "http://k8saudit/k8s-audit", contentType: "application/json",
			body: func(n int64) string {
				return fmt.Sprintf(`{"kind":"EventList","items":[{"auditID":"%d"}]}`, n)
			},
			id: func(event string) string {
				return strings.TrimSuffix(strings.TrimPrefix(event, `{"kind":"EventList","items":[`), `]}`)
			},
		}
	},
}

// TestPromise5WhatWasAnswered200SurvivesAKill posts to a source from eight
// clients, kills its host in the middle, starts it again, and compares what was
// answered 200 with what the two hosts had read.
func TestPromise5WhatWasAnswered200SurvivesAKill(t *testing.T) {
	posts := 20_000
	if n := os.Getenv(postsEnv); n != "" {
		var err error
		posts, err = strconv.Atoi(n)
		require.NoError(t, err)
	}
	for plugin, source := range webhooks {
		t.Run(plugin, func(t *testing.T) { killAndCompare(t, plugin, source(t), posts) })
	}
}

func killAndCompare(t *testing.T, plugin string, source webhook, posts int) {
	readers := newReaders(t, plugin, source.open)
	readers.start()
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 8,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, source.network, source.address)
		},
	}}
	var next, accepted, refused atomic.Int64
	var mu sync.Mutex
	answered := map[string]bool{}
	half := make(chan struct{}) // closed when half of the requests are out
	restarted := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(posts) {
					return
				}
				if n == int64(posts/2) {
					close(half)
				}
				body := source.body(n)
				response, err := client.Post(source.url, source.contentType, strings.NewReader(body))
				if err != nil {
					refused.Add(1)
					<-restarted
					continue
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if response.StatusCode == http.StatusOK {
					accepted.Add(1)
					mu.Lock()
					answered[source.id(body)] = true
					mu.Unlock()
				}
			}
		})
	}
	<-half
	readers.kill()
	readers.start()
	close(restarted)
	wg.Wait()
	readers.kill()

	read := readers.read()
	lost := 0
	for event := range answered {
		if read[event] == 0 {
			lost++
		}
	}
	t.Logf("%d posts, %d answered 200, %d cut off by the kill, %d events read, %d lost", posts, accepted.Load(), refused.Load(), len(read), lost)
	assert.Zero(t, lost, "answered 200 and never read")
	assert.Positive(t, refused.Load(), "the kill came in the middle")
	assert.GreaterOrEqual(t, accepted.Load(), int64(posts)-100, "only requests under way at the kill may fail")
}

// readers are the hosts that read a source, one after another, each until it is killed.
type readers struct {
	t                        *testing.T
	lib, config, params, dir string
	life                     int
	cmd                      *exec.Cmd
}

func newReaders(t *testing.T, plugin, params string) *readers {
	lib := filepath.Join(repository, "dist", "linux_"+runtime.GOARCH, "lib"+plugin+".so")
	require.FileExists(t, lib, "run go tool mage build:host first")
	return &readers{t: t, lib: lib, params: params, dir: t.TempDir()}
}

func (r *readers) file(life int) string { return filepath.Join(r.dir, "read"+strconv.Itoa(life)) }

// start returns when the source is open.
func (r *readers) start() {
	r.life++
	r.cmd = exec.Command(os.Args[0], "-test.run=^TestReadUntilKilled$")
	r.cmd.Env = append(os.Environ(), readerEnv+"="+strings.Join([]string{r.lib, r.config, r.params, r.file(r.life)}, "|"))
	r.cmd.Stderr = os.Stderr
	out, err := r.cmd.StdoutPipe()
	require.NoError(r.t, err)
	require.NoError(r.t, r.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(r.t, err)
	require.Equal(r.t, "open\n", line)
}

func (r *readers) kill() {
	require.NoError(r.t, r.cmd.Process.Kill())
	_ = r.cmd.Wait() // "signal: killed"
}

// read counts the events that were read so far.
func (r *readers) read() map[string]int {
	events := map[string]int{}
	for life := range r.life {
		text, err := os.ReadFile(r.file(life + 1))
		require.NoError(r.t, err)
		for line := range strings.Lines(string(text)) {
			events[strings.TrimSuffix(line, "\n")]++
		}
	}
	return events
}

// TestPromise5AFollowedFileIsReadWholeDespiteKills writes to a log that is rotated,
// kills the host that follows it again and again, and looks whether the hosts have read
// every event, thanks to the checkpoint.
func TestPromise5AFollowedFileIsReadWholeDespiteKills(t *testing.T) {
	dir, checkpoints := t.TempDir(), t.TempDir()
	log := filepath.Join(dir, "audit.log")
	readers := newReaders(t, "k8saudit", "file://"+log)
	config, err := json.Marshal(map[string]any{"tail": map[string]string{"checkpointDir": checkpoints}})
	require.NoError(t, err)
	readers.config = string(config)
	readers.start()
	const kills, perLife, rotateEvery = 5, 2000, 700
	n := 0
	for range kills {
		for range perLife {
			n++
			file, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			require.NoError(t, err)
			_, err = fmt.Fprintf(file, `{"kind":"Event","auditID":"%d"}`+"\n", n)
			require.NoError(t, err)
			require.NoError(t, file.Close())
			if n%rotateEvery == 0 {
				require.NoError(t, os.Rename(log, filepath.Join(dir, fmt.Sprintf("audit-%06d.log", n))))
			}
		}
		readers.kill()
		readers.start()
	}
	last := fmt.Sprintf(`{"kind":"Event","auditID":"%d"}`, n)
	require.Eventually(t, func() bool { return readers.read()[last] > 0 }, time.Minute, 20*time.Millisecond)
	readers.kill()
	read := readers.read()
	lost := 0
	for k := range n {
		if read[fmt.Sprintf(`{"kind":"Event","auditID":"%d"}`, k+1)] == 0 {
			lost++
		}
	}
	t.Logf("%d events written, %d read, %d lost", n, len(read), lost)
	assert.Zero(t, lost)
}

// TestReadUntilKilled is the host that the kill tests kill: it writes each
// event to a file, unbuffered, before it asks for the next one.
func TestReadUntilKilled(t *testing.T) {
	env := os.Getenv(readerEnv)
	if env == "" {
		t.Skip("the kill tests run this")
	}
	args := strings.Split(env, "|")
	lib, err := host.Load(args[0], nil)
	require.NoError(t, err)
	p, err := host.Register(lib)
	require.NoError(t, err)
	require.NoError(t, p.Init(host.InitOptions{Config: args[1]}))
	in, err := p.Open(args[2])
	require.NoError(t, err)
	file, err := os.Create(args[3])
	require.NoError(t, err)
	fmt.Println("open")
	for {
		e, rc, err := in.Next()
		require.NoError(t, err)
		if rc != abi.Success {
			continue
		}
		payload, _ := e.Payload()
		_, err = file.Write(append(payload[:len(payload):len(payload)], '\n'))
		require.NoError(t, err)
	}
}

// The command-line host ends like a framework that goes on: its last rows count
// as delivered, and what it did not show does not.
func TestTheLastRowsOfPlughostCountAsDelivered(t *testing.T) {
	lib, err := kitLibrary()
	require.NoError(t, err)
	plughost := filepath.Join(repository, "dist", "bin", "plughost")
	require.FileExists(t, plughost, "run go tool mage build:plughost first")
	out, err := exec.Command(plughost, "run", lib.Path(), "--open", steps("one", "turn!", "two"), "--count", "1").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "delivery word=one ok=true")
	assert.Contains(t, string(out), "delivery word=two ok=false")
}
