// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/test/host"
)

// saying gives fields the values of an event, by their texts.
func saying(values map[string][]any) host.Values {
	return func(c *host.Check) ([]any, error) { return values[c.Text], nil }
}

func TestConditionsCombineComparisons(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	event := saying(map[string][]any{"full.payload": {"abc"}, "full.num": {uint64(3)}, "full.strings": {"x", "y"}, "full.echo[a and b]": {"z"}})
	for text, want := range map[string]bool{
		"full.payload = abc":                                                   true,
		"full.payload = abc and full.num = 4":                                  false,
		"full.payload = abc and full.num = 3 and full.strings exists":          true,
		"full.payload = x or full.num = 3":                                     true,
		"full.payload = abc or full.num = 4 and full.num = 5":                  true,
		"(full.payload = abc or full.num = 4) and full.num = 5":                false,
		"not full.payload = abc":                                               false,
		"not not full.payload = abc":                                           true,
		"not(full.payload=abc and(full.num>2))or full.strings intersects(y,z)": true,
		"not full.ip exists and full.strings in (x, y)":                        true,
		"full.payload != abc or not full.payload in (abc, 'not ) a')":          false,
		"full.ip = 10.0.0.1 or full.payload = 'a or b'":                        false,
		"\n full.payload = abc\n and full.num = 3\n":                           true,
		"full.payload startswith ab and full.payload contains b)":              false, // for the compile error below
	} {
		c, err := n.CompileCondition(text)
		if strings.HasSuffix(text, "b)") {
			assert.ErrorContains(t, err, `")" stands where the condition has to end`)
			continue
		}
		require.NoError(t, err, text)
		holds, err := c.Holds(event)
		require.NoError(t, err)
		assert.Equal(t, want, holds, text)
	}
}

func TestConditionsAskForNoMoreThanItTakes(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	c, err := n.CompileCondition("full.payload = a and full.num = 1 or full.payload = b")
	require.NoError(t, err)
	var asked []string
	_, err = c.Holds(func(c *host.Check) ([]any, error) {
		asked = append(asked, c.Text)
		return []any{"b"}, nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"full.payload", "full.payload"}, asked)
	broken := errors.New("broken")
	_, err = c.Holds(func(*host.Check) ([]any, error) { return nil, broken })
	assert.ErrorIs(t, err, broken)
}

func TestWhatIsNoConditionIsSaid(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	for text, want := range map[string]string{
		"":                               "use FIELD OPERATOR VALUE",
		"full.payload":                   "use FIELD OPERATOR VALUE",
		"full.payload =":                 "use FIELD OPERATOR VALUE",
		"full.payload = a and":           "use FIELD OPERATOR VALUE",
		"full.payload = a b":             `"b" stands where the condition has to end or go on with and, or`,
		"full.payload = a andfull.num=1": `"andfull.num=1" stands where`,
		"(full.payload = a":              "a bracket is not closed",
		"full.payload in (a":             "have no end",
		"full.payload = 'a":              "is never closed",
		`full.payload = "a\"b"`:          "a string has a backslash",
		"full.nothing = a":               `field "full.nothing" is unknown`,
		"full.payload glob a":            `operator "glob" is unknown`,
		strings.Repeat("(", 1002):        "more than 1000 brackets",
	} {
		_, err := n.CompileCondition(text)
		assert.ErrorContains(t, err, want, text)
	}
}

func TestOutputsShowFields(t *testing.T) {
	n := inspector(t, load(t, "full.c"))
	event := saying(map[string][]any{"full.payload": {"abc"}, "full.strings": {"x", "y"}, "full.echo[a=b]": {"z"}})
	o, err := n.CompileOutput("Seen (p=%full.payload, e=%full.echo[a=b] s=%full.strings n=%full.num).")
	require.NoError(t, err)
	text, err := o.Text(event)
	require.NoError(t, err)
	assert.Equal(t, "Seen (p=abc, e=z s=(x,y) n=<NA>).", text)
	_, err = n.CompileOutput("100% of %full.payload")
	assert.ErrorContains(t, err, "a % has no field behind it")
	_, err = n.CompileOutput("%full.nothing")
	assert.ErrorContains(t, err, `field "full.nothing" is unknown`)
}
