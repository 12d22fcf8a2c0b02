// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newCheckpointRig(t *testing.T) *rig {
	r := newRig(t)
	r.options.Checkpoint = r.beside("checkpoint.json")
	return r
}

// take reads one batch and leaves it unconsumed.
func (r *rig) take() []string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	require.NoError(r.t, r.source.Next(ctx, r.batch))
	return r.events()
}

func TestARestartGoesOnBehindWhatWasConsumed(t *testing.T) {
	r := newCheckpointRig(t)
	r.write(r.path, "old\n")
	r.open()
	r.write(r.path, "1\n2\n")
	r.comes("1", "2")
	r.close()
	r.write(r.path, "3\n")
	r.open()
	r.comes("3")
	r.nothing()
}

func TestWhatWasNotConsumedComesAgain(t *testing.T) {
	r := newCheckpointRig(t)
	r.write(r.path, "")
	r.open()
	r.write(r.path, "1\n")
	r.comes("1")
	r.write(r.path, "2\n")
	require.Equal(t, []string{"2"}, r.take())
	r.batch.Deliver(false)
	r.close()
	r.open()
	r.comes("2")
}

func TestALineCountsAsConsumedWithItsLastEvent(t *testing.T) {
	r := newCheckpointRig(t)
	r.write(r.path, "")
	r.open()
	r.write(r.path, "one two three four\n")
	free := r.batch.Free
	t.Cleanup(free)
	r.batch = smallBatch(t)
	first := r.take()
	require.Less(t, len(first), 4)
	r.batch.Deliver(true)
	r.close()
	r.open()
	r.comes("one", "two", "three", "four")
}

func TestWhatIsWrittenAfterOpenSurvivesARestartBeforeTheFirstEvent(t *testing.T) {
	r := newCheckpointRig(t)
	r.write(r.path, "old\n")
	r.open()
	r.write(r.path, "1\n")
	r.close()
	r.open()
	r.comes("1")
}

func TestAFileThatAppearsWhileNobodyLooksIsReadWhole(t *testing.T) {
	r := newCheckpointRig(t)
	r.open()
	r.close()
	r.write(r.path, "1\n")
	r.open()
	r.comes("1")
}

func TestRotationsWhileNobodyLooks(t *testing.T) {
	r := newCheckpointRig(t)
	r.write(r.path, "")
	r.open()
	r.write(r.path, "1\n")
	r.comes("1")
	r.close()
	r.write(r.path, "2\n")
	for i, text := range []string{"3\n", "4\n"} {
		r.rename(r.path, r.beside("audit-"+string(rune('1'+i))+".log"))
		r.write(r.path, text)
		at := time.Now().Add(time.Duration(i+1) * time.Second)
		require.NoError(t, os.Chtimes(r.path, at, at))
	}
	r.open()
	r.comes("2", "3", "4")
	r.nothing()
}

func TestATruncationWhileNobodyLooks(t *testing.T) {
	for name, text := range map[string]string{"to less": "9\n", "and more written": "a long line that is past where it was\n9\n"} {
		t.Run(name, func(t *testing.T) {
			r := newCheckpointRig(t)
			r.write(r.path, "")
			r.open()
			r.write(r.path, "first\nsecond\n")
			r.comes("first", "second")
			r.close()
			require.NoError(t, os.WriteFile(r.path, []byte(text), 0o600))
			r.open()
			for {
				got := r.take()
				r.batch.Deliver(true)
				if got[len(got)-1] == "9" {
					break
				}
			}
		})
	}
}

func TestAnotherFileInTheSamePlaceIsReadWhole(t *testing.T) {
	r := newCheckpointRig(t)
	r.write(r.path, "")
	r.open()
	r.write(r.path, "1\n")
	r.comes("1")
	r.close()
	require.NoError(t, os.Remove(r.path))
	r.write(r.path, "2\n3\n4\n")
	r.open()
	r.comes("2", "3", "4")
}

func TestBothFilesOfARotationAreRemembered(t *testing.T) {
	r := newCheckpointRig(t)
	r.options.Grace = time.Hour
	r.write(r.path, "")
	r.open()
	r.write(r.path, "1\n")
	r.comes("1")
	r.rename(r.path, r.beside("audit.log.1"))
	r.write(r.path, "2\n")
	r.comes("2")
	r.close()
	r.write(r.beside("audit.log.1"), "late\n")
	r.write(r.path, "3\n")
	r.open()
	r.comes("late", "3")
	r.nothing()
}

func TestACheckpointIsSavedWithoutAClose(t *testing.T) {
	r := newCheckpointRig(t)
	r.write(r.path, "")
	r.open()
	before, err := os.ReadFile(r.options.Checkpoint)
	require.NoError(t, err)
	r.write(r.path, "1\n")
	r.comes("1")
	r.until("the checkpoint is saved", func() bool {
		now, err := os.ReadFile(r.options.Checkpoint)
		require.NoError(t, err, "it is there at any time")
		return string(now) != string(before)
	})
}

func TestACheckpointThatCannotServeIsAnError(t *testing.T) {
	r := newCheckpointRig(t)
	for text, want := range map[string]string{
		"":                          "it is none of version 1",
		"{}":                        "it is none of version 1",
		`{"Version":1,"Path":"/x"}`: `it is for "/x"`,
		string(make([]byte, 2<<20)): "it has 2097152 bytes",
	} {
		require.NoError(t, os.WriteFile(r.options.Checkpoint, []byte(text), 0o600))
		_, err := Open(t.Context(), r.path, r.options)
		assert.ErrorContains(t, err, want)
	}
	r.options.Checkpoint = "/nowhere/checkpoint.json"
	_, err := Open(t.Context(), r.path, r.options)
	assert.ErrorContains(t, err, "write checkpoint: ")
}
