// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
)

// stage is an inspector with plugins that run scripts, and what they logged.
type stage struct {
	*host.Inspector
	t     *testing.T
	lines lines
}

// play makes a stage with the fixture script.c, set up with a configuration.
func play(t *testing.T, config string, macros ...string) *stage {
	t.Helper()
	s := &stage{Inspector: host.NewInspector(), t: t}
	t.Cleanup(s.Destroy)
	s.enter("script.c", config, macros...)
	return s
}

// enter adds a fixture to the stage and initialises it.
func (s *stage) enter(source, config string, macros ...string) *host.Plugin {
	s.t.Helper()
	p, err := s.Register(load(s.t, source, macros...))
	require.NoError(s.t, err)
	require.NoError(s.t, p.Init(host.InitOptions{Config: config, Log: s.lines.add}))
	return p
}

// said is what was logged since the last call.
func (s *stage) said() []string {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	var texts []string
	for _, line := range s.lines.all {
		texts = append(texts, line.String())
	}
	s.lines.all = nil
	return texts
}

// script is what a script printed that ran in parse_event, and the error of
// that event.
func (s *stage) script(text string) (string, error) {
	s.t.Helper()
	s.said()
	e := host.NewPluginEvent(999, 1, []byte(text))
	defer e.Free()
	e.SetSource("fed")
	_, err := s.Plugin("script").ParseEvent(e)
	said := s.said()
	require.NotEmpty(s.t, said)
	_, out, _ := strings.Cut(strings.TrimPrefix(said[0], "script: "), ": ")
	return out, err
}

// prints runs a script that breaks nothing and returns what it printed.
func (s *stage) prints(text string) string {
	s.t.Helper()
	out, err := s.script(text)
	require.NoError(s.t, err)
	return out
}

// violates runs a script that breaks the interface and returns how.
func (s *stage) violates(text string) string {
	s.t.Helper()
	_, err := s.script(text)
	var v *host.Violation
	require.True(s.t, errors.As(err, &v), "the error is %v", err)
	return v.Error()
}

// given is a stream of events for OpenEvents, nil standing for an idle turn,
// which ends.
func given(events ...[]byte) func() ([]byte, abi.RC, error) {
	return func() ([]byte, abi.RC, error) {
		if len(events) == 0 {
			return nil, abi.EOF, nil
		}
		raw := events[0]
		events = events[1:]
		if raw == nil {
			return nil, abi.Timeout, nil
		}
		return raw, abi.Success, nil
	}
}

// next is the next event, which must be there.
func (s *stage) next() *host.Event {
	s.t.Helper()
	e, rc, err := s.Next()
	require.NoError(s.t, err)
	require.Equal(s.t, abi.Success, rc)
	return e
}
