// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

func TestRunShowsATable(t *testing.T) {
	got := plughost(t, "run", full(t), "--open", "2 1", "--fields", "evt.num,full.strings,full.none", "--fields", "full.index[7]")
	assert.Equal(t, exitDone, got.code)
	assert.Equal(t, []string{
		"evt.num  full.strings  full.none  full.index[7]",
		"1        (a,)          <NA>       7",
		"2        (a,)          <NA>       7",
		"3        (a,)          <NA>       7",
	}, got.lines())
	assert.Regexp(t, `(?m)^plughost: 3 events in \S+ \(\d+/s\), 3 shown, 0 failed extractions, 2 log lines$`, got.stderr)
	assert.Contains(t, got.stderr, "[info] full: initialised\n[warning] part: of it\n")
}

func TestRunShowsJSONLines(t *testing.T) {
	got := plughost(t, "run", full(t), "--open", "1", "--json", "--fields",
		"evt.source,full.num,full.yes,full.ip,full.ips,full.strings,full.nums,full.none,full.payload,full.echo[a,<b>]")
	assert.Equal(t, exitDone, got.code)
	assert.Equal(t, `{"evt.source":"full_source","full.num":1001,"full.yes":true,"full.ip":"10.1.2.3","full.ips":["2001:db8::7","10.1.2.3"],`+
		`"full.strings":["a",""],"full.nums":[1001,2],"full.none":null,"full.payload":"{\"seq\": 1}",`+
		`"full.echo[a,<b>]":"key=a,<b> index=18446744073709551615 present=1 flist=0 ftype=9 fields=1 num=1 src=full_source offsets=0"}`+"\n", got.stdout)
}

func TestRunShowsTextsOfEventsUnlessToldOtherwise(t *testing.T) {
	got := plughost(t, "run", full(t), "--open", "1")
	assert.Equal(t, []string{"evt.num  evt.plugininfo", `1        event 1 of full_source: {"seq": 1}`}, got.lines())
}

// script is the fixture that runs scripts against the framework.
func script(t *testing.T) string { return fixture.Build(t, "../../testdata/script.c") }

func TestRunShowsAsyncEventsAndMetrics(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	const send = "Y tick 5 18446744073709551615 0 some-data"
	require.NoError(t, os.WriteFile(file, []byte("Y tock 1 1 1 x\n"), 0o600))
	got := plughost(t, "run", script(t), "--events", file, "--metrics", "--config", "script=set="+send)
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Equal(t, []string{
		"evt.num  evt.asynctype  evt.args",
		"1        tick           plugin_id=999 name=tick data=some-data",
		"2        <NA>           plugin_id=999 event_data=Y tock 1 1 1 x",
	}, got.lines())
	assert.Contains(t, got.stderr, "plughost: metric script.sent = 0 (counter)\n")
	assert.Contains(t, got.stderr, "plughost: 2 events in ")
	assert.Contains(t, got.stderr, ", 1 of them async, 2 shown,")
	assert.Contains(t, got.stderr, "plughost: plugin script: of its async events 0 were dropped without telling it, and 1 refused\n")
	assert.Contains(t, got.stderr, "[info] script: open\n")

	got = plughost(t, "run", script(t), "--events", file, "--routines", "1", "--json", "--fields", "evt.is_async",
		"--config", "script=open=T t threads 4; C e t; P e t 1 e; O r 2; J 2")
	assert.Equal(t, []string{`{"evt.is_async":false}`}, got.lines())
	assert.Contains(t, got.stderr, "[info] script: open: table created same routine\n")
	assert.Contains(t, got.stderr, "plughost: plugin script: it did not release 1 table entries in the calls that it got them in\n")
}

func TestMisuseOfTablesIsAFinding(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	require.NoError(t, os.WriteFile(file, []byte("T t threads 4; C e t; L t e\n"), 0o600))
	got := plughost(t, "run", script(t), "--events", file)
	assert.Equal(t, exitFault, got.code)
	assert.Contains(t, got.stderr, "plughost: finding: plugin script: plugin_parse_event broke the plugin interface: release_table_entry of table threads")
	got = plughost(t, "run", script(t), "--events", "/dev/null", "--config", "script=close=f")
	assert.Equal(t, exitFault, got.code)
	assert.Contains(t, got.stderr, "plughost: finding: close: capture_close error for plugin 'script' : told to fail")
}

func TestRunFiltersAndCounts(t *testing.T) {
	got := plughost(t, "run", full(t), "--open", "9", "--json", "--fields", "evt.num", "--filter", "evt.num > 3", "--count", "2")
	assert.Equal(t, exitDone, got.code)
	assert.Equal(t, []string{`{"evt.num":4}`, `{"evt.num":5}`}, got.lines())
	assert.Contains(t, got.stderr, "5 events in ")
	assert.Contains(t, got.stderr, ", 2 shown,")
}

func TestRunEndsAfterItsDuration(t *testing.T) {
	got := plughost(t, "run", full(t), "--open", "1 forever", "--json", "--duration", "50ms")
	assert.Equal(t, exitDone, got.code)
	assert.Regexp(t, `(?m)^plughost: \d events? in `, got.stderr)
}

func TestRunMakesEventsOfLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	require.NoError(t, os.WriteFile(file, []byte("one\n\ntwo\nthree"), 0o600))
	fields := []string{"--json", "--fields", "evt.num,evt.source,full.payload"}
	want := []string{
		`{"evt.num":1,"evt.source":"full_source","full.payload":"one"}`,
		`{"evt.num":2,"evt.source":"full_source","full.payload":"two"}`,
		`{"evt.num":3,"evt.source":"full_source","full.payload":"three"}`,
	}
	got := plughost(t, append([]string{"run", full(t), "--events", file}, fields...)...)
	assert.Equal(t, exitDone, got.code)
	assert.Equal(t, want, got.lines())

	cmd := command(t, append([]string{"run", full(t), "--events", "-"}, fields...)...)
	cmd.Stdin = strings.NewReader("one\ntwo\nthree\n")
	assert.Equal(t, want, finish(t, cmd).lines())

	got = plughost(t, "run", full(t), "--events", file, "--as", "other_source", "--json", "--fields", "evt.source,full.payload", "--count", "1")
	assert.Equal(t, []string{`{"evt.source":"other_source","full.payload":"one"}`}, got.lines())
	got = plughost(t, "run", full(t), "--events", file, "--as", "foreign", "--json", "--fields", "evt.source,full.payload", "--count", "1")
	assert.Equal(t, []string{`{"evt.source":"foreign","full.payload":null}`}, got.lines(), "the plugin does not extract from that source")
}

func TestRunGivesEachPluginItsConfig(t *testing.T) {
	got := plughost(t, "run", full(t), small(t), "--open", "1", "--json", "--fields", "full.config,small.x", "--config", `full={"size": 4}`)
	assert.Equal(t, exitDone, got.code)
	assert.Equal(t, []string{`{"full.config":"{\"size\": 4}","small.x":null}`}, got.lines())
	assert.Contains(t, got.stderr, "plughost: event 1: field small.x: extraction failed: small error (further failures of this field are only counted)")
	assert.Contains(t, got.stderr, ", 1 failed extraction,")
}

func TestRunReportsThePluginsFaults(t *testing.T) {
	lib := full(t)
	tests := map[string]struct {
		args []string
		want string
	}{
		"a configuration that the schema refuses": {[]string{"--config", `full={"size": 0}`}, `plugin full: error in plugin full init config: In <root>["size"], `},
		"a failed init":            {[]string{"--config", `full={"fail": "with-state"}`}, "plugin full: could not initialize plugin: told to fail"},
		"a failed open":            {[]string{"--open", "refuse"}, `open full with "refuse": xxx`},
		"a failure of the source":  {[]string{"--open", "1:failure"}, "the source failed, which ends Falco: end of step 1:failure"},
		"a success without events": {[]string{"--open", "0"}, "unexpected 0 size event returned by plugin: full"},
		"a wrong plugin ID":        {[]string{"--open", "wrongid"}, "expected_id=777, actual_id=778"},
		"a count without events":   {[]string{"--open", "null"}, "plugin_next_batch broke the plugin interface: a count of 1 with no events"},
		"a NULL string":            {[]string{"--open", "1", "--fields", "bad.nullstring"}, "plugin_extract_fields broke the plugin interface: field bad.nullstring: value 0 is a NULL string"},
		"an address of five bytes": {[]string{"--open", "1", "--filter", "bad.iplength = 1.2.3.4"}, "value 0 is an address of 5 bytes"},
		"a library that is none":   {[]string{"/nosuch.so"}, "load plugin library: /nosuch.so"},
		"two plugins of one name":  {[]string{lib}, `a plugin named "full" is already loaded`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := plughost(t, append([]string{"run", lib}, tt.args...)...)
			assert.Equal(t, exitFault, got.code)
			assert.Contains(t, got.stderr, "plughost: finding: ")
			assert.Contains(t, got.stderr, tt.want)
		})
	}
}

func TestRunReportsCrashes(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
		rows int
	}{
		"an abort": {
			[]string{"--open", "2 abort"},
			`the plugin's process was killed by SIGABRT \(last call: plugin_next_batch of libfull-\w+.so, last event: 2\)\n  \| about to abort\n$`, 2,
		},
		"a bad pointer": {[]string{"--open", "1 segv"}, `the plugin's process was killed by SIGSEGV \(last call: plugin_next_batch of libfull-\w+.so, last event: 1\)\n$`, 1},
		"an exit":       {[]string{"--open", "1 exit"}, `the plugin's process exited with code 7 \(last call: plugin_next_batch of `, 1},
		"an abort in a field": {
			[]string{"--open", "1", "--fields", "bad.abort"}, `the plugin's process was killed by SIGABRT \(last call: plugin_extract_fields of libfull-\w+.so, last event: 1\)\n$`, 0,
		},
		"an abort in init": {[]string{"--config", `full={"fail":"abort"}`}, `the plugin's process was killed by SIGABRT \(last call: plugin_init of libfull-\w+.so\)\n$`, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := plughost(t, append([]string{"run", full(t), "--json"}, tt.args...)...)
			assert.Equal(t, exitCrash, got.code)
			assert.Regexp(t, `plughost: finding: `+tt.want, got.stderr)
			assert.Equal(t, tt.rows, strings.Count(got.stdout, "\n"), "rows of batches before the crash are there")
		})
	}
}

func TestWhatPluginsPrintIsNoRow(t *testing.T) {
	got := plughost(t, "run", full(t), "--open", "shout", "--json", "--fields", "evt.num")
	assert.Equal(t, "{\"evt.num\":1}\n", got.stdout)
	assert.Contains(t, got.stderr, "to stdout\nto stderr\n")
}

// started is a run whose first row has been read.
func started(t *testing.T, script string) (cmd *exec.Cmd, rest io.Reader, stderr *strings.Builder) {
	t.Helper()
	cmd = command(t, "run", full(t), "--open", script, "--json", "--fields", "evt.num")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr = &strings.Builder{}
	cmd.Stderr = stderr
	require.NoError(t, cmd.Start())
	r := bufio.NewReader(stdout)
	row, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "{\"evt.num\":1}\n", row)
	return cmd, r, stderr
}

func TestAnInterruptEndsARunCleanly(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd, rest, stderr := started(t, "1 forever")
		require.NoError(t, cmd.Process.Signal(sig))
		_, err := io.ReadAll(rest)
		require.NoError(t, err)
		assert.NoError(t, cmd.Wait(), "exit code 0")
		assert.Contains(t, stderr.String(), "plughost: 1 event in ")
	}
}

func TestASecondInterruptEndsARunThatHangs(t *testing.T) {
	cmd, rest, stderr := started(t, "1 wait")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	_, err := io.ReadAll(rest)
	require.NoError(t, err)
	assert.Error(t, cmd.Wait())
	assert.Equal(t, exitCrash, cmd.ProcessState.ExitCode())
	assert.Regexp(t, `finding: the plugin's process was killed at the second interrupt: it had not stopped yet \(last call: plugin_next_batch of `, stderr.String())
}

func TestAChildDoesNotOutliveItsParent(t *testing.T) {
	cmd, rest, _ := started(t, "1 forever")
	require.NoError(t, cmd.Process.Kill())
	// Standard output is the child's too: it ends when both are gone.
	_, err := io.ReadAll(rest)
	require.NoError(t, err)
	assert.Error(t, cmd.Wait())
}

// erased is what a terminal no longer shows: a line up to where it was erased.
var erased = regexp.MustCompile(`[^\n]*\r\x1b\[K`)

func TestProgressIsShownOnATerminal(t *testing.T) {
	master, slave := pty(t)
	cmd := command(t, "run", full(t), "--open", "3", "--fields", "evt.num")
	cmd.Stdout, cmd.Stderr = slave, slave
	require.NoError(t, cmd.Start())
	slave.Close()
	shown, _ := io.ReadAll(master) // ends with an error when the last user of the terminal is gone
	require.NoError(t, cmd.Wait())
	text := string(shown)
	assert.Regexp(t, `\r\x1b\[K3 events, \d+/s`, text)
	plain := erased.ReplaceAllString(strings.ReplaceAll(text, "\r\n", "\n"), "")
	assert.Contains(t, plain, "evt.num\n1\n2\n3\n", "rows are whole")
	assert.Regexp(t, `\r\x1b\[Kplughost: 3 events in `, text, "the progress line is gone before the summary")
}
