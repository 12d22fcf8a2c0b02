// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

func TestOpenParamsNameAPlace(t *testing.T) {
	for params, want := range map[string]place{
		"http://:9765/k8s-audit":               {"http", ":9765", "/k8s-audit"},
		"http://:9765":                         {"http", ":9765", "/"},
		"https://[::1]:9765/a/b/":              {"https", "[::1]:9765", "/a/b/"},
		"HTTP://localhost:9765/X":              {"http", "localhost:9765", "/X"},
		" http://:9765/a%20b ":                 {"http", ":9765", "/a b"},
		"file:///var/log/audit.log":            {"file", "", "/var/log/audit.log"},
		"file://localhost/var/log/audit.log":   {"file", "", "/var/log/audit.log"},
		"file:///var/log/a%20b%3Fc%23d%25.log": {"file", "", "/var/log/a b?c#d%.log"},
		"/var/log/audit.log":                   {"", "", "/var/log/audit.log"},
		"\t/var/log/audit \n":                  {"", "", "/var/log/audit"},
		"audit.json":                           {"", "", "audit.json"},
		"/x/50%.json":                          {"", "", "/x/50%.json"},
		"aud:it.json":                          {"", "", "aud:it.json"},
		"http:/x":                              {"", "", "http:/x"},
		"file:/x":                              {"", "", "file:/x"},
		"9x://y":                               {"", "", "9x://y"},
		"a b://c":                              {"", "", "a b://c"},
		"://x":                                 {"", "", "://x"},
		"./http://x":                           {"", "", "./http://x"},
	} {
		got, err := readOpenParams(params)
		require.NoError(t, err, params)
		assert.Equal(t, want, got, params)
	}
}

func TestOpenParamsThatCannotServeAreErrors(t *testing.T) {
	dir := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for params, want := range map[string]string{
		"":                                       `open parameters "": want http://HOST:PORT/PATH, https://HOST:PORT/PATH, file:///PATH, or the path of a file or directory; they are empty`,
		" \n":                                    `open parameters " \n": want http://HOST:PORT/PATH, https://HOST:PORT/PATH, file:///PATH, or the path of a file or directory; they are empty`,
		"xyz://a":                                `open parameters "xyz://a": unknown scheme "xyz"; use http, https, file or a path`,
		"FTP://a/b":                              `open parameters "FTP://a/b": unknown scheme "ftp"; use http, https, file or a path`,
		"http://localhost/x":                     `open parameters "http://localhost/x": want a port, as in http://:9765/k8s-audit`,
		"http://":                                `open parameters "http://": want a port, as in http://:9765/k8s-audit`,
		"http://:x/":                             `open parameters "http://:x/": invalid port ":x" after host`,
		"http://u:p@:1/":                         `open parameters "http://…@:1/": want no user in the address; a bearer token is set by webhook.bearerToken in init_config`,
		"http://u:p@x@h:port/":                   `open parameters "http://…@h:port/": invalid port ":port" after host`,
		"http://:9765/%zz":                       `open parameters "http://:9765/%zz": invalid URL escape "%zz"`,
		"http://127.0.0.1:65536/":                `listen tcp: address 65536: invalid port`,
		"http://" + taken.Addr().String() + "/x": `listen tcp ` + taken.Addr().String() + `: bind: address already in use`,
		"https://127.0.0.1:0/x":                  `tls: stat /etc/falco/falco.pem: no such file or directory`,
		"file://":                                `open parameters "file://": want an absolute path, as in file:///var/log/kube-audit.log`,
		"file://rel":                             `open parameters "file://rel": want an absolute path, as in file:///var/log/kube-audit.log`,
		"file://rel/path":                        `open parameters "file://rel/path": want no host but localhost, and an absolute path, as in file:///var/log/kube-audit.log`,
		"file:///a%zz":                           `open parameters "file:///a%zz": invalid URL escape "%zz"`,
		"file:///a?b":                            `open parameters "file:///a?b": want ? and # in the path to be written as %3F and %23`,
		"file://" + dir:                          fmt.Sprintf(`follow %q: %[1]q is of type d---------; want a file`, dir),
		"file:///nowhere/a.log":                  `follow "/nowhere/a.log": stat /nowhere: no such file or directory`,
		"/nowhere/a.json":                        `read events: stat /nowhere/a.json: no such file or directory`,
	} {
		in, err := state(t, "").Open(t.Context(), params)
		assert.Nil(t, in)
		assert.EqualError(t, err, want)
	}
}

// What the official plugin cannot open, or opens to stay silent.
func TestPathsArePathsAndNotAddresses(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"50%.json", "aud:it.json", "a b", "a?b#c"} {
		write(t, filepath.Join(dir, name), one+"\n", 0)
		for _, params := range []string{filepath.Join(dir, name), name, " " + name + "\n"} {
			assert.Equal(t, []string{one}, payloads(open(t, "", params).all()), params)
		}
	}
}

func TestAnAddressWithoutAPathTakesAllPaths(t *testing.T) {
	for _, params := range []string{"http://127.0.0.1:0", "http://127.0.0.1:0/"} {
		r := open(t, "", params)
		for _, path := range []string{"", "/", "/any", "/any/other?x=1"} {
			answer := r.send("POST", r.url[:len("http://")]+r.addr()+path, "application/json", bodyOf(one))
			assert.Equal(t, []emitted{{one, oneAt}}, r.next())
			r.batch.Deliver(true)
			assert.Equal(t, 200, r.answer(answer).code, path)
		}
	}
}

func TestAFailedOpenLeavesNothingBehind(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	params := "http://" + l.Addr().String() + "/x"
	p := state(t, "")
	for range 10 {
		_, err := p.Open(t.Context(), params)
		require.ErrorContains(t, err, "address already in use")
	}
	require.NoError(t, l.Close())
	open(t, "", params).lives()
}

func TestAnEventIsShownAsItsPayload(t *testing.T) {
	raw := event.Encode(1, 1, []byte(one))
	e := event.New(raw, 7, "k8s_audit")
	text, err := New().EventString(&e)
	require.NoError(t, err)
	assert.Equal(t, one, text)
	raw[20], raw[21] = 1, 0 // the type, in little endian
	e = event.New(raw, 7, "syscall")
	_, err = New().EventString(&e)
	assert.EqualError(t, err, "show event 7: it is of type 1 and has no plugin payload")
}

func TestThereIsNothingToSuggest(t *testing.T) {
	var p any = New()
	_, lists := p.(source.OpenParamLister)
	assert.False(t, lists, "the kit offers an empty list then")
}

func TestFilesThatEndSayHowFarTheyAre(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), one, time.Hour)
	read := open(t, "", dir)
	p, ok := read.instance.(source.Progresser)
	require.True(t, ok)
	fraction, text := p.Progress()
	assert.Zero(t, fraction)
	assert.Equal(t, "0.0%, file 1 of 1", text)
	_, ok = open(t, "", "file://"+filepath.Join(dir, "a")).instance.(source.Progresser)
	assert.False(t, ok)
}

func TestTheEventSizeIsThatOfTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	for _, params := range []string{dir, "file://" + dir + "/x", "http://127.0.0.1:0"} {
		in, err := state(t, `{"maxEventSize": 5000}`).Open(t.Context(), params)
		require.NoError(t, err)
		assert.Equal(t, 5000, in.(source.EventSizer).MaxEventSize(), params)
		require.NoError(t, in.Close())
	}
}

func TestSizesHaveLimits(t *testing.T) {
	for _, key := range []string{"maxEventSize", "webhookMaxBatchSize"} {
		for _, value := range []string{"1", "2147483648"} {
			assert.NoError(t, New().Init(nil, fmt.Sprintf(`{%q: %s}`, key, value)))
		}
		for _, value := range []string{"0", "-1", "2147483649", "4294967296", `"many"`} {
			assert.ErrorContains(t, New().Init(nil, fmt.Sprintf(`{%q: %s}`, key, value)), key)
		}
	}
	for _, params := range []string{"http://127.0.0.1:0", t.TempDir()} {
		in, err := state(t, `{"maxEventSize": 2147483648, "webhookMaxBatchSize": 2147483648}`).Open(t.Context(), params)
		require.NoError(t, err, "the largest sizes cost nothing before they are used")
		require.NoError(t, in.Close())
	}
}
