// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// longLine is an event of so many bytes.
func longLine(size int) string {
	const head = `{"kind":"Event","x":"`
	return head + strings.Repeat("x", size-len(head)-2) + `"}`
}

func TestEachLineIsADocument(t *testing.T) {
	list := `{"kind":"EventList","items":[` + bare + `,` + two + `]}`
	name := write(t, filepath.Join(t.TempDir(), "a"), one+"\n\n"+list+"\r\n["+two+","+list+"]\n"+one, 0)
	assert.Equal(t, []string{one, bare, two, two, bare, two, one}, payloads(open(t, "", name).all()))
}

func TestLinesMayHaveAnyLength(t *testing.T) {
	long := longLine(70_000)
	name := write(t, filepath.Join(t.TempDir(), "a"), one+"\n"+long+"\n"+two+"\n", 0)
	assert.Equal(t, []string{one, long, two}, payloads(open(t, "", name).all()))

	t.Run("up to the limit of a line", func(t *testing.T) {
		name := write(t, filepath.Join(t.TempDir(), "a"), one+"\n"+longLine(1000)+"\n"+longLine(1001)+"\n"+two+"\n", 0)
		got := open(t, `{"webhookMaxBatchSize": 1000}`, name).all()
		assert.Equal(t, []string{one, longLine(1000), two}, payloads(got))
	})
	t.Run("and the limit of an event is another one", func(t *testing.T) {
		list := `{"kind":"EventList","items":[` + longLine(200) + `,` + longLine(201) + `,` + longLine(199) + `]}`
		name := write(t, filepath.Join(t.TempDir(), "a"), list+"\n"+two+"\n", 0)
		got := open(t, `{"maxEventSize": 200}`, name).all()
		assert.Equal(t, []string{longLine(200), longLine(199), two}, payloads(got))
	})
}

func TestBadLinesDoNotEndAFile(t *testing.T) {
	bad := []string{"garbage", `{"kind":"Pod"}`, `{"kind":"Event"`, strings.Repeat("[", 100_000), "\x00\xff", `{"kind":"EventList","items":[` + one, "null", `"Event"`, `[]`}
	name := write(t, filepath.Join(t.TempDir(), "a"), one+"\n"+strings.Join(bad, "\n")+"\n"+two, 0)
	assert.Equal(t, []string{one, two}, payloads(open(t, "", name).all()))
}

func TestADirectoryIsReadFromItsOldestFileOn(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), two+"\n", 0)
	write(t, filepath.Join(dir, "b"), one, time.Hour) // and no newline at its end
	require.NoError(t, os.Mkdir(filepath.Join(dir, "c"), 0o700))
	assert.Equal(t, []string{one, two}, payloads(open(t, "", dir).all()))
}

func TestEventsOfAFileWithoutATimeHaveThatOfTheirReading(t *testing.T) {
	name := write(t, filepath.Join(t.TempDir(), "a"), `{"kind":"Event"}`, time.Hour)
	got := open(t, "", name).all()
	require.Len(t, got, 1)
	now := uint64(time.Now().UnixNano())
	assert.LessOrEqual(t, got[0].time, now)
	assert.Greater(t, got[0].time, now-uint64(patience))
}

func TestAFileIsFollowed(t *testing.T) {
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "audit 1.log"), two+"\n", 0)
	r := open(t, "", "file://"+dir+"/audit%201.log")
	appendTo(t, name, one+"\n"+bare[:10]) // a bare event is no document of its own
	assert.Equal(t, []emitted{{one, oneAt}}, r.next())
	r.batch.Deliver(true)
	appendTo(t, name, "\n"+longLine(300_000)+"\n"+two+"\n")
	assert.Equal(t, []string{two}, payloads(r.next()), "the long one is over the limit of events")
	r.batch.Deliver(true)
	require.NoError(t, os.Rename(name, filepath.Join(dir, "audit 1.log.1")))
	appendTo(t, name, one+"\n")
	assert.Equal(t, []string{one}, payloads(r.next()))
	r.batch.Deliver(true)
}

func TestAFollowedFileHasACheckpoint(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	name := write(t, filepath.Join(dir, "audit.log"), one+"\n", 0)
	config := fmt.Sprintf(`{"tail": {"checkpointDir": %q}}`, kept)
	r := open(t, config, "file://"+name)
	appendTo(t, name, two+"\n")
	assert.Equal(t, []string{two}, payloads(r.next()))
	r.batch.Deliver(true)
	require.NoError(t, r.instance.Close())
	appendTo(t, name, one+"\n")
	r = open(t, config, "file://"+name)
	assert.Equal(t, []string{one}, payloads(r.next()))
	r.batch.Deliver(true)
	require.NoError(t, r.instance.Close()) // until then there is another file now and then, while one is written
	files, err := os.ReadDir(kept)
	require.NoError(t, err)
	require.Len(t, files, 1)
	assert.Equal(t, checkpointName(name), files[0].Name())

	other := write(t, filepath.Join(dir, "other.log"), "", 0)
	open(t, config, "file://"+other)
	assert.ErrorContains(t, New().Init(nil, `{"tail": {"checkpointDir": "relative"}}`), "checkpointDir: want an absolute path")
	_, err = state(t, `{"tail": {"checkpointDir": "/nowhere"}}`).Open(t.Context(), "file://"+name)
	assert.ErrorContains(t, err, "write checkpoint: ")
}

func TestCheckpointsOfDifferentFilesHaveDifferentNames(t *testing.T) {
	long := "/" + strings.Repeat("a/", 1000)
	names := map[string]bool{}
	for _, path := range []string{"/a/b", "/a%2Fb", "/a_b", long, long + "x"} {
		name := checkpointName(path)
		assert.Equal(t, name, filepath.Base(name))
		assert.Less(t, len(name), maxName-15)
		names[name] = true
	}
	assert.Len(t, names, 5)
}
