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

// lines is what f logs where there is no framework's function.
func lines(t *testing.T, f func()) string {
	file, err := os.Create(t.TempDir() + "/stderr")
	require.NoError(t, err)
	old := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = old }()
	f()
	got, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	return string(got)
}

func TestLinesBelowTheLevelAreDropped(t *testing.T) {
	sink := NewSink(nil, nil, "dummy")
	log := slog.New(NewHandler(sink))
	assert.Equal(t, "dummy: one\ndummy: three\ndummy: five\n", lines(t, func() {
		log.Log(t.Context(), slog.LevelDebug-4, "one")
		sink.SetLevel(slog.LevelWarn)
		log.Info("two")
		log.Warn("three")
		log.With("a", 1).WithGroup("g").Info("four")
		sink.SetLevel(slog.LevelDebug)
		log.Debug("five")
	}))
}

func TestWithoutALogFunctionLinesGoToStandardError(t *testing.T) {
	log := slog.New(NewHandler(NewSink(nil, nil, "dummy")))
	assert.Equal(t, "dummy: went wrong a=1 g.why=\"no reason\"\ndummy: plain\n", lines(t, func() {
		log.With("a", 1).WithGroup("g").Warn("went wrong", "why", "no reason")
		log.Info("plain")
	}))
}
