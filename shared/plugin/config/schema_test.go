// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestSchemaIsTheGoldenOne(t *testing.T) {
	golden := filepath.Join("testdata", "server.schema.json")
	got := Schema(server{})
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got+"\n"), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got+"\n")
	assert.Equal(t, got, Schema(&server{Addr: "values do not matter"}))
}

func TestSchemaUsesOnlyWhatLibsinspReads(t *testing.T) {
	var schema map[string]any
	require.NoError(t, json.Unmarshal([]byte(Schema(&server{})), &schema))
	// valijson's draft 7 keywords, and annotations, which it passes over.
	understood := []string{"$schema", "title", "description", "default", "examples",
		"type", "enum", "properties", "required", "additionalProperties", "items", "minimum", "maximum", "minLength"}
	var walk func(schema map[string]any)
	walk = func(schema map[string]any) {
		for keyword, value := range schema {
			assert.Contains(t, understood, keyword)
			inner, isSchema := value.(map[string]any)
			switch {
			case keyword == "properties":
				for _, property := range inner {
					walk(property.(map[string]any))
				}
			case isSchema && keyword != "default":
				walk(inner)
			}
		}
	}
	walk(schema)
}

func TestSchemaAndDecodeAgree(t *testing.T) {
	type required struct {
		Host  string  `json:"host" required:"true"`
		Port  int     `json:"port" required:"true" min:"1"`
		Token Secret  `json:"token" required:"true"`
		Level string  `json:"level" enum:"info,debug"`
		TLS   version `json:"tls"`
	}
	const whole = `{"host":"h","port":1,"token":"env:T","tls":{"version":"1.2"}}`
	with := func(key, value string) string { return strings.Replace(whole, "{", `{"`+key+`":`+value+",", 1) }
	without := func(part string) string { return strings.Replace(whole, part, "", 1) }
	tests := []struct {
		name   string
		of     any
		texts  []string
		decode bool
		schema bool
	}{
		{"both accept what is right", &server{}, []string{
			`null`, `{}`, `{"addr":"a"}`, `{"ack":"off"}`, `{"debug":true}`, `{"port":1}`, `{"ratio":0.1}`, `{"timeout":"1s"}`,
			`{"timeout":1.5}`, `{"maxBody":"1MiB"}`, `{"maxBody":1024}`, `{"token":"env:X"}`, `{"paths":[]}`, `{"ports":[1]}`,
			`{"headers":{"a":"off"}}`, `{"levels":{"a":[1]}}`, `{"tls":{"cert":"c"}}`, `{"client":{}}`, `{"routes":[{}]}`,
		}, true, true},
		{"both accept what YAML makes of it", &server{}, []string{
			`{"addr":null}`, `{"addr":1}`, `{"addr":1.5}`, `{"addr":true}`, `{"ack":false}`, `{"port":80.0}`, `{"queue":3000000000.0}`,
			`{"ratio":1}`, `{"maxBody":2048.0}`, `{"tls":null}`, `{"client":null}`, `{"routes":[null]}`, `{"levels":{"a":null}}`,
			`{"paths":[1,true]}`, `{"headers":null}`, `{"token":null}`, `{"port":null}`, `{"debug":null}`, `{"timeout":null}`,
		}, true, true},
		{"both refuse what is wrong", &server{}, []string{
			`[]`, `1`, `"x"`, `{"zzz":1}`, `{"addr":{}}`, `{"addr":[]}`, `{"ack":"x"}`, `{"ack":true}`, `{"ack":1}`, `{"debug":1}`, `{"debug":"true"}`,
			`{"port":"1"}`, `{"port":-1}`, `{"port":65536}`, `{"port":1.5}`, `{"retries":6}`, `{"retries":-2}`, `{"queue":-1}`, `{"ratio":2}`, `{"ratio":"1"}`,
			`{"timeout":-1}`, `{"timeout":3601}`, `{"timeout":true}`, `{"maxBody":1}`, `{"maxBody":1.5}`, `{"maxBody":1073741825}`, `{"maxBody":false}`,
			`{"token":1}`, `{"token":{}}`, `{"paths":"a"}`, `{"paths":[null]}`, `{"paths":[{}]}`, `{"ports":[1025]}`, `{"headers":[]}`, `{"headers":{"a":"x"}}`,
			`{"headers":{"a":null}}`, `{"levels":{"a":[1.5]}}`, `{"tls":{}}`, `{"tls":{"cert":null}}`, `{"tls":{"cert":""}}`, `{"tls":{"cert":"c","x":1}}`, `{"client":[]}`,
			`{"client":{"count":"x"}}`, `{"routes":{}}`, `{"routes":[1]}`,
		}, false, false},
		{"both accept all that is required", &required{}, []string{whole, with("level", `"debug"`), with("level", "null"), strings.Replace(whole, `"1.2"`, `1.2`, 1)}, true, true},
		{"both refuse when something required is missing", &required{}, []string{
			`null`, `{}`, without(`"host":"h",`), without(`"port":1,`), without(`"token":"env:T",`), without(`,"tls":{"version":"1.2"}`),
			strings.Replace(whole, `"h"`, `""`, 1), strings.Replace(whole, `"h"`, `null`, 1), strings.Replace(whole, `"env:T"`, `""`, 1),
			strings.Replace(whole, `:1,`, `:0,`, 1), strings.Replace(whole, `"1.2"`, `"1.1"`, 1), strings.Replace(whole, `"1.2"`, `null`, 1),
			strings.Replace(whole, `{"version":"1.2"}`, `null`, 1), with("level", `"x"`),
		}, false, false},
		{"only Decode reads how durations, sizes and secrets are spelled", &server{}, []string{
			`{"timeout":"30"}`, `{"timeout":"2h"}`, `{"maxBody":"1K"}`, `{"maxBody":"1B"}`, `{"token":"hunter2"}`,
		}, false, true},
		{"only Decode asks Validate", &pairs{}, []string{`{"one":{"min":11}}`}, false, true},
		{"only Decode matches keys whatever their case", &server{}, []string{`{"ADDR":"a"}`}, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			schema := Schema(tt.of)
			for _, text := range tt.texts {
				assert.Equal(t, tt.decode, Decode(text, tt.of) == nil, "Decode of %s: %v", text, Decode(text, tt.of))
				assert.Equal(t, tt.schema, violation(schema, text) == "", "schema for %s: %s", text, violation(schema, text))
			}
		})
	}
}

type version struct {
	Version string `json:"version" required:"true" enum:"1.2,1.3"`
}

func TestSchemaAllowsUnknownKeysWhereTheStructSaysSo(t *testing.T) {
	schema := Schema(&struct {
		_ struct{} `config:"allowUnknown"`
		A int      `json:"a"`
	}{})
	assert.Empty(t, violation(schema, `{"other":[{}]}`))
	assert.NotContains(t, schema, "additionalProperties")
}

// violation checks a text against a schema as draft 7 says, for the keywords
// that Schema writes, and tells what is wrong, or "".
func violation(schema, text string) string {
	return violates(decodeNumbers(schema), decodeNumbers(text))
}

func decodeNumbers(text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

func violates(schema, v any) string {
	s, ok := schema.(map[string]any)
	if !ok {
		if schema == false {
			return "no additional property is allowed"
		}
		return ""
	}
	names, ok := s["type"].([]any)
	if !ok {
		names = []any{s["type"]}
	}
	if !slices.ContainsFunc(names, func(name any) bool { return isType(name.(string), v) }) {
		return fmt.Sprintf("%v is none of %v", v, names)
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, v) {
		return fmt.Sprintf("%v is none of %v", v, enum)
	}
	switch v := v.(type) {
	case json.Number:
		if minimum, ok := s["minimum"].(json.Number); ok && float(v) < float(minimum) {
			return fmt.Sprintf("%v is less than %v", v, minimum)
		}
		if maximum, ok := s["maximum"].(json.Number); ok && float(v) > float(maximum) {
			return fmt.Sprintf("%v is more than %v", v, maximum)
		}
	case string:
		if length, ok := s["minLength"].(json.Number); ok && float64(len(v)) < float(length) {
			return "too short"
		}
	case []any:
		for _, elem := range v {
			if problem := violates(s["items"], elem); problem != "" {
				return problem
			}
		}
	case map[string]any:
		required, _ := s["required"].([]any)
		for _, key := range required {
			if _, ok := v[key.(string)]; !ok {
				return fmt.Sprintf("%v is required", key)
			}
		}
		properties, _ := s["properties"].(map[string]any)
		for key, elem := range v {
			property, ok := properties[key]
			if !ok {
				property = s["additionalProperties"]
			}
			if problem := violates(property, elem); problem != "" {
				return key + ": " + problem
			}
		}
	}
	return ""
}

func isType(name string, v any) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		return name == "number" || name == "integer" && float(v) == math.Trunc(float(v))
	case []any:
		return name == "array"
	}
	return name == "object"
}

// float is a number as a validator that works on doubles sees it.
func float(n json.Number) float64 {
	f, _ := n.Float64()
	return f
}
