// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"bufio"
	"context"
	"encoding/binary"
	stdjson "encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/plugins/k8smeta/internal/feed"
	"github.com/aerie-falco/aerie/shared/plugin"
	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/extract"
	"github.com/aerie-falco/aerie/shared/plugin/plugintest"
)

const someConfig = `{"nodeName":"node-1","collectorHostname":"h","collectorPort":45000}`

// rig is a state of the plugin whose feed is the test.
type rig struct {
	*plugintest.Host
	t testing.TB
	p *Plugin
	*scripted
}

// scripted is a feed that emits what a test says.
type scripted struct {
	emit   feed.Emit
	runs   chan context.Context
	parsed []string // kind, uid and text; of the last few
}

func (s *scripted) Run(ctx context.Context) {
	s.runs <- ctx
	<-ctx.Done()
}

func (s *scripted) Parsed(kind, uid string, text []byte) {
	if len(s.parsed) == 100 {
		s.parsed = s.parsed[:0]
	}
	s.parsed = append(s.parsed, kind+" "+uid+" "+string(text))
}

func start(t testing.TB) *rig {
	r := &rig{t: t, p: New(), scripted: &scripted{runs: make(chan context.Context, 1)}}
	r.p.connect = func(_ *config, _ *plugin.Host, emit feed.Emit) (feeder, error) {
		r.emit = emit
		return r.scripted, nil
	}
	var err error
	r.Host, err = plugintest.Start(t, Info, Register, func() *Plugin { return r.p }, someConfig)
	require.NoError(t, err)
	return r
}

// object is a resource to say something of.
type object struct {
	Reason string `json:"reason,omitempty"`
	UID    string `json:"uid,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Meta   any    `json:"meta,omitempty"`
	Status any    `json:"status,omitempty"`
	Refs   any    `json:"refs,omitempty"`
}

type fieldsOf map[string]any

// say has the plugin parse what there is to say of o.
func (r *rig) say(o object) {
	r.t.Helper()
	require.NoError(r.t, r.hear(o.text(r.t)))
}

// text is the object as an event has it.
func (o object) text(t testing.TB) string {
	if o.Reason == "" {
		o.Reason = "Create"
	}
	for _, part := range []*any{&o.Meta, &o.Status} {
		if *part != nil {
			text, err := stdjson.Marshal(*part)
			require.NoError(t, err)
			*part = string(text)
		}
	}
	if kinds, ok := o.Refs.(map[string][]string); ok {
		lists := map[string]any{}
		for kind, uids := range kinds {
			lists[kind] = map[string]any{"list": uids}
		}
		o.Refs = map[string]any{"resources": lists}
	}
	text, err := stdjson.Marshal(o)
	require.NoError(t, err)
	return string(text)
}

// hear has the plugin parse an event with this text.
func (r *rig) hear(text string) error {
	return r.Parse(plugintest.Async(1, eventName, []byte(text+"\x00")))
}

// sayRealMetadata tells the state of the real pods, not the later updates.
func (r *rig) sayRealMetadata() {
	r.t.Helper()
	for _, text := range realMetadata(r.t)[:11] {
		require.NoError(r.t, r.hear(text))
	}
}

func realMetadata(t testing.TB) (texts []string) {
	file, err := os.Open("testdata/metadata.jsonl")
	require.NoError(t, err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		texts = append(texts, lines.Text())
	}
	require.Len(t, texts, 14)
	return texts
}

// The real pods.
const (
	payments = "0b1d3a52-6c1f-4e0a-9a54-3a1f0b6c7d01"
	redis    = "5f2c8e11-90ab-4c77-8d12-b7d0f4a9e202"
	batch    = "c9a7e6d3-1f44-4b1b-a1ce-6e5d4c3b2a03"
)

// inPod is the cgroups of a thread in a pod, the first and the last not the pod's.
func inPod(uid string) []string {
	return []string{"cpuset=/", "cpu=/kubepods/burstable/pod" + uid + "/" + long, "memory=/system.slice/node.service"}
}

var onHost = []string{"cpuset=/", "cpu=/system.slice/x.service"}

// process is the end of a call that makes a thread or runs a program.
func process(typ uint16, tid, result int64, cgroups ...string) []byte {
	params := make([][]byte, cgroupsParam+2)
	params[resultParam] = binary.NativeEndian.AppendUint64(nil, uint64(result))
	if len(cgroups) > 0 {
		params[cgroupsParam] = []byte(strings.Join(cgroups, "\x00") + "\x00")
	}
	return plugintest.Syscall(typ, uint64(tid), 1000, params...)
}

// other is an event of a call that the plugin does not parse.
func other(tid int64) []byte { return otherAt(tid, 1000) }

func otherAt(tid int64, ts uint64) []byte {
	return plugintest.Syscall(event.TypeOpenatX, uint64(tid), ts, make([]byte, 8))
}

// exec runs a program in a thread that the framework has put there.
func (r *rig) exec(tid int64, cgroups ...string) {
	r.t.Helper()
	r.MoveThread(tid, cgroups...)
	require.NoError(r.t, r.Parse(process(event.TypeExecveX, tid, 0, cgroups...)))
}

// values is what a field, or field[key], says of an event of the thread.
func (r *rig) values(tid int64, field string) []string { return r.valuesOf(other(tid), field) }

func (r *rig) valuesOf(raw []byte, field string) []string {
	r.t.Helper()
	name, key, given := strings.Cut(strings.TrimSuffix(field, "]"), "[")
	id := slices.IndexFunc(fields, func(f extract.Field[*Plugin]) bool { return f.Name == name })
	require.GreaterOrEqual(r.t, id, 0, name)
	arg := &key
	if !given {
		arg = nil
	}
	values, err := r.Texts(raw, id, arg)
	require.NoError(r.t, err)
	return values
}
