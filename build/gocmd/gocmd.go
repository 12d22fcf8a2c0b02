// SPDX-License-Identifier: Apache-2.0

// Package gocmd runs the go command, either with the caller's environment or
// with one in which nothing of the caller's can change what is compiled.
package gocmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Go is one way of running the go command. The zero value runs it in the
// current folder with the caller's environment and shows its messages.
type Go struct {
	Dir    string    // folder to run in; "" is the current one
	Env    []string  // whole environment, nil for the caller's
	Stdout io.Writer // nil: os.Stdout
	Stderr io.Writer // nil: os.Stderr
}

// Run runs `go args...`. The error names the command and its folder; what was
// wrong the go command itself has said on Stderr.
func (g Go) Run(ctx context.Context, args ...string) error {
	cmd := g.command(ctx, args)
	cmd.Stdout, cmd.Stderr = or(g.Stdout, os.Stdout), or(g.Stderr, os.Stderr)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running go %s%s: %w", strings.Join(args, " "), in(g.Dir), err)
	}
	return nil
}

// Output runs `go args...` and returns its standard output. What it said on
// standard error is part of the error, and of nothing if it succeeded.
func (g Go) Output(ctx context.Context, args ...string) (string, error) {
	cmd := g.command(ctx, args)
	var out, message bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &message
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("running go %s%s: %w: %s", strings.Join(args, " "), in(g.Dir), err, strings.TrimSpace(message.String()))
	}
	return out.String(), nil
}

func (g Go) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = g.Dir, g.Env
	return cmd
}

func or(w, fallback io.Writer) io.Writer {
	if w != nil {
		return w
	}
	return fallback
}

func in(dir string) string {
	if dir == "" {
		return ""
	}
	return " in " + dir
}

// Inherit returns the caller's environment with these settings ("NAME=value") in place of its own.
func Inherit(settings ...string) []string {
	return override(os.Environ(), settings)
}

// kept names the variables that decide how the tools reach files and the
// network, and nothing of what they compile.
var kept = []string{
	"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "NETRC", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
}

// keptGo names the go command's own settings of that kind. They may stand in
// its settings file as well (go env -w), which is therefore asked.
var keptGo = []string{
	"GOPATH", "GOMODCACHE", "GOCACHE", "GOTMPDIR", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOINSECURE", "GOAUTH", "GOVCS",
	"GOTOOLCHAIN",
}

// Hermetic returns an environment for builds whose result depends on the
// sources and the tools alone: what is not on a short list of the caller's
// variables is left out (GOFLAGS, CGO_CFLAGS, CPATH, LD_RUN_PATH, LANG, …),
// and the settings file of the go command is switched off. The toolchain that
// runs now stays the one that is used. Settings ("NAME=value") come last.
func Hermetic(ctx context.Context, dir string, settings ...string) ([]string, error) {
	asking := Inherit("GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off") // a mistake in one of them must not stop the question
	text, err := Go{Dir: dir, Env: asking}.Output(ctx, append([]string{"env", "-json"}, keptGo...)...)
	if err != nil {
		return nil, fmt.Errorf("reading the go command's settings: %w", err)
	}
	values := map[string]string{}
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, fmt.Errorf("reading the go command's settings: %w", err)
	}
	env := []string{"GOENV=off", "LC_ALL=C"}
	for _, name := range kept {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for _, name := range keptGo {
		if values[name] != "" {
			env = append(env, name+"="+values[name])
		}
	}
	return override(env, settings), nil
}

// override returns env with settings in place of entries of the same name.
func override(env, settings []string) []string {
	replaced := map[string]bool{}
	for _, s := range settings {
		name, _, _ := strings.Cut(s, "=")
		replaced[name] = true
	}
	var out []string
	for _, e := range env {
		if name, _, _ := strings.Cut(e, "="); !replaced[name] {
			out = append(out, e)
		}
	}
	return append(out, settings...)
}
