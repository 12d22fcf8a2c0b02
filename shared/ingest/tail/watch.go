// SPDX-License-Identifier: Apache-2.0

package tail

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"

	"github.com/aerie-falco/aerie/shared/plugin"
)

// watch tells that something happens to a file. It is a help only: without it, or
// when it is wrong, the file is looked at now and then.
type watch struct {
	ctx     context.Context
	wake    chan struct{} // holds a token when the file should be looked at
	watcher *fsnotify.Watcher
	ended   chan struct{}

	mu     sync.Mutex
	dirs   []string
	names  []string // of the file in them
	others bool     // what happens to other files in them matters, too
}

func newWatch(ctx context.Context, path string, blind bool) *watch {
	w := &watch{ctx: ctx, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	if blind {
		return w
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		plugin.Log(ctx).Warn("cannot watch files, only look at them once a second: "+err.Error(), "file", path)
		return w
	}
	w.watcher = watcher
	w.follow(path)
	plugin.Go(ctx, "watch "+path, func(context.Context) {
		defer close(w.ended)
		w.run()
	})
	return w
}

// follow watches the directories of the path and, where it is a symbolic link, of
// what it leads to now.
func (w *watch) follow(path string) {
	if w.watcher == nil {
		return
	}
	dirs, names := []string{filepath.Dir(path)}, []string{filepath.Base(path)}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		names = append(names, filepath.Base(target))
		if dir := filepath.Dir(target); dir != dirs[0] {
			dirs = append(dirs, dir)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, dir := range w.dirs {
		if !slices.Contains(dirs, dir) {
			w.watcher.Remove(dir) // it may be gone
		}
	}
	for _, dir := range dirs {
		// Also where it is watched already: it may have been replaced.
		if err := w.watcher.Add(dir); err != nil {
			plugin.LogLimited(w.ctx, slog.LevelWarn, "watch", "cannot watch a directory, only look at it once a second: "+err.Error(), "directory", dir)
		}
	}
	w.dirs, w.names = dirs, names
}

// all makes changes of all files in the directories count, or those of the file only.
func (w *watch) all(others bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.others = others
}

func (w *watch) run() {
	for {
		select {
		case e, ok := <-w.watcher.Events:
			if !ok {
				return
			}
			if e.Op != fsnotify.Chmod && w.matters(filepath.Base(e.Name)) {
				w.again()
			}
		case err, ok := <-w.watcher.Errors:
			if !ok {
				return
			}
			plugin.LogLimited(w.ctx, slog.LevelDebug, "watch", "watching files: "+err.Error())
			w.again()
		}
	}
}

func (w *watch) matters(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.others || slices.Contains(w.names, name)
}

// changed tells whether there was a change since the last time.
func (w *watch) changed() bool {
	select {
	case <-w.wake:
		return true
	default:
		return false
	}
}

// again makes the next changed true.
func (w *watch) again() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watch) close() {
	if w.watcher != nil {
		w.watcher.Close()
		<-w.ended
	}
}
