// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

const (
	repository = "../.."
	childEnv   = "AERIE_CONFORMANCE_LIBRARY" // set in the process that loads one library
)

// TestEveryLibraryFollowsTheGuide runs the guide over each built library, one
// process a library: one that takes its process down is a finding about it.
func TestEveryLibraryFollowsTheGuide(t *testing.T) {
	dist := filepath.Join(repository, "dist", "linux_"+runtime.GOARCH)
	libs, err := filepath.Glob(filepath.Join(dist, "lib*.so"))
	require.NoError(t, err)
	require.NotEmpty(t, libs, "no libraries in dist: run go tool mage build:host first")
	for _, lib := range libs {
		t.Run(filepath.Base(lib), func(t *testing.T) {
			args := []string{"-test.run=^TestOneLibrary$", "-test.v"}
			child := exec.Command(os.Args[0], args...)
			child.Env = append(os.Environ(), childEnv+"="+lib, "GODEBUG=cgocheck=1")
			out, err := child.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), "--- PASS: TestOneLibrary", "the guide did run")
		})
	}
}

// hints is what the tests have to know about a plugin: its
// testdata/conformance.json. A plugin that opens nothing and can do without a
// configuration needs none. $TMP stands for a folder of the test's.
type hints struct {
	// Config is a configuration that works anywhere, of a plugin that does not start without.
	Config string `json:"config"`
	// Open are parameters that work without anything else running.
	Open string `json:"open"`
	// Refused are parameters that open refuses, with words of the message.
	Refused map[string]string `json:"refused"`
}

func readHints(t *testing.T, plugin string, source bool) hints {
	text, err := os.ReadFile(filepath.Join(repository, "plugins", plugin, "testdata", "conformance.json"))
	var h hints
	if errors.Is(err, fs.ErrNotExist) && !source {
		return h
	}
	require.NoError(t, err, "a source plugin needs the file")
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&h))
	h.Config = strings.ReplaceAll(h.Config, "$TMP", t.TempDir())
	return h
}

func TestOneLibrary(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		t.Skip("TestEveryLibraryFollowsTheGuide runs this for each library")
	}
	lib, err := host.Load(path, nil)
	require.NoError(t, err)
	info, err := host.Describe(lib)
	require.NoError(t, err, "G1: what the framework checks in order")

	about := readHints(t, info.Name, info.Capabilities&host.CapSourcing != 0)
	started := func(t *testing.T) *host.Plugin {
		p, err := host.Register(lib)
		require.NoError(t, err)
		require.NoError(t, p.Init(host.InitOptions{Config: about.Config}))
		t.Cleanup(p.Destroy)
		return p
	}

	t.Run("G5 the required API version is one that frameworks have", func(t *testing.T) {
		framework := host.Version{Major: abi.APIMajor, Minor: abi.APIMinor, Patch: abi.APIPatch}
		required, ok := host.ParseVersion(info.RequiredAPI)
		require.True(t, ok)
		assert.True(t, framework.Serves(required), "%s", required)
	})
	t.Run("G16 contact, name and description are given", func(t *testing.T) {
		assert.Equal(t, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "lib"), ".so"), info.Name)
		assert.NotEmpty(t, info.Description)
		assert.Contains(t, info.Contact, "aerie")
	})
	t.Run("G4 states come and go, in any number and at once", func(t *testing.T) {
		for _, config := range []string{"", "{}", "null"} {
			p, err := host.Register(lib)
			require.NoError(t, err)
			err = p.Init(host.InitOptions{Config: config, SkipSchema: true})
			if about.Config == "" {
				assert.NoError(t, err, "Falco passes %q for an empty map", config)
			} else {
				assert.Error(t, err, "a plugin that needs a configuration says so for %q, which Falco passes for an empty map", config)
				assert.NotEmpty(t, p.LastError())
			}
			p.Destroy()
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 20 {
					p, err := host.Register(lib)
					if assert.NoError(t, err) && assert.NoError(t, p.Init(host.InitOptions{Config: about.Config})) {
						p.LastError()
						_, err = p.Metrics()
						assert.NoError(t, err)
					}
					p.Destroy()
				}
			})
		}
		wg.Wait()
	})
	t.Run("G7 metrics can be read at any time", func(t *testing.T) {
		p := started(t)
		_, err := p.Metrics()
		assert.NoError(t, err)
	})
	if info.Capabilities&host.CapExtraction != 0 {
		t.Run("G13 fields stand any bytes from any source", func(t *testing.T) { anyBytes(t, started) })
		t.Run("G9 a value depends on the event alone", func(t *testing.T) { sameValue(t, started) })
	}
	if info.Capabilities&host.CapSourcing != 0 {
		t.Run("G2 an instance opens, waits, closes", func(t *testing.T) { opensAndCloses(t, started, about) })
	}
}

// payloads are documents, near-documents and noise.
func payloads(t *testing.T) [][]byte {
	deep := 100_000
	all := [][]byte{
		nil, []byte(" "), []byte("{}"), []byte("[]"), []byte("null"), []byte("0"), []byte(`"x"`), []byte("\x00"), []byte("\xff\xfe\xfd"), []byte("\xef\xbb\xbf{}"),
		[]byte(`{"a":{"b":[1,2,{"c":"d"}]},"":1,"a/b":2,"m~n":3}`), []byte(`{"a":`), []byte(`{"a":1}{"a":2}`), []byte(`{"a":"\ud800"}`), []byte(`{"a":"x\u0000y"}`),
		[]byte(strings.Repeat("[", deep)), []byte(strings.Repeat("[", deep) + strings.Repeat("]", deep)), []byte(strings.Repeat(`{"a":`, deep)),
		[]byte(`{"kind":"Event","auditID":"x","requestObject":7,"user":[],"objectRef":null}`),
		[]byte(`{"big":"` + strings.Repeat("x", 1<<20) + `"}`),
	}
	samples := 0
	err := filepath.WalkDir(filepath.Join(repository, "plugins"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" || !strings.Contains(path, "testdata") {
			return err
		}
		text, err := os.ReadFile(path)
		samples++
		all = append(all, text)
		return err
	})
	require.NoError(t, err)
	require.Positive(t, samples)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 { // a good document with a few bytes spoilt
		b := append([]byte(nil), all[len(all)-1-random.IntN(min(samples, 200))]...)
		for range 3 {
			if len(b) > 0 {
				b[random.IntN(len(b))] = byte(random.IntN(256))
			}
		}
		all = append(all, b)
	}
	return all
}

// requests are one or more ways to ask for each field.
func requests(t *testing.T, p *host.Plugin) []host.Request {
	var all []host.Request
	for i := range p.Fields {
		f := &p.Fields[i]
		args := []string{""}
		if f.Arg.Key {
			args = append(args, "/a/b", "a", "/", "//", "~2", "/a/b/99999999999999999999999", strings.Repeat("/a", 10_000), "command", "\xff")
		}
		if f.Arg.Index {
			args = append(args, "0", "1", "18446744073709551615")
		}
		for _, a := range args {
			r, err := p.Request(f.Name, a, a != "")
			if err != nil && a == "" && f.Arg.Required {
				continue
			}
			require.NoError(t, err)
			all = append(all, r)
		}
	}
	require.NotEmpty(t, all)
	return all
}

func anyBytes(t *testing.T, started func(*testing.T) *host.Plugin) {
	p := started(t)
	asked := requests(t, p)
	check := func(e *host.Event) {
		defer e.Free()
		for _, r := range asked {
			_, err := p.Extract(e, r, true) // failing is allowed, misbehaving is not
			assert.NoError(t, err, "%s of %.60q", r.Name, e.Bytes())
		}
		_, _, err := p.ExtractAll(e)
		assert.NoError(t, err)
	}
	for _, payload := range payloads(t) {
		check(host.NewPluginEvent(7, 1, payload))
	}
	check(host.NewEvent(3, 1, 1, []byte{1, 2, 3}, nil, []byte("x")))
	check(host.NewEvent(402, 1, 1, []byte{1, 0, 0, 0}, []byte("name\x00"), []byte("data")))
	check(host.NewEvent(322, 1, 1, []byte{1, 0}))
}

// sameValue asks two states for the same events, in different order and with
// numbers that repeat: history must not show.
func sameValue(t *testing.T, started func(*testing.T) *host.Plugin) {
	one, two := started(t), started(t)
	asked, events := requests(t, one), payloads(t)
	values := func(p *host.Plugin, payload []byte, num uint64, r host.Request) any {
		e := host.NewPluginEvent(7, 99, payload)
		defer e.Free()
		e.SetNum(num)
		x, err := p.Extract(e, r, false)
		require.NoError(t, err)
		return x
	}
	type key struct{ event, request int }
	first := map[key]any{}
	for i, payload := range events {
		for k, r := range asked {
			first[key{i, k}] = values(one, payload, uint64(i%3), r)
		}
	}
	for i := len(events) - 1; i >= 0; i-- {
		for k := len(asked) - 1; k >= 0; k-- {
			require.Equal(t, first[key{i, k}], values(two, events[i], uint64(i%2), asked[k]), "%s[%s] of %.80q", asked[k].Name, asked[k].Key, events[i])
		}
	}
}

func opensAndCloses(t *testing.T, started func(*testing.T) *host.Plugin, h hints) {
	p := started(t)
	params := func() string { return strings.ReplaceAll(h.Open, "$TMP", t.TempDir()) }
	for refused, words := range h.Refused {
		_, err := p.Open(refused)
		assert.ErrorContains(t, err, words, "open %q", refused)
	}
	_, _, err := p.OpenParams()
	require.NoError(t, err)
	for range 20 {
		in, err := p.Open(params())
		require.NoError(t, err)
		_, rc, err := in.Next()
		require.NoError(t, err)
		assert.Equal(t, abi.Timeout, rc, "nothing has come yet")
		in.Progress()
		p.Close(in)
		p.Close(in)
	}
	in, err := p.Open(params())
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			b, err := in.NextBatch(3)
			if b.RC == abi.Failure {
				assert.NoError(t, err)
				return
			}
		}
	})
	p.Close(in)
	wg.Wait()
	_, err = p.Open(params())
	require.NoError(t, err)
	p.Destroy() // with that one still open
}
