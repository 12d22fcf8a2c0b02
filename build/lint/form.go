// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"bytes"
	"context"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// gofmt reports Go files that gofmt would change.
func gofmt(_ context.Context, l linter) ([]string, error) {
	var findings []string
	err := l.w.Walk(func(path, rel string, _ fs.DirEntry) error {
		if filepath.Ext(rel) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		formatted, err := format.Source(text)
		switch {
		case err != nil:
			findings = append(findings, rel+": "+err.Error())
		case !bytes.Equal(text, formatted):
			findings = append(findings, rel+": not formatted; run gofmt -w "+rel)
		}
		return nil
	})
	return findings, err
}

const licence = "SPDX-License-Identifier: Apache-2.0"

// spdx reports source files whose first comment line is not the licence.
func spdx(_ context.Context, l linter) ([]string, error) {
	var findings []string
	err := l.w.Walk(func(path, rel string, d fs.DirEntry) error {
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if want := commentOf(rel, text); want != "" && !licensed(string(text), want) && !generated.Match(text) {
			findings = append(findings, rel+": the first comment line must be: "+want+" "+licence)
		}
		return nil
	})
	return findings, err
}

// generated is how Go marks what no person wrote.
var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// commentOf returns how a comment begins in a source file of that name and content, or "" if it is no source file.
func commentOf(name string, text []byte) string {
	switch filepath.Ext(name) {
	case ".go", ".c", ".h", ".cc", ".cpp", ".hpp", ".S":
		return "//"
	case ".yaml", ".yml", ".sh":
		return "#"
	}
	if base := filepath.Base(name); base == "Makefile" || base == "GNUmakefile" {
		return "#"
	}
	if first, _, _ := bytes.Cut(text, []byte("\n")); bytes.HasPrefix(first, []byte("#!")) && bytes.HasSuffix(first, []byte("sh")) {
		return "#"
	}
	return ""
}

// licensed reports whether the first comment line is the licence. What has to
// stand before any comment may: a shebang, a build constraint, a document marker.
func licensed(text, comment string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line == "---" || strings.HasPrefix(line, "#!") || strings.HasPrefix(line, "//go:build "):
			continue
		case line == comment+" "+licence:
			return true
		default:
			return comment == "//" && line == "/* "+licence+" */"
		}
	}
	return false
}
