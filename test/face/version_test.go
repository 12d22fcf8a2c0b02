// SPDX-License-Identifier: Apache-2.0

package face

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// judge is the verdict on a change of that bump between two versions.
func judge(from, declared string, bump Bump) Verdict {
	old, new := sample(), sample()
	old.Version, new.Version = from, declared
	var more []Change
	if bump > None {
		more = []Change{{Subject: "something", Text: "changed", Bump: bump}}
	}
	return Judge(old, new, more)
}

func TestADeclaredVersionThatDoes(t *testing.T) {
	for _, c := range []struct {
		from, declared string
		bump           Bump
	}{
		{"1.2.3", "1.2.3", None},
		{"1.2.3", "1.2.4", None},
		{"1.2.3", "1.2.4", Patch},
		{"1.2.3", "1.3.0", Patch},
		{"1.2.3", "1.3.0", Minor},
		{"1.2.3", "1.3.0-rc1", Minor},
		{"1.2.3", "2.0.0", Major},
		{"1.2.3", "2.0.0", Minor},
		{"0.2.3", "0.3.0", Major},
		{"0.2.3", "1.0.0", Major},
		{"0.2.3", "0.2.4", Patch},
	} {
		assert.Empty(t, judge(c.from, c.declared, c.bump).Problems, "%v", c)
	}
	assert.True(t, judge("0.2.3", "0.3.0", Major).Breaking)
	assert.False(t, judge("1.2.3", "2.0.0", Major).Breaking)
	assert.False(t, judge("0.2.3", "0.3.0", Minor).Breaking)
}

func TestADeclaredVersionThatDoesNotIsToldWhichOneWould(t *testing.T) {
	for _, c := range []struct {
		from, declared string
		bump           Bump
		wanted, want   string
	}{
		{"1.2.3", "1.2.3", Patch, "1.2.4", "version 1.2.3 is released already, without these changes; a patch change takes 1.2.4"},
		{"1.2.3", "1.2.3-rc1", Patch, "1.2.4", "version 1.2.3-rc1 does not come after 1.2.3, which is released; a patch change takes 1.2.4"},
		{"1.2.3", "1.1.9", None, "1.2.3", "version 1.1.9 does not come after 1.2.3, which is released"},
		{"1.2.3", "1.2.4", Minor, "1.3.0", "version 1.2.4 raises the patch number of 1.2.3 only; a minor change takes 1.3.0"},
		{"1.2.3", "1.3.0", Major, "2.0.0", "version 1.3.0 raises the minor number of 1.2.3 only; a major change takes 2.0.0"},
		{"0.2.3", "0.2.4", Major, "0.3.0", "version 0.2.4 raises the patch number of 0.2.3 only; these changes break users, which in a 0.y version takes 0.3.0 and a line in the changelog"},
		{"1.2.3", "1.4.0", Minor, "1.3.0", "version 1.4.0 leaves numbers out: after 1.2.3 comes 1.2.4, 1.3.0 or 2.0.0"},
		{"1.2.3", "1.3.1", Minor, "1.3.0", "version 1.3.1 leaves numbers out: after 1.2.3 comes 1.2.4, 1.3.0 or 2.0.0"},
		{"1.2.3", "2", Major, "2.0.0", `version "2" is not X.Y.Z or X.Y.Z-PRE`},
		{"1.2.3", "1.3.0+a", Minor, "1.3.0", `version "1.3.0+a" is not X.Y.Z or X.Y.Z-PRE`},
	} {
		v := judge(c.from, c.declared, c.bump)
		assert.Equal(t, []string{c.want}, v.Problems)
		assert.Equal(t, c.wanted, v.Wanted)
		assert.Equal(t, c.bump, v.Needed)
	}
}

func TestNoVersionMakesUpForWhatIsRefused(t *testing.T) {
	for _, declared := range []string{"1.2.4", "1.3.0", "2.0.0"} {
		v := judge("1.2.3", declared, Refused)
		assert.Equal(t, []string{"something: changed"}, v.Problems)
		assert.Empty(t, v.Wanted)
	}
	assert.Len(t, judge("1.2.3", "1.2.3", Refused).Problems, 2)
}

func TestAVerdictIsJSON(t *testing.T) {
	text, err := json.Marshal(judge("1.2.3", "1.3.0", Minor))
	require.NoError(t, err)
	assert.JSONEq(t, `{"from": "1.2.3", "declared": "1.3.0", "changes": [{"subject": "something", "text": "changed", "bump": "minor"}],
		"needed": "minor", "breaking": false, "wanted": "1.3.0", "problems": []}`, string(text))
	var b Bump
	require.EqualError(t, b.UnmarshalText([]byte("huge")), `bump "huge" is none of [none patch minor major refused]`)
	require.NoError(t, b.UnmarshalText([]byte("refused")))
	assert.Equal(t, Refused, b)
}
