// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var when = time.Date(2026, 11, 22, 10, 11, 12, 987654321, time.FixedZone("elsewhere", 3600))

func TestTheSameFilesInAnyOrderGiveTheSameBytes(t *testing.T) {
	a, err := TarGz([]File{{"b/two", []byte("2")}, {"a", []byte("one")}}, when)
	require.NoError(t, err)
	b, err := TarGz([]File{{"a", []byte("one")}, {"b/two", []byte("2")}}, when.UTC().Truncate(time.Second))
	require.NoError(t, err)
	assert.Equal(t, a, b)
	files, err := Untar(bytes.NewReader(a), 4)
	require.NoError(t, err)
	assert.Equal(t, []File{{"a", []byte("one")}, {"b/two", []byte("2")}}, files)
}

func TestHeadersTellNothingOfTheBuilder(t *testing.T) {
	packed, err := TarGz([]File{{"libjson.so", []byte("so")}}, when)
	require.NoError(t, err)
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	assert.Equal(t, gzip.Header{OS: 255}, zip.Header)
	r := tar.NewReader(zip)
	h, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, &tar.Header{
		Typeflag: tar.TypeReg, Name: "libjson.so", Size: 2, Mode: 0o644, ModTime: time.Unix(when.Unix(), 0), Format: tar.FormatUSTAR,
	}, h)
	_, err = r.Next()
	assert.Equal(t, io.EOF, err)
}

func TestNamesThatFalcoctlWouldRefuseAreRefused(t *testing.T) {
	for name, want := range map[string]string{
		"":          "not a plain relative path",
		"/etc/x":    "not a plain relative path",
		"./x":       "not a plain relative path",
		"lib..so":   `packing "lib..so": the name contains "..", with which falcoctl refuses to install it`,
		"../x.yaml": `the name contains ".."`,
	} {
		_, err := TarGz([]File{{Name: name}}, when)
		assert.ErrorContains(t, err, want, name)
	}
	_, err := TarGz([]File{{Name: "a"}, {Name: "b"}, {Name: "a"}}, when)
	assert.EqualError(t, err, `packing "a": two files have this name`)
}

func TestUnpackingRefusesLinksAndTooMuch(t *testing.T) {
	packed, err := TarGz([]File{{"a", []byte("12345")}}, when)
	require.NoError(t, err)
	_, err = Untar(bytes.NewReader(packed), 4)
	assert.EqualError(t, err, `unpacking "a": the files are larger than allowed`)

	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "libjson.so", Linkname: "/etc/passwd"}))
	require.NoError(t, w.Close())
	require.NoError(t, zip.Close())
	_, err = Untar(&out, 100)
	assert.EqualError(t, err, `unpacking "libjson.so": not a regular file`)

	_, err = Untar(bytes.NewReader([]byte("no gzip")), 100)
	assert.ErrorContains(t, err, "unpacking: ")
}
