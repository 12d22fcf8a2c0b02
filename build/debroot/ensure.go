// SPDX-License-Identifier: Apache-2.0

package debroot

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// marker stands in a whole root or set and holds its recipe.
const marker = ".aerie-recipe"

// cached is the folder for a recipe. Another recipe has another folder, so a
// changed one never meets what an older one made.
func cached(name, recipe string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(recipe))
	return filepath.Join(cache, "aerie", "roots", name+"-"+hex.EncodeToString(sum[:4])), nil
}

// ensure calls build for a folder that is moved to final when build succeeds,
// unless final is there. Processes that want the same wait for one another.
func ensure(ctx context.Context, final string, log io.Writer, build func(dir string) error) error {
	if whole(final) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return err
	}
	unlock, err := lock(ctx, final+".lock", log)
	if err != nil {
		return err
	}
	defer unlock()
	if whole(final) {
		return nil
	}
	fresh := final + ".new"
	for _, half := range []string{fresh, final} {
		if err := remove(half, log); err != nil {
			return err
		}
	}
	if err := os.Mkdir(fresh, 0o755); err != nil {
		return err
	}
	if err := build(fresh); err != nil {
		return errors.Join(err, remove(fresh, io.Discard))
	}
	if err := os.WriteFile(filepath.Join(fresh, marker), []byte(filepath.Base(final)+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, final)
}

func whole(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, marker))
	return err == nil && strings.TrimSpace(string(text)) == filepath.Base(dir)
}

// lock waits for the lock on path. The kernel drops it with the process.
func lock(ctx context.Context, path string, log io.Writer) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		fmt.Fprintf(log, "waiting for another process that holds %s\n", path)
		got := make(chan error, 1)
		go func() { got <- syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }()
		select {
		case err := <-got:
			if err != nil {
				return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
			}
		case <-ctx.Done():
			return nil, ctx.Err() // the goroutine ends with the process that holds the lock, or with this one
		}
	}
	return func() { f.Close() }, nil
}

// remove deletes what an interrupted run left at dir. It refuses if a file
// system is mounted there: deleting would go through to what is mounted.
func remove(dir string, log io.Writer) error {
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	table, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("removing %s: looking for mounts below it: %w", dir, err)
	}
	defer table.Close()
	if at, err := mountedBelow(table, dir); err != nil || at != "" {
		return fmt.Errorf("removing %s: %w: %s; umount it first", dir, errors.Join(errBusy, err), at)
	}
	fmt.Fprintf(log, "removing the unfinished %s\n", dir)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing an unfinished root: %w", err)
	}
	return nil
}

// mountedBelow reads a table as proc(5) describes mountinfo: the fifth word of
// a line is the mount point, with blanks written in octal.
func mountedBelow(table io.Reader, dir string) (string, error) {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	lines := bufio.NewScanner(table)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 5 {
			continue
		}
		if at := unescape.Replace(words[4]); at == dir || strings.HasPrefix(at, dir+"/") {
			return at, nil
		}
	}
	return "", lines.Err()
}
