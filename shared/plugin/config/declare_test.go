// SPDX-License-Identifier: Apache-2.0

package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

type looped struct {
	Next *looped `json:"next"`
}

func TestMisdeclaredStructs(t *testing.T) {
	const kinds = "want a string, bool, number, time.Duration, Size, Secret, a list, a map with string keys, a struct or a pointer to a struct"
	type two struct {
		Addr string `json:"addr"`
	}
	tests := []struct {
		name  string
		given any
		want  string
	}{
		{"an unsupported kind", &struct {
			A chan int `json:"a"`
		}{}, `field A: type chan int: ` + kinds},
		{"an interface", &struct {
			A any `json:"a"`
		}{}, `field A: type interface {}: ` + kinds},
		{"a map whose keys are no strings", &struct {
			A map[int]string `json:"a"`
		}{}, `field A: type map[int]string: ` + kinds},
		{"a pointer to a number", &struct {
			A *int `json:"a"`
		}{}, `field A: type *int: ` + kinds},
		{"no key", &struct {
			A int
		}{}, `field A: no json tag with its key`},
		{"two keys that differ in case", &struct {
			A int `json:"a"`
			B int `json:"A"`
		}{}, `the keys "a" and "A" differ in case at most`},
		{"a key that an embedded struct has", &struct {
			Limits
			Max Size `json:"maxBody"`
		}{}, `the keys "maxBody" and "maxBody" differ in case at most`},
		{"an embedded pointer", &struct {
			*Limits
		}{}, `field Limits: an embedded field must be an exported struct, not *config.Limits`},
		{"an embedded struct that is not exported", &struct {
			two
		}{}, `field two: an embedded field must be an exported struct, not config.two`},
		{"a struct in itself", &looped{}, `field Next: config.looped contains itself`},
		{"an unknown config tag", &struct {
			_ struct{} `config:"lax"`
		}{}, `field _: tag config:"lax": want a field named _ with config:"allowUnknown"`},
		{"a default of another type", &struct {
			A int `json:"a" default:"x"`
		}{}, `field A: tag default:"x": not valid JSON at line 1, column 1: invalid character 'x' looking for beginning of value`},
		{"a default that is no bool", &struct {
			A bool `json:"a" default:"1"`
		}{}, `field A: tag default:"1": want true or false`},
		{"a default out of bounds", &struct {
			A int `json:"a" default:"5" max:"4"`
		}{}, `field A: tag default:"5": got 5, want a whole number up to 4`},
		{"a default beyond the type", &struct {
			A int8 `json:"a" default:"128"`
		}{}, `field A: tag default:"128": got 128, want a whole number from -128 to 127`},
		{"a default outside the enum", &struct {
			A string `json:"a" default:"c" enum:"a,b"`
		}{}, `field A: tag default:"c": got the string "c", want "a" or "b"`},
		{"a default of a list with a wrong element", &struct {
			A []time.Duration `json:"a" default:"1s,2"`
		}{}, ``},
		{"a default of a list with an element of another type", &struct {
			A []int `json:"a" default:"1,x"`
		}{}, `field A: tag default:"1,x": not valid JSON at line 1, column 1: invalid character 'x' looking for beginning of value`},
		{"a default of a struct", &struct {
			A two `json:"a" default:"{}"`
		}{}, `field A: tag default: a struct takes the defaults of its fields`},
		{"an example of another type", &struct {
			A Size `json:"a" example:"big"`
		}{}, `field A: tag example:"big": got the string "big", want a size such as "256KiB" or a number of bytes`},
		{"zero out of bounds", &struct {
			A uint `json:"a" min:"1"`
		}{}, `field A: zero is outside the bounds, give it a default or make it required`},
		{"required and a default", &struct {
			A string `json:"a" required:"true" default:"x"`
		}{}, `field A: a required option has no use for a default`},
		{"required maybe", &struct {
			A string `json:"a" required:"maybe"`
		}{}, `field A: tag required:"maybe": want true or false`},
		{"an enum of numbers", &struct {
			A int `json:"a" enum:"1,2"`
		}{}, `field A: tag enum:"1,2": only strings can have one`},
		{"a bound of a string", &struct {
			A string `json:"a" max:"10"`
		}{}, `field A: tag max:"10": only numbers, durations and sizes can have bounds`},
		{"a bound of another type", &struct {
			A time.Duration `json:"a" max:"10"`
		}{}, `field A: tag max:"10": time: missing unit in duration "10"`},
		{"a bound beyond the type", &struct {
			A uint8 `json:"a" max:"256"`
		}{}, `field A: tag max:"256": strconv.ParseUint: parsing "256": value out of range`},
		{"bounds in the wrong order", &struct {
			A float64 `json:"a" min:"2" max:"1"`
		}{}, `field A: tags min and max: 2 is larger than 1`},
		{"a mistake in a section", &struct {
			A struct {
				B []chan int `json:"b"`
			} `json:"a"`
		}{}, `field A: field B: type chan int: ` + kinds},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Decode(`{}`, tt.given)
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, "config: declare ")
			assert.ErrorContains(t, err, ": "+tt.want)
			assert.PanicsWithValue(t, err.Error(), func() { Schema(tt.given) })
		})
	}
	assert.PanicsWithValue(t, "config: declare <nil>: want a struct", func() { Schema(nil) })
	assert.PanicsWithValue(t, "config: declare int: want a struct", func() { Schema(1) })
}

func TestStructsMayShareASection(t *testing.T) {
	var got struct {
		A  clientSection  `json:"a"`
		B  *clientSection `json:"b"`
		Un int            // not exported to JSON
	}
	assert.ErrorContains(t, Decode(`{}`, &got), "field Un: no json tag")
	var good struct {
		A      clientSection  `json:"a"`
		B      *clientSection `json:"b"`
		Cached int            `json:"-"`
	}
	assert.NoError(t, Decode(`{"b":{}}`, &good))
	assert.Equal(t, "anyone", good.B.Name)
}

func TestTitleOf(t *testing.T) {
	for key, want := range map[string]string{
		"addr":              "Addr",
		"maxEventSize":      "Max event size",
		"sslCertificate":    "Ssl certificate",
		"caPEMBundle":       "Ca PEM bundle",
		"useTLS":            "Use TLS",
		"TLSCert":           "TLS cert",
		"read_timeout-secs": "Read timeout secs",
		"ipv4Only":          "Ipv4 only",
	} {
		assert.Equal(t, want, titleOf(key))
	}
}
