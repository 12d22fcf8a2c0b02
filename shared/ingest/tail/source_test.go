// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// each runs a test with inotify, and with nothing but looking now and then.
func each(t *testing.T, f func(r *rig)) {
	t.Run("watched", func(t *testing.T) {
		r := newRig(t)
		r.options.Poll = patience * 2 // too late for any test
		f(r)
	})
	t.Run("looked at", func(t *testing.T) {
		r := newRig(t)
		r.options.blind, r.options.Poll = true, 5*time.Millisecond
		f(r)
	})
}

func TestWhatWasThereBeforeIsNotRead(t *testing.T) {
	each(t, func(r *rig) {
		r.write(r.path, "old\nolder\n")
		r.open()
		r.nothing()
		r.write(r.path, "new\n")
		r.comes("new")
	})
}

func TestWhatIsWrittenRightAfterOpenIsRead(t *testing.T) {
	for range 20 {
		r := newRig(t)
		r.write(r.path, "old\n")
		r.open()
		r.write(r.path, "new\n") // before the first Next
		r.comes("new")
	}
}

func TestAFileThatIsMissingIsAwaited(t *testing.T) {
	each(t, func(r *rig) {
		r.open()
		r.nothing()
		r.write(r.path, "first\n")
		r.comes("first")
	})
}

func TestAMissingDirectoryIsAnError(t *testing.T) {
	_, err := Open(t.Context(), "/nowhere/audit.log", Options{})
	assert.EqualError(t, err, `follow "/nowhere/audit.log": stat /nowhere: no such file or directory`)
}

func TestWhatIsNoFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(t.Context(), dir, Options{})
	assert.EqualError(t, err, fmt.Sprintf(`follow %q: %[1]q is of type d---------; want a file`, dir))
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err = Open(t.Context(), pipe, Options{})
	assert.ErrorContains(t, err, "want a file", "and opening it did not wait for a writer")
}

func TestALineThatComesInPiecesIsOneLine(t *testing.T) {
	each(t, func(r *rig) {
		r.write(r.path, "")
		r.open()
		r.write(r.path, "he")
		r.nothing()
		r.write(r.path, "ll")
		r.nothing()
		r.write(r.path, "o\nwor")
		r.comes("hello")
		r.write(r.path, "ld\n")
		r.comes("world")
	})
}

func TestALineThatIsTooLongIsLeftOutAndTheNextIsRead(t *testing.T) {
	r := newRig(t)
	r.open()
	r.write(r.path, strings.Repeat("x", 100)+"\n"+strings.Repeat("y", 101)+"\nnext\n")
	r.comes(strings.Repeat("x", 100), "next")
	r.write(r.path, strings.Repeat("z", 500_000))
	r.nothing()
	r.write(r.path, strings.Repeat("z", 500_000)+"\nlast\n")
	r.comes("last")
}

func TestALineThatIsRefusedDoesNoHarm(t *testing.T) {
	r := newRig(t)
	r.open()
	r.write(r.path, "one two\n!bad\n\n  \r\nthree\r\n")
	r.comes("one", "two", "three")
}

func TestALineMayFillSeveralBatches(t *testing.T) {
	r := newRig(t)
	r.batch = source.NewBatch(1000, 150)
	t.Cleanup(r.batch.Free)
	r.open()
	r.write(r.path, "a b c d e f g\nh i\n")
	r.comes("a", "b", "c", "d", "e", "f", "g", "h", "i")
}

func TestRotationByRename(t *testing.T) {
	each(t, func(r *rig) {
		r.write(r.path, "old\n")
		r.open()
		r.write(r.path, "1\n2")
		r.comes("1")
		r.rename(r.path, r.beside("audit.log.1"))
		r.write(r.beside("audit.log.1"), "\n3\n")
		r.write(r.path, "4\n")
		r.comes("2", "3", "4")
		r.write(r.path, "5\n")
		r.comes("5")
		r.until("the replaced file is closed", func() bool { return len(r.source.generations) == 1 })
	})
}

func TestWhatIsWrittenToAReplacedFileIsReadForAWhile(t *testing.T) {
	each(t, func(r *rig) {
		r.options.Grace = time.Hour
		r.write(r.path, "")
		r.open()
		late, err := os.OpenFile(r.path, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		defer late.Close()
		r.rename(r.path, r.beside("audit-1.log"))
		r.write(r.path, "new\n")
		r.comes("new")
		_, err = late.WriteString("late\n")
		require.NoError(t, err)
		r.comes("late")
	})
}

func TestAReplacedFileIsReadAlthoughItWasRemoved(t *testing.T) {
	each(t, func(r *rig) {
		r.write(r.path, "")
		r.open()
		r.write(r.path, "1\n2")
		require.NoError(t, os.Remove(r.path))
		r.write(r.path, "3\n")
		r.comesInAnyOrder("1", "2", "3")
	})
}

func TestAHalfLineIsALineWhenTheFileIsGone(t *testing.T) {
	each(t, func(r *rig) {
		r.options.Poll = 5 * time.Millisecond
		r.write(r.path, "")
		r.open()
		r.write(r.path, "half")
		r.nothing()
		require.NoError(t, os.Remove(r.path))
		r.comes("half")
	})
}

func TestFilesThatCameAndWentUnseenAreRead(t *testing.T) {
	r := newRig(t)
	r.write(r.path, "")
	r.write(r.beside("audit-0.log"), "long ago\n")
	past := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(r.beside("audit-0.log"), past, past))
	r.open()
	r.write(r.path, "1\n")
	for i := range 3 {
		r.rename(r.path, r.beside(fmt.Sprintf("audit-%d.log", i+1)))
		r.write(r.path, fmt.Sprintf("%d\n", i+2))
		at := time.Now().Add(time.Duration(i+1) * time.Second)
		require.NoError(t, os.Chtimes(r.path, at, at))
	}
	r.write(r.beside("audit-policy.log"), "another file\n")
	r.comes("1", "2", "3", "4")
	r.nothing()
}

func TestTruncation(t *testing.T) {
	each(t, func(r *rig) {
		r.write(r.path, "")
		r.open()
		r.write(r.path, "1\n2\nhalf")
		r.comes("1", "2")
		require.NoError(t, os.Truncate(r.path, 0))
		r.write(r.path, "3\n")
		r.comes("half", "3")
		r.write(r.path, "4\n")
		r.comes("4")
	})
}

func TestATruncationIsSeenAlthoughTheFileHasGrownPastIt(t *testing.T) {
	each(t, func(r *rig) {
		r.write(r.path, "")
		r.open()
		r.write(r.path, "1\n2\n")
		r.comes("1", "2")
		require.NoError(t, os.WriteFile(r.path, []byte("3\n4\n5\n6\n7\n"), 0o600))
		r.comes("3", "4", "5", "6", "7")
	})
}

func TestASymbolicLinkIsFollowed(t *testing.T) {
	each(t, func(r *rig) {
		elsewhere := t.TempDir()
		first, second := filepath.Join(elsewhere, "a"), filepath.Join(elsewhere, "b")
		r.write(first, "old\n")
		require.NoError(t, os.Symlink(first, r.path))
		r.open()
		r.write(first, "1\n")
		r.comes("1")
		r.write(second, "2\n")
		require.NoError(t, os.Symlink(second, r.beside("new")))
		r.rename(r.beside("new"), r.path)
		r.comes("2")
		r.write(second, "3\n")
		r.comes("3")
	})
}

func TestAFileThatIsRenamedAwayAndBackIsNotReadTwice(t *testing.T) {
	each(t, func(r *rig) {
		r.options.Grace = time.Hour
		r.write(r.path, "")
		r.open()
		r.write(r.path, "1\n")
		r.comes("1")
		r.rename(r.path, r.beside("away"))
		r.write(r.path, "2\n")
		r.comes("2")
		r.rename(r.beside("away"), r.path)
		r.write(r.path, "3\n")
		r.comes("3")
		r.nothing()
	})
}

// Such as a file on a network file system that was removed there.
func TestAReplacedFileThatCannotBeReadKeepsNoOtherFromBeingRead(t *testing.T) {
	each(t, func(r *rig) {
		r.options.Grace = time.Hour
		r.write(r.path, "")
		r.open()
		r.write(r.path, "1\n")
		r.comes("1")
		require.NoError(t, r.source.generations[0].file.Close())
		r.rename(r.path, r.beside("audit.log.1"))
		r.write(r.path, "2\n")
		r.source.watch.again()
		err := r.source.Next(cancelled(t), r.batch)
		assert.ErrorContains(t, err, "file already closed", "for the time of grace it is tried again")
		require.Len(t, r.source.generations, 2)
		r.source.options.Grace = 0
		r.comes("2")
		r.write(r.path, "3\n")
		r.comes("3")
	})
}

func TestAFileIsOpenedByItsIdentityWhileNamesChange(t *testing.T) {
	r := newRig(t)
	r.write(r.path, "")
	r.write(r.beside("other"), "")
	r.open()
	id := r.source.generations[0].identity
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			for _, names := range [][2]string{{r.path, r.beside("x")}, {r.beside("other"), r.path}, {r.beside("x"), r.beside("other")}} {
				if !assert.NoError(t, os.Rename(names[0], names[1])) {
					return
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	opened := 0
	for end := time.Now().Add(patience); opened < 300 && time.Now().Before(end); {
		_, file, err := r.source.openByIdentity(id)
		if err != nil {
			continue // it was renamed at each try
		}
		about, err := file.Stat()
		file.Close()
		if !assert.NoError(t, err) || !assert.Equal(t, id, identityOf(about)) {
			break
		}
		opened++
	}
	close(stop)
	<-stopped
	assert.Equal(t, 300, opened)
}

func TestManyRotationsLoseAndRepeatNothing(t *testing.T) {
	each(t, func(r *rig) {
		r.write(r.path, "")
		r.open()
		const files, perFile = 20, 50
		go func() {
			n := 0
			for i := range files {
				f, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
				if !assert.NoError(t, err) {
					return
				}
				for range perFile {
					n++
					fmt.Fprintf(f, "%d", n)
					fmt.Fprintf(f, "\n")
				}
				assert.NoError(t, os.Rename(r.path, r.beside(fmt.Sprintf("audit-%03d.log", i))))
				f.Close()
			}
			f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY, 0o600)
			if assert.NoError(t, err) {
				fmt.Fprintln(f, "end")
				f.Close()
			}
		}()
		var want []string
		for n := range files * perFile {
			want = append(want, fmt.Sprint(n+1))
		}
		r.comesInAnyOrder(append(want, "end")...)
	})
}

func TestClosingIsQuickAndLeavesNothingBehind(t *testing.T) {
	files := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(entries)
	}
	r := newRig(t)
	r.write(r.path, "x\n")
	r.open()
	r.close()
	before := files()
	for range 100 {
		r.open()
		r.nothing()
		r.close()
	}
	assert.LessOrEqual(t, files(), before)
}
