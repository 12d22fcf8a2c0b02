// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/workspace"
)

// faultVariable tells the fake plughost what to do wrong.
const faultVariable = "AERIE_DEMO_TEST_FAULT"

// TestMain lets the test program be the plughost of the tests, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "run" {
		os.Exit(fakePlughost(os.Args[2:], os.Getenv(faultVariable)))
	}
	os.Exit(m.Run())
}

// fakePlughost listens as the collector would, and shows of each event what Go's JSON package finds in it.
func fakePlughost(args []string, fault string) int {
	fmt.Fprintln(os.Stderr, "fake plughost, fault:", fault)
	if fault == "does not start" {
		return 2
	}
	var params struct{ Addr string }
	for i, a := range args {
		if a == "--open" {
			if err := json.Unmarshal([]byte(args[i+1]), &params); err != nil {
				return 1
			}
		}
	}
	listener, err := net.Listen("unix", strings.TrimPrefix(params.Addr, "unix:"))
	if err != nil {
		return 1
	}
	var events atomic.Int64
	ended := make(chan int, 1)
	go func() {
		err := http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			switch n := events.Add(1); {
			case fault == "refuses the third" && n == 3:
				http.Error(w, "the queue is full", http.StatusServiceUnavailable)
			case fault == "ends at the third" && n == 3:
				ended <- 3
			case fault == "loses the third" && n == 3:
			case fault == "changes the third" && n == 3:
				show(bytes.ReplaceAll(body, []byte(`"verb":"`), []byte(`"verb":"un`)))
			default:
				show(body)
			}
		}))
		fmt.Fprintln(os.Stderr, err)
	}()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	select {
	case <-interrupted:
		if fault == "ends badly" {
			return 3
		}
		return 0
	case code := <-ended:
		return code
	}
}

func show(body []byte) {
	var document any
	if err := json.Unmarshal(body, &document); err != nil {
		return
	}
	fields := map[string]any{}
	for _, c := range columns {
		if v := lookUp(document, c.pointer); v != "" {
			fields[fieldOf(c.pointer)] = v
		}
	}
	line, err := json.Marshal(fields)
	if err == nil {
		fmt.Printf("%s\n", line)
	}
}

// run runs the demo over the fake plughost.
func run(t *testing.T, fault string) (string, error) {
	t.Helper()
	t.Setenv(faultVariable, fault)
	w := workspace.Workspace{Root: t.TempDir()}
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(plughost.Program(w)), 0o755))
	require.NoError(t, os.Symlink(self, plughost.Program(w)))
	var out bytes.Buffer
	wait := time.Minute
	if fault == "loses the third" {
		wait = 2 * time.Second // it is waited for in vain
	}
	err = runWithin(t.Context(), w, &out, wait)
	return out.String(), err
}

func TestEveryEventIsShownAndCounted(t *testing.T) {
	out, err := run(t, "")
	require.NoError(t, err)
	assert.Contains(t, out, "31 events posted, 31 answered 200, 31 shown, every value as in its sample.")
	assert.Regexp(t, `(?m)^  create +secrets +default +example-secret +minikube-user +201$`, out)
	assert.Contains(t, out, "dist/linux_")
}

func TestTheDemoFailsWhenSomethingIsWrong(t *testing.T) {
	for _, c := range []struct{ fault, want string }{
		{"does not start", "plughost ended before its source was open"},
		{"refuses the third", "answered 503 Service Unavailable: the queue is full"},
		{"ends at the third", "demo: "},
		{"loses the third", "1 of 31 events did not arrive: "},
		{"changes the third", "31 events shown for 31 posted; not shown as they are: "},
		{"ends badly", "ending plughost: exit status 3"},
	} {
		t.Run("plughost "+c.fault, func(t *testing.T) {
			out, err := run(t, c.fault)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.NotContains(t, out, "every value as in its sample")
			if c.fault != "changes the third" {
				assert.Contains(t, err.Error(), "plughost said:\nfake plughost, fault: "+c.fault)
			}
		})
	}
}

func TestSamplesAreReadWithWhatMustBeShown(t *testing.T) {
	all, err := samples()
	require.NoError(t, err)
	require.Len(t, all, 31)
	byName := map[string]row{}
	for _, s := range all {
		byName[s.name] = s.want
	}
	assert.Equal(t, row{"create", "secrets", "default", "example-secret", "minikube-user", "201"}, byName["create_secret"])
	assert.Equal(t, row{"create", "namespaces", "", "foo", "system:anonymous", "201"}, byName["anonymous_creates_namespace_foo"])
	assert.Equal(t, row{"create", "pods", "default", "", "system:serviceaccount:kube-system:replicaset-controller", "201"}, byName["create_nginx_pod_unprivileged"])
}

func TestMissingCountsEqualRows(t *testing.T) {
	a, b := row{"a"}, row{"b"}
	all := []sample{{name: "first a", want: a}, {name: "second a", want: a}, {name: "b", want: b}}
	assert.Empty(t, missing(all, []row{b, a, a}))
	assert.Equal(t, []string{"second a", "b"}, missing(all, []row{a}))
}

func TestCellsKeepTheirWidth(t *testing.T) {
	assert.Equal(t, "ab  ", pad("ab", 4))
	assert.Equal(t, "abcd", pad("abcd", 4))
	assert.Equal(t, "abc…", pad("abcde", 4))
	assert.Equal(t, "ünd…", pad("ündlich", 4))
	assert.Equal(t, "abcde", pad("abcde", 0))
}
