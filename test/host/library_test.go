// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aerie-falco/aerie/shared/plugin/abi"
	"github.com/aerie-falco/aerie/test/host"
	"github.com/aerie-falco/aerie/test/host/internal/fixture"
)

func TestSymbolsAreThoseOfTheABI(t *testing.T) {
	assert.Equal(t, "plugin_get_required_api_version", host.SymGetRequiredAPIVersion.String())
	assert.Equal(t, "plugin_next_batch", host.SymNextBatch.String())
	assert.Equal(t, "plugin_extract_fields", host.SymExtractFields.String())
	assert.Equal(t, "plugin_set_config", host.SymSetConfig.String())
	assert.Equal(t, "plugin_get_required_event_schema_version", host.SymGetRequiredEventSchemaVersion.String())
	assert.Equal(t, len(abi.Symbols)-1, int(host.SymGetRequiredEventSchemaVersion))
	assert.Equal(t, "plugin_?", host.Symbol(-1).String())
}

func TestLoadListsTheSymbolsThatAreThere(t *testing.T) {
	lib := load(t, "small.c")
	var names []string
	for _, s := range lib.Symbols() {
		names = append(names, s.String())
	}
	assert.Equal(t, []string{
		"plugin_get_required_api_version", "plugin_init", "plugin_destroy", "plugin_get_last_error", "plugin_get_name",
		"plugin_get_description", "plugin_get_contact", "plugin_get_version", "plugin_get_fields", "plugin_extract_fields",
	}, names)
	assert.True(t, filepath.IsAbs(lib.Path()))
}

func TestLoadSaysWhyALibraryCannotBeLoaded(t *testing.T) {
	_, err := host.Load("missing.so", nil)
	require.ErrorContains(t, err, "load plugin library")
	assert.ErrorContains(t, err, "missing.so")

	text := filepath.Join(t.TempDir(), "text.so")
	require.NoError(t, os.WriteFile(text, []byte("no ELF"), 0o600))
	_, err = host.Load(text, nil)
	assert.ErrorContains(t, err, text)
}

func TestRegistrationCallsInTheFrameworksOrder(t *testing.T) {
	var calls []host.Symbol
	lib, err := host.Load(build(t, "full.c"), &host.LoadOptions{Observe: func(s host.Symbol, _ uint64) { calls = append(calls, s) }})
	require.NoError(t, err)
	assert.Empty(t, calls, "loading calls nothing")
	_, err = host.Register(lib)
	require.NoError(t, err)
	assert.Equal(t, []host.Symbol{
		host.SymGetRequiredAPIVersion,
		host.SymGetName, host.SymGetDescription, host.SymGetContact, host.SymGetVersion,
		host.SymGetID, host.SymGetEventSource,
		host.SymGetFields, host.SymGetExtractEventSources,
	}, calls)
}

func TestDescribeReadsWhatAPluginSays(t *testing.T) {
	in, err := host.Describe(load(t, "full.c"))
	require.NoError(t, err)
	assert.Equal(t, "3.11.0", in.RequiredAPI)
	assert.Equal(t, "full", in.Name)
	assert.Equal(t, "Does as it is told", in.Description)
	assert.Equal(t, "the test", in.Contact)
	assert.Equal(t, "1.2.3", in.Version)
	assert.Equal(t, host.CapSourcing|host.CapExtraction, in.Capabilities)
	assert.Equal(t, "sourcing, extraction", in.Capabilities.String())
	assert.EqualValues(t, 777, in.ID)
	assert.Equal(t, "full_source", in.EventSource)
	assert.Equal(t, []string{"other_source", "full_source"}, in.ExtractSources, "its own source is added, an empty name dropped")
	require.Len(t, in.Fields, 25)
	assert.Equal(t, host.Field{Name: "full.payload", Type: "string", Display: "Payload", Desc: "d", Properties: []string{"info"}}, in.Fields[0])
	assert.Equal(t, host.Field{
		Name: "full.echo", Type: "string", Desc: "d", Arg: host.FieldArg{Key: true, Index: true}, Properties: []string{}, ID: 1,
	}, in.Fields[1])
	assert.True(t, in.Fields[8].List)

	in, err = host.Describe(load(t, "small.c"))
	require.NoError(t, err)
	assert.Empty(t, in.Description, "NULL counts as empty")
	assert.Empty(t, in.ExtractSources, "no list means all sources")
}

func TestDescribeRefusesWhatTheFrameworkRefuses(t *testing.T) {
	tests := map[string]struct {
		macros []string
		want   string
	}{
		"no required API version":               {[]string{"NO_API"}, "does not export plugin_get_required_api_version"},
		"required API version is NULL":          {[]string{"API=NULL"}, "plugin_get_required_api_version broke the plugin interface: NULL"},
		"required API version has two numbers":  {[]string{fixture.Quoted("API", "3.0")}, `required API version "3.0" is no version`},
		"required API version of another major": {[]string{fixture.Quoted("API", "4.0.0")}, "4.0.0 is not served by this framework's 3.12.0"},
		"required API version of a later minor": {[]string{fixture.Quoted("API", "3.13.0")}, "3.13.0 is not served"},
		"required API version of a later patch": {[]string{fixture.Quoted("API", "3.12.1")}, "3.12.1 is not served"},
		"a function that every plugin needs":    {[]string{"NO_NAME"}, "does not export plugin_get_name"},
		"plugin version is no version":          {[]string{fixture.Quoted("VERSION", "1.0")}, `plugin version "1.0" is no version`},
		"no capability":                         {[]string{"NO_EXTRACT"}, "plugin does not implement any capability"},
		"extraction without fields":             {[]string{"NO_FIELDS"}, "broken plugin capabilities: field extraction has plugin_extract_fields but not plugin_get_fields"},
		"open alone":                            {[]string{"OPEN_ONLY"}, "broken plugin capabilities: event sourcing has plugin_open but not plugin_close and plugin_next_batch"},
		"two reasons at once":                   {[]string{"OPEN_ONLY", "NO_FIELDS"}, "and plugin_next_batch, field extraction has"},
		"an ID without a source":                {[]string{"ID=5", fixture.Quoted("SOURCE", "")}, "broken plugin capabilities: event sourcing has ID 5 but no event source"},
		"a source without an ID":                {[]string{"ID=0", fixture.Quoted("SOURCE", "s")}, `broken plugin capabilities: event sourcing has event source "s" but no ID`},
		"a source that is NULL":                 {[]string{"ID=5", "SOURCE=NULL"}, "plugin_get_event_source broke the plugin interface: NULL"},
		"a source named as the framework's":     {[]string{"ID=5", fixture.Quoted("SOURCE", "syscall")}, `event source "syscall" is the framework's own`},
		"fields are NULL":                       {[]string{"FIELDS=NULL"}, "plugin_get_fields returned NULL"},
		"fields are no JSON":                    {[]string{fixture.Quoted("FIELDS", "[")}, "read field list: unexpected EOF"},
		"fields are no array":                   {[]string{fixture.Quoted("FIELDS", "{}")}, "read field list: a JSON object; use an array"},
		"no field at all":                       {[]string{fixture.Quoted("FIELDS", "[]")}, "read field list: it is empty"},
		"sources are no array":                  {[]string{fixture.Quoted("SOURCES", `"s"`)}, "read event sources from plugin_get_extract_event_sources: a JSON string; use an array"},
		"a source name that is a number":        {[]string{fixture.Quoted("SOURCES", `["s", 1]`)}, "item 1 is a JSON number; use a string"},
		"async events that are NULL":            {[]string{"ASYNC=NULL"}, "plugin_get_async_events returned nothing"},
		"async events that are no array":        {[]string{fixture.Quoted("ASYNC", "3")}, "read names of async events: a JSON number"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := host.Describe(load(t, "small.c", tt.macros...))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestDescribeAcceptsWhatTheFrameworkAccepts(t *testing.T) {
	tests := map[string]struct {
		macros []string
		caps   host.Capability
	}{
		"the framework's own API version":              {[]string{fixture.Quoted("API", "3.12.0")}, host.CapExtraction},
		"text after the API version":                   {[]string{fixture.Quoted("API", "3.11.0-rc1")}, host.CapExtraction},
		"fields without extraction beside async":       {[]string{"NO_EXTRACT", fixture.Quoted("ASYNC", "[]")}, host.CapAsync},
		"no fields beside async":                       {[]string{"NO_EXTRACT", "NO_FIELDS", fixture.Quoted("ASYNC", `["a"]`)}, host.CapAsync},
		"a source of system events, without ID":        {[]string{"ID=0", fixture.Quoted("SOURCE", "")}, host.CapExtraction | host.CapSourcing},
		"sources that are NULL":                        {[]string{"SOURCES=NULL"}, host.CapExtraction},
		"comments and trailing text around the fields": {[]string{fixture.Quoted("FIELDS", `/*"*/[{"name":"a.b","type":"bool","desc":"/*"}]]}`)}, host.CapExtraction},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in, err := host.Describe(load(t, "small.c", tt.macros...))
			require.NoError(t, err)
			assert.Equal(t, tt.caps, in.Capabilities)
		})
	}
}
