// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/event"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

func TestTheIdentityIsThatOfTheOfficialPlugin(t *testing.T) {
	assert.Equal(t, "collector", Info.Name)
	assert.EqualValues(t, 24, Info.ID)
	assert.Equal(t, "collector", Info.EventSource)
	assert.Equal(t, "0.2.0", Info.Version)
	assert.Nil(t, Info.Config, "there is no init schema")
}

func TestAnyInitConfigIsIgnored(t *testing.T) {
	for _, text := range []string{"", "{}", "null", `{"addr":`, "hello"} {
		p := New()
		assert.NoError(t, p.Init(nil, text), text)
		p.Destroy()
	}
}

func TestThereIsNothingToSuggestOrToProgress(t *testing.T) {
	var p any = New()
	_, lists := p.(source.OpenParamLister)
	assert.False(t, lists, "the kit offers an empty list then")
	var in any = open(t, "").instance
	_, progresses := in.(source.Progresser)
	assert.False(t, progresses, "the kit answers 0 then")
}

func TestAnEventIsShownAsItsPayload(t *testing.T) {
	for _, payload := range []string{`{"a": 1}`, "two\nlines", "\xff\xfe", ""} {
		raw := event.Encode(24, 1, []byte(payload))
		e := event.New(raw, 7, "collector")
		text, err := New().EventString(&e)
		require.NoError(t, err)
		assert.Equal(t, payload, text)
	}
}

func TestWhatIsNoPluginEventCannotBeShown(t *testing.T) {
	raw := event.Encode(24, 1, []byte("x"))
	raw[20], raw[21] = 1, 0 // the type, in little endian
	e := event.New(raw, 7, "syscall")
	_, err := New().EventString(&e)
	assert.EqualError(t, err, "show event 7: it is of type 1 and has no plugin payload")
}
