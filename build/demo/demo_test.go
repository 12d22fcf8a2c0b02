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
	"sync"
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

// checkout is the real one, whose samples are used.
var checkout = workspace.Workspace{Root: filepath.Join("..", "..")}

// faker shows of each event what Go's JSON package finds in it, and the rules that the samples say.
type faker struct {
	fault string
	audit bool              // with fields of k8saudit and rules
	fires map[string]string // by who did it and what the API server called it

	mu     sync.Mutex
	events int
	ended  chan int
}

func identity(document any) string {
	return lookUp(document, "/auditID") + lookUp(document, "/user/username")
}

// fakePlughost listens as the plugins would.
func fakePlughost(args []string, fault string) int {
	fmt.Fprintln(os.Stderr, "fake plughost, fault:", fault)
	if fault == "does not start" {
		return 2
	}
	f := &faker{fault: fault, fires: map[string]string{}, ended: make(chan int, 1)}
	for _, a := range args {
		f.audit = f.audit || a == "--rules"
	}
	if fault == "of the collector ends at the third" {
		fault = "ends at the third"
		if f.audit {
			fault = ""
		}
		f.fault = fault
	}
	all, err := samples(workspace.Workspace{Root: os.Getenv("AERIE_DEMO_TEST_ROOT")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, s := range all {
		var document any
		if json.Unmarshal(s.body, &document) == nil {
			f.fires[identity(document)] = s.fires
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	fmt.Fprintf(os.Stderr, "[info] fake: listening for events address=%s tls=false\n", listener.Addr())
	go func() { fmt.Fprintln(os.Stderr, http.Serve(listener, f)) }()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	select {
	case <-interrupted:
		if fault == "ends badly" {
			return 3
		}
		return 0
	case code := <-f.ended:
		return code
	}
}

func (f *faker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var document map[string]any
	if err != nil || json.Unmarshal(body, &document) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	items := []any{document}
	if document["kind"] == "EventList" {
		items, _ = document["items"].([]any)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, event := range items {
		f.events++
		third := f.events == 3
		switch {
		case f.fault == "refuses the third" && third:
			http.Error(w, "the queue is full", http.StatusServiceUnavailable)
			return
		case f.fault == "ends at the third" && third:
			f.ended <- 3
			return
		case f.fault == "loses the third" && third:
		default:
			f.show(event, third)
		}
	}
}

func (f *faker) show(event any, third bool) {
	fields := map[string]any{}
	for _, c := range columns {
		name, v := "json.value["+c.pointer+"]", lookUp(event, c.pointer)
		if f.audit {
			name = c.field
		}
		fields[name] = nil
		if v != "" {
			fields[name] = v
		}
		if third && f.fault == "changes the third" && c.heading == "VERB" {
			fields[name] = "un" + v
		}
	}
	if f.audit {
		var alerts []alert
		for _, rule := range strings.Split(f.fires[identity(event)], ", ") {
			if rule != "" && (!third || f.fault != "does not fire for the third") {
				alerts = append(alerts, alert{rule, "WARNING", "out of " + rule})
			}
		}
		if third && f.fault == "fires too much for the third" {
			alerts = append(alerts, alert{"Another rule", "WARNING", "o"})
		}
		fields["rules"] = alerts
	}
	line, err := json.Marshal(fields)
	if err == nil {
		fmt.Printf("%s\n", line)
	}
}

// run runs the demo over the fake plughost.
func run(t *testing.T, fault string) (string, error) {
	t.Helper()
	w := workspace.Workspace{Root: t.TempDir()}
	t.Setenv(faultVariable, fault)
	t.Setenv("AERIE_DEMO_TEST_ROOT", w.Root)
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(plughost.Program(w)), 0o755))
	require.NoError(t, os.Symlink(self, plughost.Program(w)))
	plugins, err := filepath.Abs(checkout.Path("plugins"))
	require.NoError(t, err)
	require.NoError(t, os.Symlink(plugins, w.Path("plugins")))
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
	assert.Contains(t, out, "31 events in 4 requests, each answered 200; 31 shown, every value as in its sample.")
	assert.Contains(t, out, "31 events in 31 requests, each answered 200; 31 shown, every value as in its sample.")
	assert.Regexp(t, `\n\d+ alerts, each where the rule's samples say so; \d+ events fired no rule\.`, out)
	assert.Regexp(t, `(?m)^  create +secrets +default +example-secret +minikube-user +201$`, out)
	assert.Regexp(t, `(?m)^  create +pods +default +nginx-deployment-7998647bd… +minikube-user +101\n    └─ WARNING: out of Session in a running container$`, out)
	assert.Contains(t, out, "  … and 27 more\n")
	assert.Contains(t, out, "dist/linux_")
}

func TestTheDemoFailsWhenSomethingIsWrong(t *testing.T) {
	for _, c := range []struct{ fault, want string }{
		{"does not start", "demo of k8saudit: plughost ended before its source was open"},
		{"refuses the third", "answered 503 Service Unavailable: the queue is full"},
		{"ends at the third", "demo of k8saudit: "},
		{"of the collector ends at the third", "demo of collector: "},
		{"loses the third", "1 of 31 events did not arrive: "},
		{"changes the third", "31 events shown for 31 posted; not shown as they have to be: "},
		{"does not fire for the third", "not shown as they have to be: create_cluster_role_pod_exec (Role that allows sessions in pods)"},
		{"fires too much for the third", "not shown as they have to be: create_cluster_role_pod_exec (Role that allows sessions in pods)"},
		{"ends badly", "ending plughost: exit status 3"},
	} {
		t.Run("plughost "+c.fault, func(t *testing.T) {
			out, err := run(t, c.fault)
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
			assert.NotContains(t, out, "in 31 requests, each answered 200")
		})
	}
}

func TestWhatPlughostSaidIsPartOfTheError(t *testing.T) {
	_, err := run(t, "does not start")
	assert.ErrorContains(t, err, "plughost said:\nfake plughost, fault: does not start")
}

func TestSamplesAreReadWithWhatMustBeShown(t *testing.T) {
	all, err := samples(checkout)
	require.NoError(t, err)
	require.Len(t, all, 31)
	byName := map[string]sample{}
	for _, s := range all {
		byName[s.name] = s
	}
	assert.Equal(t, values{"create", "secrets", "default", "example-secret", "minikube-user", "201"}, byName["create_secret"].want)
	assert.Equal(t, values{"create", "namespaces", "", "foo", "system:anonymous", "201"}, byName["anonymous_creates_namespace_foo"].want)
	assert.Equal(t, values{"create", "pods", "default", "", "system:serviceaccount:kube-system:replicaset-controller", "201"}, byName["create_nginx_pod_unprivileged"].want)
	assert.Equal(t, "Role of the cluster changed or deleted, Role that writes", byName["modify_cluster_role_node_problem_detector"].fires)
	assert.Equal(t, "", byName["create_secret"].fires, "rules that are not enabled do not fire")
	_, err = samples(workspace.Workspace{Root: t.TempDir()})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestMissingCountsEqualRows(t *testing.T) {
	a, b := values{"a"}, values{"b"}
	all := []sample{{name: "first a", want: a}, {name: "second a", want: a}, {name: "b", want: b}, {name: "r", want: b, fires: "one, two"}}
	fired := []alert{{Rule: "two"}, {Rule: "one"}}
	assert.Empty(t, missing(all, []row{{values: b, alerts: fired}, {values: b}, {values: a}, {values: a}}))
	assert.Equal(t, []string{"second a ()", "b ()", "r (one, two)"}, missing(all, []row{{values: a}, {values: b, alerts: fired[:1]}}))
}

func TestRowsNeedEveryField(t *testing.T) {
	r, err := parseRow([]byte(`{"a":"x","b":null,"rules":[{"rule":"r","priority":"INFO","output":"o"}]}`), []string{"a", "b"})
	require.NoError(t, err)
	assert.Equal(t, row{values: values{"x"}, alerts: []alert{{"r", "INFO", "o"}}}, r)
	for _, line := range []string{`{"a":"x"}`, `{"a":1,"b":null}`, `x`, `{"a":"x","b":null,"rules":"r"}`} {
		_, err := parseRow([]byte(line), []string{"a", "b"})
		assert.ErrorContains(t, err, "reading what plughost shows: ", line)
	}
}

func TestCellsKeepTheirWidth(t *testing.T) {
	assert.Equal(t, "ab  ", pad("ab", 4))
	assert.Equal(t, "abcd", pad("abcd", 4))
	assert.Equal(t, "abc…", pad("abcde", 4))
	assert.Equal(t, "ünd…", pad("ündlich", 4))
	assert.Equal(t, "abcde", pad("abcde", 0))
}
