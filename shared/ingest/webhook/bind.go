// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// bind takes the address. The mode is that of a unix socket.
func bind(ctx context.Context, addr string, mode fs.FileMode) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return bindUnix(ctx, path, mode)
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("listen on %q: %w; want host:port, :port or unix:/path", addr, err)
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", addr)
}

// unixSocket removes its file when it is closed, unless somebody has put
// another one in its place.
type unixSocket struct {
	*net.UnixListener
	path string
	file fs.FileInfo
}

func (s *unixSocket) Close() error {
	if file, err := os.Lstat(s.path); err == nil && os.SameFile(file, s.file) {
		os.Remove(s.path)
	}
	return s.UnixListener.Close()
}

func bindUnix(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("listen on %q: want an absolute path, such as unix:/run/falco/collector.sock", "unix:"+path)
	}
	s, err := listenUnix(ctx, path, mode)
	if errors.Is(err, syscall.EADDRINUSE) {
		s, err = takeOver(ctx, path, mode)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func listenUnix(ctx context.Context, path string, mode fs.FileMode) (*unixSocket, error) {
	config := net.ListenConfig{
		// On Linux a socket's file is made with the mode of the socket, less
		// the umask: at no time can somebody connect whom mode excludes.
		Control: func(_, _ string, c syscall.RawConn) error {
			var err error
			if e := c.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), uint32(mode)) }); e != nil {
				return e
			}
			return err
		},
	}
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	s := &unixSocket{UnixListener: l.(*net.UnixListener), path: path}
	s.SetUnlinkOnClose(false)
	err = os.Chmod(path, mode) // adds what the umask took
	if err == nil {
		s.file, err = os.Lstat(path)
	}
	if err != nil {
		s.UnixListener.Close()
		os.Remove(path)
		return nil, fmt.Errorf("listen on %q: %w", "unix:"+path, err)
	}
	return s, nil
}

// takeOver replaces the socket of a process that has died. Two processes that
// try it at once are kept apart by a lock on the directory.
func takeOver(ctx context.Context, path string, mode fs.FileMode) (*unixSocket, error) {
	refuse := func(why error) (*unixSocket, error) {
		return nil, fmt.Errorf("listen on %q: %w", "unix:"+path, why)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return refuse(err)
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return refuse(fmt.Errorf("the socket exists, and another process holds the lock on its directory: %w", err))
	}
	file, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return refuse(err)
	case file.Mode().Type() != fs.ModeSocket:
		return refuse(errors.New("a file that is no socket is in the way"))
	default:
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
		if err == nil {
			c.Close()
			return refuse(fmt.Errorf("%w: a process answers there", syscall.EADDRINUSE))
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return refuse(fmt.Errorf("the socket exists, and connecting to it fails otherwise than with a refusal: %w", err))
		}
		if err := os.Remove(path); err != nil {
			return refuse(err)
		}
	}
	return listenUnix(ctx, path, mode)
}
