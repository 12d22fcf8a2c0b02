// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/sinsp/stage"
)

// program starts a shell script in the framework's place.
func program(t *testing.T, script string) *stage.Process {
	t.Helper()
	p, err := stage.Start([]string{"sh", "-c", script})
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestAReplyHoldsAllThatHappened(t *testing.T) {
	p := program(t, `read -r command
echo '{"log":{"severity":6,"text":{"hex":"ff"}}}'
echo '{"event":{"inspector":"a","num":1,"type":322,"ts":18446744073709551615,"source":null,"values":{"a":18446744073709551615,"b":[1,"x"],"c":-1},"rules":{"r":"o"}}}'
echo '{"done":{"do":"next","result":"eof"}}'
echo '{"log":{"severity":7,"text":"late"}}'
read -r nothing`)
	r, err := p.Do(t.Context(), stage.Command{Do: "next"})
	require.NoError(t, err)
	assert.Equal(t, "eof", r.Done.Result)
	assert.Equal(t, []stage.Log{{Severity: 6, Text: "\xFF"}}, r.Logs)
	assert.Equal(t, []stage.Event{{
		Inspector: "a", Num: 1, Type: 322, TS: 1<<64 - 1, Rules: map[string]stage.Text{"r": "o"},
		Values: map[string]any{"a": uint64(1<<64 - 1), "b": []any{uint64(1), "x"}, "c": int64(-1)},
	}}, r.Events)
	require.Error(t, p.Close(), "the script's last read fails")
	assert.Len(t, p.Logs, 2)
	assert.NoError(t, p.Close(), "closing again does nothing")
}

func TestARefusalIsToldFromAProcessThatDied(t *testing.T) {
	_, err := program(t, `read -r c; echo '{"done":{"do":"open","error":"no such thing"}}'`).Do(t.Context(), stage.Command{Do: "open"})
	require.ErrorIs(t, err, stage.ErrRefused)
	assert.ErrorContains(t, err, "no such thing")

	for name, script := range map[string]string{
		"it says why it ends":     `read -r c; echo died >&2; exit 3`,
		"it says what is no JSON": `read -r c; echo '{' ; echo died >&2; exit 3`,
	} {
		_, err := program(t, script).Do(t.Context(), stage.Command{Do: "open"})
		require.Error(t, err, name)
		assert.NotErrorIs(t, err, stage.ErrRefused, name)
		assert.ErrorContains(t, err, "exit status 3", name)
	}
}

func TestStepsThatRanTogetherAreDoneBeforeTheCommand(t *testing.T) {
	p := program(t, `read -r c
echo '{"done":{"do":"next","inspector":"a","result":"eof"}}'
echo '{"done":{"do":"next","inspector":"b","error":"gone"}}'
echo '{"done":{"do":"together"}}'`)
	_, err := p.Do(t.Context(), stage.Command{Do: "together"})
	require.ErrorIs(t, err, stage.ErrRefused)
	assert.ErrorContains(t, err, "gone")
}

func TestAProcessThatDoesNotAnswerIsEnded(t *testing.T) {
	p := program(t, `read -r c; exec sleep 1000`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Do(ctx, stage.Command{Do: "open"})
	assert.ErrorIs(t, err, context.Canceled)
}
