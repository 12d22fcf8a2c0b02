// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/feedtest"
	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed/kubernetes"
)

// process is a run of the command.
type process struct {
	*testing.T
	in    *io.PipeWriter
	out   *bufio.Scanner
	again chan os.Signal
	stop  chan os.Signal
	ended chan error
}

func start(t *testing.T, args ...string) *process {
	inReader, in := io.Pipe()
	out, outWriter := io.Pipe()
	p := &process{T: t, in: in, out: bufio.NewScanner(out), again: make(chan os.Signal, 1), stop: make(chan os.Signal, 1), ended: make(chan error, 1)}
	go func() {
		err := run(args, inReader, outWriter, p.stop, p.again)
		outWriter.Close()
		p.ended <- err
	}()
	return p
}

// line is the next line of the output.
func (p *process) line() (out map[string]string) {
	p.Helper()
	require.True(p, p.out.Scan())
	require.NoError(p, json.Unmarshal(p.out.Bytes(), &out))
	return out
}

func (p *process) say(line string) map[string]string {
	p.Helper()
	_, err := io.WriteString(p.in, line+"\n")
	require.NoError(p, err)
	return p.line()
}

func TestTheCommandServesAndObeys(t *testing.T) {
	dir := t.TempDir()
	changes := filepath.Join(dir, "changes.yaml")
	require.NoError(t, os.WriteFile(changes, []byte("{kind: Pod, metadata: {name: new, namespace: jobs}, spec: {nodeName: node-1}}"), 0o600))
	kubeconfig := filepath.Join(dir, "kubeconfig")
	p := start(t, "--objects", "../../testdata/cluster.yaml", "--changes", changes, "--kubeconfig", kubeconfig)
	first := p.line()
	assert.Regexp(t, `^127\.0\.0\.1:\d+$`, first["collector"])
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+$`, first["api"])
	assert.Equal(t, kubeconfig, first["kubeconfig"])

	source, err := kubernetes.New(kubernetes.Config{NodeName: "node-1", Kubeconfig: kubeconfig})
	require.NoError(t, err)
	tables := feedtest.NewTables()
	f := feed.New(feed.Options{Emit: tables.Emit}, source)
	tables.Parsed = f.Parsed
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan struct{})
	go func() { defer close(ended); f.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	await := func(n int) {
		_, err := tables.Await(ctx.Done(), func(all map[string]feedtest.Resource) bool { return len(all) == n })
		require.NoError(t, err)
	}
	await(11)
	p.again <- syscall.SIGHUP
	assert.Equal(t, map[string]string{"done": "apply " + changes}, p.line())
	await(12)
	assert.Equal(t, map[string]string{"done": "forget"}, p.say("forget"))
	assert.Equal(t, map[string]string{"done": "disconnect"}, p.say("disconnect"))
	assert.Equal(t, map[string]string{"done": "end UNAVAILABLE"}, p.say("end UNAVAILABLE"))
	assert.Equal(t, map[string]string{"done": "replace ../../testdata/cluster.yaml"}, p.say("replace ../../testdata/cluster.yaml"))
	await(11)
	for line, want := range map[string]string{
		"end SOMEHOW":         `end "SOMEHOW": there is no such gRPC status; one is UNAVAILABLE`,
		"apply none":          "read objects: open none: no such file or directory",
		"make me a pod":       `"make me a pod": unknown line; there are apply FILE, replace FILE, disconnect, end CODE and forget`,
		"apply " + kubeconfig: kubeconfig + ": read objects: document 1: an object has at least kind and metadata",
	} {
		assert.Equal(t, map[string]string{"error": want}, p.say(line))
	}
	p.in.Close()
	require.NoError(t, <-p.ended)
}

func TestASignalEndsTheCommand(t *testing.T) {
	p := start(t, "--objects", "../../testdata/cluster.yaml")
	p.line()
	p.stop <- syscall.SIGTERM
	require.NoError(t, <-p.ended)
	p.in.Close()
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no objects":        {nil, "--objects is missing: give a file with Kubernetes manifests"},
		"words":             {[]string{"--objects", "x", "y"}, `"y": there are flags only`},
		"a missing file":    {[]string{"--objects", "none"}, "read objects: open none"},
		"a missing key":     {[]string{"--objects", "../../testdata/cluster.yaml", "--tls-cert", "none"}, "read certificate"},
		"no such interface": {[]string{"--objects", "../../testdata/cluster.yaml", "--api", "192.0.2.1:0"}, "API server: listen"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, c.args...)
			assert.ErrorContains(t, <-p.ended, c.want)
			p.in.Close()
		})
	}
}
