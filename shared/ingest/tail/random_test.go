// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// TestWhateverHappensToALogEachLineIsReadOnce does at random what happens to logs, with
// reads, restarts and unconsumed batches in between. Truncation, which no reader can see
// in time, waits until everything was read.
func TestWhateverHappensToALogEachLineIsReadOnce(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { randomly(t, rand.New(rand.NewPCG(seed, 1)), 150) })
	}
}

func randomly(t *testing.T, random *rand.Rand, steps int) {
	r := newRig(t)
	r.options.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	r.options.Poll, r.options.Grace = time.Millisecond, time.Hour
	r.options.blind = random.IntN(2) == 0
	small := source.NewBatch(1000, 150)
	t.Cleanup(small.Free)
	large := r.batch
	r.write(r.path, "old\n")
	r.open()

	var (
		n, rotations int
		half         string   // of the last line, that was not written yet
		written      []string // lines that are whole, and were not read yet
		stale        string   // a file that was replaced and is still written to
	)
	line := func() string {
		n++
		return fmt.Sprintf("line-%d-%s", n, strings.Repeat("x", random.IntN(60)))
	}
	finish := func() {
		if half != "" {
			r.write(r.path, half+"\n")
			half = ""
		}
	}
	read := func() {
		r.comesInAnyOrder(written...)
		written = nil
		r.nothing()
	}
	for range steps {
		switch random.IntN(9) {
		case 0, 1:
			finish()
			for range random.IntN(5) {
				text := line()
				r.write(r.path, text+"\n")
				written = append(written, text)
			}
		case 2:
			finish()
			text := line()
			r.write(r.path, text[:3])
			half = text[3:]
			written = append(written, text)
		case 3:
			finish()
			rotations++
			name := r.beside(fmt.Sprintf("audit-%04d.log", rotations))
			r.rename(r.path, name)
			at := time.Now().Add(time.Duration(rotations-1000) * time.Second)
			require.NoError(t, os.Chtimes(name, at, at)) // as if it were a while ago
			r.write(r.path, "")
			stale = ""
			if random.IntN(2) == 0 {
				read() // so that it is known
				stale = name
			}
		case 4:
			finish()
			read()
			require.NoError(t, os.Truncate(r.path, 0))
			r.nothing()
			r.until("the truncation is seen", func() bool {
				last := r.source.generations[len(r.source.generations)-1]
				return last.reader.Position() == 0
			})
		case 5:
			if stale != "" {
				text := line()
				r.write(stale, text+"\n")
				written = append(written, text)
			}
		case 6:
			r.batch = []*source.Batch{small, large}[random.IntN(2)]
			if half == "" {
				read()
			}
		case 7:
			if half == "" {
				read()
				r.close()
				r.open()
			}
		case 8:
			// What was taken and not consumed comes again after a restart.
			require.NoError(t, r.source.Next(cancelled(t), r.batch))
			r.batch.Deliver(false)
			r.close()
			r.open()
		}
	}
	finish()
	read()
}
