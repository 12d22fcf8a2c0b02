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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

const (
	readerEnv = "AERIE_CONFORMANCE_READER" // set in the process that reads events until it is killed
	postsEnv  = "AERIE_KILL_POSTS"         // how many requests the kill test sends
)

// TestPromise5WhatWasAnswered200SurvivesAKill posts to a collector from eight
// clients, kills its host in the middle, starts it again, and compares what was
// answered 200 with what the two hosts had read.
func TestPromise5WhatWasAnswered200SurvivesAKill(t *testing.T) {
	lib := filepath.Join(repository, "dist", "linux_"+runtime.GOARCH, "libcollector.so")
	require.FileExists(t, lib, "run go tool mage build:host first")
	posts := 20_000
	if n := os.Getenv(postsEnv); n != "" {
		var err error
		posts, err = strconv.Atoi(n)
		require.NoError(t, err)
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	var reader atomic.Pointer[exec.Cmd]
	life := 0
	start := func() {
		life++
		cmd := exec.Command(os.Args[0], "-test.run=^TestReadUntilKilled$")
		cmd.Env = append(os.Environ(), readerEnv+"="+strings.Join([]string{lib, socket, filepath.Join(dir, "read"+strconv.Itoa(life))}, "|"))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "open\n", line)
		reader.Store(cmd)
	}
	start()
	kill := func() {
		cmd := reader.Load()
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // "signal: killed"
	}

	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 8,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
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
				body := fmt.Sprintf("event %d", n)
				response, err := client.Post("http://collector/", "text/plain", strings.NewReader(body))
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
					answered[body] = true
					mu.Unlock()
				}
			}
		})
	}
	<-half
	kill()
	start()
	close(restarted)
	wg.Wait()
	kill()

	read := map[string]int{}
	for i := range life {
		text, err := os.ReadFile(filepath.Join(dir, "read"+strconv.Itoa(i+1)))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			read[strings.TrimSuffix(line, "\n")]++
		}
	}
	lost := 0
	for body := range answered {
		if read[body] == 0 {
			lost++
		}
	}
	t.Logf("%d posts, %d answered 200, %d cut off by the kill, %d events read, %d lost", posts, accepted.Load(), refused.Load(), len(read), lost)
	assert.Zero(t, lost, "answered 200 and never read")
	assert.Positive(t, refused.Load(), "the kill came in the middle")
	assert.GreaterOrEqual(t, accepted.Load(), int64(posts)-100, "only requests under way at the kill may fail")
}

// TestReadUntilKilled is the host that the kill test kills: it writes each
// event to a file, unbuffered, before it asks for the next one.
func TestReadUntilKilled(t *testing.T) {
	env := os.Getenv(readerEnv)
	if env == "" {
		t.Skip("TestPromise5WhatWasAnswered200SurvivesAKill runs this")
	}
	args := strings.Split(env, "|")
	lib, err := host.Load(args[0], nil)
	require.NoError(t, err)
	p, err := host.Register(lib)
	require.NoError(t, err)
	require.NoError(t, p.Init(host.InitOptions{}))
	params, err := json.Marshal(map[string]string{"addr": "unix:" + args[1]})
	require.NoError(t, err)
	in, err := p.Open(string(params))
	require.NoError(t, err)
	file, err := os.Create(args[2])
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
