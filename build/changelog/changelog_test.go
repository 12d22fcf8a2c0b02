// SPDX-License-Identifier: Apache-2.0

package changelog

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sample = `# Changelog

## dev build (unreleased)

* BREAKING: a field is another.

## v0.2.0

By hand.

* Fixes ` + "`a.b`, `c` and `d`" + `: they were
  wrong.

- One with a dash.

## v0.2.0-rc1

* Tried.

## v0.1.0
`

func TestAChangelogIsReadAndWrittenAsItIs(t *testing.T) {
	l, err := Parse(sample)
	require.NoError(t, err)
	assert.Equal(t, sample, l.String())
	require.Len(t, l.Sections, 4)
	assert.Equal(t, []string{"", "0.2.0", "0.2.0-rc1", "0.1.0"}, []string{l.Sections[0].Version(), l.Sections[1].Version(), l.Sections[2].Version(), l.Sections[3].Version()})
	assert.Equal(t, []string{"Fixes `a.b`, `c` and `d`: they were wrong.", "One with a dash."}, l.Sections[1].Items())
	_, ok := l.Section("0.2.0")
	assert.True(t, ok)
	_, ok = l.Section("0.1.0")
	assert.False(t, ok, "there is nothing in it")
	_, ok = l.Section("9.9.9")
	assert.False(t, ok)
}

func TestWhatStandsAheadOfAVersionIsFound(t *testing.T) {
	l, err := Parse(sample)
	require.NoError(t, err)
	ahead := l.Ahead("0.2.0")
	assert.Len(t, ahead, 4)
	assert.Equal(t, ahead, l.Ahead("0.2.0-rc2"))
	assert.True(t, Breaks(ahead))
	assert.Equal(t, []string{"a.b", "c", "d"}, Fixed(ahead))
	assert.False(t, Breaks(l.Sections[1].Items()))
	assert.Empty(t, Fixed([]string{"Fixes everything.", "Fixes `a` somehow", "It Fixes `a`: x"}))
}

func TestAChangelogThatNobodyCanFindThingsInIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"## v1.0.0\n":                                             `the first line is not "# Changelog"`,
		"# Changelog\n\n## 1.0.0\n":                               `section "1.0.0" is neither "## vX.Y.Z" nor "## dev build (unreleased)"`,
		"# Changelog\n\n## v1.0\n":                                `section "v1.0" is neither`,
		"# Changelog\n\n## v1.0.0\n\n## v1.1.0\n":                 "section v1.1.0 stands below v1.0.0; the newest comes first, and each once",
		"# Changelog\n\n## v1.0.0\n\n## v1.0.0\n":                 "section v1.0.0 stands below v1.0.0",
		"# Changelog\n\n## v1.0.0\n\n## dev build (unreleased)\n": `section "dev build (unreleased)" does not stand on top`,
	} {
		_, err := Parse(text)
		assert.ErrorContains(t, err, want)
	}
	_, err := Parse("")
	assert.NoError(t, err)
}
