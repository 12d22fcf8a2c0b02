// SPDX-License-Identifier: Apache-2.0

package hostlog

import (
	"log/slog"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
)

func TestLevelsBecomeTheFrameworksSeverities(t *testing.T) {
	for level, want := range map[slog.Level]uint32{
		slog.LevelError + 4: abi.SeverityCritical, slog.LevelError: abi.SeverityError, slog.LevelWarn: abi.SeverityWarning,
		LevelNotice: abi.SeverityNotice, slog.LevelInfo: abi.SeverityInfo, slog.LevelDebug: abi.SeverityDebug, slog.LevelDebug - 4: abi.SeverityTrace,
	} {
		assert.Equal(t, want, severity(level), "%v", level)
	}
}

func TestWithoutALogFunctionLinesGoToStandardError(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/stderr")
	require.NoError(t, err)
	old := os.Stderr
	os.Stderr = file
	t.Cleanup(func() { os.Stderr = old })
	log := slog.New(NewHandler(NewSink(nil, nil, "dummy")))
	log.With("a", 1).WithGroup("g").Warn("went wrong", "why", "no reason")
	log.Info("plain")
	got, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	assert.Equal(t, "dummy: went wrong a=1 g.why=\"no reason\"\ndummy: plain\n", string(got))
}
