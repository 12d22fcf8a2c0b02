// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Mode is a string type of a plugin's own.
type Mode string

// Limits is embedded by other structs.
type Limits struct {
	MaxBody Size `json:"maxBody" default:"256KiB" min:"1KiB" max:"1GiB"`
}

type server struct {
	Limits
	Addr    string           `json:"addr" default:":8080" desc:"Address to listen on." example:"[::1]:8080"`
	Ack     Mode             `json:"ack" default:"delivered" enum:"delivered,queued,off"`
	Debug   bool             `json:"debug"`
	Port    uint16           `json:"port" default:"80"`
	Retries int8             `json:"retries" min:"-1" max:"5"`
	Queue   uint64           `json:"queue"`
	Offset  int64            `json:"offset"`
	Ratio   float64          `json:"ratio" default:"0.5" min:"0" max:"1"`
	Timeout time.Duration    `json:"timeout" default:"30s" max:"1h"`
	Token   Secret           `json:"token"`
	Paths   []string         `json:"paths" default:"/a,/b"`
	Ports   []uint16         `json:"ports" max:"1024"`
	Secrets []Secret         `json:"secrets"`
	Headers map[string]Mode  `json:"headers" enum:"delivered,queued,off"`
	Levels  map[string][]int `json:"levels" default:"{\"x\":[1]}"`
	TLS     *tlsSection      `json:"tls"`
	Client  clientSection    `json:"client"`
	Routes  []clientSection  `json:"routes"`

	hidden int
}

type tlsSection struct {
	Cert string `json:"cert" required:"true" example:"/etc/tls/cert.pem"`
	Key  Secret `json:"key"`
}

type clientSection struct {
	Name  string `json:"name" default:"anyone"`
	Count int    `json:"count"`
}

func serverDefaults() server {
	return server{
		Limits:  Limits{MaxBody: 256 << 10},
		Addr:    ":8080",
		Ack:     "delivered",
		Port:    80,
		Ratio:   0.5,
		Timeout: 30 * time.Second,
		Paths:   []string{"/a", "/b"},
		Levels:  map[string][]int{"x": {1}},
		Client:  clientSection{Name: "anyone"},
	}
}

func TestDecodeAccepts(t *testing.T) {
	tests := []struct {
		name string
		text string
		want func(*server)
	}{
		{"an empty text means all defaults", ``, func(*server) {}},
		{"a blank text means all defaults", " \n", func(*server) {}},
		{"null means all defaults", ` null `, func(*server) {}},
		{"an empty object means all defaults", `{}`, func(*server) {}},
		{"null gives every kind of option its default",
			`{"addr":null,"ack":null,"debug":null,"port":null,"ratio":null,"timeout":null,"token":null,"paths":null,
			  "headers":null,"levels":null,"tls":null,"client":null,"routes":null,"maxBody":null}`, func(*server) {}},
		{"every kind of option is read",
			`{"addr":"h:1","ack":"queued","debug":true,"port":65535,"retries":-1,"queue":18446744073709551615,
			  "offset":-9223372036854775808,"ratio":0.25,"timeout":"1m30s","maxBody":"2MiB","paths":["/c"],"ports":[1,2],
			  "headers":{"X-A":"queued"},"levels":{"y":[3,4],"":[]},"tls":{"cert":"c.pem"},"client":{"name":"n","count":3},
			  "routes":[{"count":1},{"name":"m"}]}`,
			func(s *server) {
				s.Addr, s.Ack, s.Debug, s.Port, s.Retries = "h:1", "queued", true, 65535, -1
				s.Queue, s.Offset, s.Ratio, s.Timeout = 1<<64-1, -1<<63, 0.25, 90*time.Second
				s.MaxBody = 2 << 20
				s.Paths, s.Ports = []string{"/c"}, []uint16{1, 2}
				s.Headers, s.Levels = map[string]Mode{"X-A": "queued"}, map[string][]int{"y": {3, 4}, "": {}}
				s.TLS = &tlsSection{Cert: "c.pem"}
				s.Client = clientSection{Name: "n", Count: 3}
				s.Routes = []clientSection{{Name: "anyone", Count: 1}, {Name: "m"}}
			}},
		{"keys match whatever their case", `{"ADDR":"x","maxbody":1024,"TLS":{"Cert":"c"}}`, func(s *server) {
			s.Addr, s.MaxBody, s.TLS = "x", 1024, &tlsSection{Cert: "c"}
		}},
		{"a string takes a number as it is spelled", `{"addr":1.50}`, func(s *server) { s.Addr = "1.50" }},
		{"a string takes a number too large for any type", `{"addr":123456789012345678901234567890}`,
			func(s *server) { s.Addr = "123456789012345678901234567890" }},
		{"a string takes a bool", `{"addr":true}`, func(s *server) { s.Addr = "true" }},
		{"a string may be empty", `{"addr":""}`, func(s *server) { s.Addr = "" }},
		{"an enum takes YAML's reading of off", `{"ack":false}`, func(s *server) { s.Ack = "off" }},
		{"whole numbers may be spelled as floats", `{"port":443.0,"queue":3000000000.0,"offset":-1e3,"retries":-0.0,"ports":[8e1]}`,
			func(s *server) { s.Port, s.Queue, s.Offset, s.Ports = 443, 3e9, -1000, []uint16{80} }},
		{"a float may be spelled as a whole number", `{"ratio":1}`, func(s *server) { s.Ratio = 1 }},
		{"a duration may be seconds", `{"timeout":90}`, func(s *server) { s.Timeout = 90 * time.Second }},
		{"a duration may be a fraction of seconds", `{"timeout":0.3}`, func(s *server) { s.Timeout = 300 * time.Millisecond }},
		{"a duration may be zero", `{"timeout":"0"}`, func(s *server) { s.Timeout = 0 }},
		{"a size may be a number", `{"maxBody":4096.0}`, func(s *server) { s.MaxBody = 4096 }},
		{"a secret may be an environment variable", `{"token":"env:TOKEN"}`, func(s *server) { s.Token = Secret{"env:TOKEN"} }},
		{"a secret may be a file", `{"token":"file:/run/token"}`, func(s *server) { s.Token = Secret{"file:/run/token"} }},
		{"an empty secret is none", `{"token":""}`, func(*server) {}},
		{"an empty list is not the default", `{"paths":[]}`, func(s *server) { s.Paths = []string{} }},
		{"a null section in a list is one of defaults", `{"routes":[null,{}]}`,
			func(s *server) { s.Routes = []clientSection{{Name: "anyone"}, {Name: "anyone"}} }},
		{"a null list in an object is empty", `{"levels":{"a":null}}`, func(s *server) { s.Levels = map[string][]int{"a": {}} }},
		{"escapes in strings are undone", `{"addr":"\u00e4\n\"\ud83d\ude00"}`, func(s *server) { s.Addr = "ä\n\"😀" }},
		{"bounds belong to the range", `{"maxBody":"1GiB","retries":5,"ratio":0,"timeout":"1h"}`,
			func(s *server) { s.MaxBody, s.Retries, s.Ratio, s.Timeout = 1<<30, 5, 0, time.Hour }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := serverDefaults()
			tt.want(&want)
			got := server{Addr: "left over", Ports: []uint16{9}, hidden: 1}
			require.NoError(t, Decode(tt.text, &got))
			assert.Equal(t, want, got)
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	const known = "known keys: maxBody, addr, ack, debug, port, retries, queue, offset, ratio, timeout, token, paths, ports, " +
		"secrets, headers, levels, tls, client, routes"
	const object = "an object with the keys maxBody, addr, ack, debug, port, retries, queue, offset, ratio, timeout, token, paths, ports, " +
		"secrets, headers, levels, tls, client, routes"
	tests := []struct {
		name string
		text string
		want string
	}{
		{"YAML text", "addr: x", `not valid JSON at line 1, column 1: invalid character 'a' looking for beginning of value, want ` + object},
		{"an error further down", "{\n  \"addr\": \"ä\",\n}", `not valid JSON at line 3, column 1: invalid character '}' looking for beginning of object key string, want ` + object},
		{"a text that stops", `{"addr":"x"`, `not valid JSON at line 1, column 11: unexpected end of JSON input, want ` + object},
		{"a comment after the object", `{} // c`, `not valid JSON at line 1, column 4: invalid character '/' after top-level value, want ` + object},
		{"a second object", `{}{}`, `not valid JSON at line 1, column 3: invalid character '{' after top-level value, want ` + object},
		{"text that is not UTF-8", "{\"addr\":\"\xff\"}", `not valid JSON: the text is not UTF-8, want ` + object},
		{"a list for the whole", `[]`, `got a list, want ` + object},
		{"a string for the whole, without showing it", `"hunter2"`, `got a string, want ` + object},
		{"too deep a nesting", `{"paths":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
			`lists and objects are nested more than 32 deep, want ` + object},

		{"an unknown key", `{"zzz":1}`, `zzz: unknown key (` + known + `)`},
		{"a misspelt key", `{"adr":1}`, `adr: unknown key, did you mean "addr"? (` + known + `)`},
		{"a misspelt key in another case", `{"TIMEOT":1}`, `TIMEOT: unknown key, did you mean "timeout"? (` + known + `)`},
		{"a misspelt key in a section", `{"client":{"nam":1}}`, `client.nam: unknown key, did you mean "name"? (known keys: name, count)`},
		{"a key that would break the line", "{\"a\\nb\":1}", `"a\nb": unknown key (` + known + `)`},
		{"an empty key", `{"":1}`, `"": unknown key (` + known + `)`},
		{"a key given twice", `{"addr":"a","addr":1}`, `addr: given twice`},
		{"a key given three times", `{"ADDR":"a","ADDR":1,"ADDR":2}`, `ADDR: given twice`},
		{"a key given in two spellings", `{"addr":"a","Addr":"b"}`, `addr: given as "Addr" and as "addr", keys match whatever their case`},
		{"a key of a map given twice", `{"headers":{"b":"off","a":"off","b":"off"}}`, `headers.b: given twice`},

		{"an object for a string", `{"addr":{}}`, `addr: got an object, want a string, for example "[::1]:8080"`},
		{"a list for a string", `{"addr":["x"]}`, `addr: got a list, want a string, for example "[::1]:8080"`},
		{"a string outside the enum", `{"ack":"later"}`, `ack: got the string "later", want "delivered", "queued" or "off"`},
		{"a bool that is no value of the enum", `{"ack":true}`, `ack: got true, want "delivered", "queued" or "off"`},
		{"a string for a bool", `{"debug":"true"}`, `debug: got the string "true", want true or false`},
		{"a number for a bool", `{"debug":1}`, `debug: got 1, want true or false`},
		{"a string for a number", `{"port":"80"}`, `port: got the string "80", want a whole number from 0 to 65535`},
		{"a fraction for a whole number", `{"queue":1.5}`, `queue: got 1.5, want a whole number, 0 or more`},
		{"a negative number for a count", `{"queue":-1}`, `queue: got -1, want a whole number, 0 or more`},
		{"a number beyond the type", `{"port":65536}`, `port: got 65536, want a whole number from 0 to 65535`},
		{"a number beyond 64 bits", `{"queue":18446744073709551616}`, `queue: got 18446744073709551616, want a whole number, 0 or more`},
		{"a float beyond 64 bits", `{"offset":9223372036854775808.0}`, `offset: got 9223372036854775808.0, want a whole number`},
		{"a number below the bounds", `{"retries":-2}`, `retries: got -2, want a whole number from -1 to 5`},
		{"a float outside the bounds", `{"ratio":1.01}`, `ratio: got 1.01, want a number from 0 to 1`},
		{"a float that is too large to be one", `{"ratio":1e999}`, `ratio: got 1e999, want a number from 0 to 1`},
		{"a duration without a unit", `{"timeout":"30"}`, `timeout: got the string "30", want a duration such as "30s" or a number of seconds up to 1h`},
		{"a duration over the bound", `{"timeout":3600.5}`, `timeout: got 3600.5, want a duration such as "30s" or a number of seconds up to 1h`},
		{"a negative duration", `{"timeout":"-1s"}`, `timeout: got the string "-1s", want a duration such as "30s" or a number of seconds up to 1h`},
		{"a duration that overflows", `{"timeout":1e300}`, `timeout: got 1e300, want a duration such as "30s" or a number of seconds up to 1h`},
		{"a size with an unknown unit", `{"maxBody":"1Mi"}`, `maxBody: got the string "1Mi", want a size such as "256KiB" or a number of bytes from 1KiB to 1GiB`},
		{"a size below the bounds", `{"maxBody":1}`, `maxBody: got 1, want a size such as "256KiB" or a number of bytes from 1KiB to 1GiB`},
		{"a secret spelled out, without showing it", `{"token":"hunter2"}`, `token: got a string (not shown), want "env:NAME" or "file:/absolute/path"`},
		{"a secret of digits, without showing it", `{"token":12345}`, `token: got a number, want "env:NAME" or "file:/absolute/path"`},
		{"a secret for a list of secrets, without showing it", `{"secrets":"hunter2"}`, `secrets: got a string (not shown), want a list`},
		{"a secret for a section, without showing it", `{"tls":"hunter2"}`, `tls: got a string, want an object with the keys cert, key`},
		{"a secret for a list of sections, without showing it", `{"routes":"hunter2"}`, `routes: got a string, want a list`},
		{"a string for a list", `{"paths":"/a"}`, `paths: got the string "/a", want a list`},
		{"a list for a map", `{"headers":[]}`, `headers: got a list, want an object`},
		{"a wrong element of a list", `{"ports":[1,2,"x"]}`, `ports[2]: got the string "x", want a whole number from 0 to 1024`},
		{"a null element of a list", `{"paths":["a",null]}`, `paths[1]: got null, want a string`},
		{"a wrong element of a map", `{"headers":{"X Y":"z"}}`, `headers."X Y": got the string "z", want "delivered", "queued" or "off"`},
		{"a wrong element of a list in a map", `{"levels":{"a":[0,true]}}`, `levels.a[1]: got true, want a whole number`},
		{"a wrong value of a section in a list", `{"routes":[{},{"count":"x"}]}`, `routes[1].count: got the string "x", want a whole number`},
		{"a long value is cut", `{"debug":"` + strings.Repeat("ä", 100) + `"}`, `debug: got the string "` + strings.Repeat("ä", 30) + `"..., want true or false`},
		{"a long number is cut", `{"debug":` + strings.Repeat("1", 100) + `}`, `debug: got ` + strings.Repeat("1", 60) + `..., want true or false`},

		{"a missing required key", `{"tls":{}}`, `tls.cert: required but not given, want a string, for example "/etc/tls/cert.pem"`},
		{"null for a required key", `{"tls":{"cert":null}}`, `tls.cert: required but not given, want a string, for example "/etc/tls/cert.pem"`},
		{"an empty string for a required key", `{"tls":{"cert":""}}`, `tls.cert: required, must not be empty, want a string, for example "/etc/tls/cert.pem"`},

		{"several problems at once, unknown keys first", `{"addr":[],"debug":1,"tsl":{},"token":"x"}`,
			`tsl: unknown key, did you mean "tls"? (` + known + `); addr: got a list, want a string, for example "[::1]:8080"; ` +
				`debug: got 1, want true or false; token: got a string (not shown), want "env:NAME" or "file:/absolute/path"`},
		{"many unknown keys are counted, each once", `{"client":{"k7":0,"k6":0,"k5":0,"k4":0,"k3":0,"k2":0,"k1":0,"k1":0}}`,
			strings.ReplaceAll(`client.k1~; client.k2~; client.k3~; client.k4~; client.k5~; and 2 more`, "~", ": unknown key (known keys: name, count)")},
		{"many problems are counted", `{"paths":[{},{},{},{},{},{},{}]}`,
			`paths[0]: got an object, want a string; paths[1]: got an object, want a string; paths[2]: got an object, want a string; ` +
				`paths[3]: got an object, want a string; paths[4]: got an object, want a string; and 2 more`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := server{Addr: "before"}
			assert.EqualError(t, Decode(tt.text, &got), tt.want)
			assert.Equal(t, server{Addr: "before"}, got, "the struct must stay as it was")
		})
	}
}

func TestDecodeAllowsUnknownKeysWhereTheStructSaysSo(t *testing.T) {
	type open struct {
		_     struct{}      `config:"allowUnknown"`
		Async bool          `json:"useAsync" default:"true"`
		Inner clientSection `json:"inner"`
	}
	var got open
	require.NoError(t, Decode(`{"other":{"deep":[1]},"USEASYNC":false}`, &got))
	assert.Equal(t, open{Inner: clientSection{Name: "anyone"}}, got)
	assert.EqualError(t, Decode(`{"other":1,"other":1}`, &got), `other: given twice`)
	assert.EqualError(t, Decode(`{"useAsync":"x"}`, &got), `useAsync: got the string "x", want true or false`)
	assert.EqualError(t, Decode(`{"inner":{"other":1}}`, &got), `inner.other: unknown key (known keys: name, count)`)
}

func TestDecodeKnowsWhenNoKeyIsKnown(t *testing.T) {
	var got struct{}
	require.NoError(t, Decode(`{}`, &got))
	assert.EqualError(t, Decode(`{"a":1}`, &got), `a: unknown key (no keys are known)`)
	assert.EqualError(t, Decode(`1`, &got), `got a number, want an object`)
}

var errPair = errors.New("min is larger than max")

// pair is a struct with a rule of its own.
type pair struct {
	Min int `json:"min"`
	Max int `json:"max" default:"10"`

	width int
}

func (p *pair) Validate() error {
	if p.Min > p.Max {
		return errPair
	}
	p.width = p.Max - p.Min
	return nil
}

// Named is embedded with its rule.
type Named struct {
	Name string `json:"name" default:"x"`
}

// Validate refuses the name "bad".
func (n Named) Validate() error {
	if n.Name == "bad" {
		return fmt.Errorf("name %q: want another", n.Name)
	}
	return nil
}

type pairs struct {
	Named
	One  pair            `json:"one"`
	Two  *pair           `json:"two"`
	List []pair          `json:"list"`
	Map  map[string]pair `json:"map"`
}

func (p *pairs) Validate() error {
	if len(p.List) > 2 {
		return errors.Join(errors.New("list is too long"), errors.New("want two"))
	}
	return nil
}

func TestDecodeAsksValidate(t *testing.T) {
	tests := []struct {
		name string
		text string
		want string
	}{
		{"a section by value", `{"one":{"min":11}}`, `one: min is larger than max`},
		{"a section by pointer", `{"two":{"min":11}}`, `two: min is larger than max`},
		{"sections in a list and a map", `{"list":[{},{"min":11}],"map":{"k":{"max":-1}}}`,
			`list[1]: min is larger than max; map.k: min is larger than max`},
		{"an embedded struct, though the outer one has a rule of its own", `{"name":"bad"}`, `name "bad": want another`},
		{"the whole struct, on one line", `{"list":[{},{},{}]}`, `list is too long; want two`},
		{"not where something else is wrong already", `{"one":{"min":11,"max":"x"},"list":[{},{},{}]}`,
			`one.max: got the string "x", want a whole number`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got pairs
			assert.EqualError(t, Decode(tt.text, &got), tt.want)
		})
	}

	var got pairs
	require.NoError(t, Decode(`{"list":[{"min":1}],"map":{"a":{}},"two":{}}`, &got))
	assert.Equal(t, pairs{
		Named: Named{"x"},
		One:   pair{Max: 10, width: 10},
		Two:   &pair{Max: 10, width: 10},
		List:  []pair{{Min: 1, Max: 10, width: 9}},
		Map:   map[string]pair{"a": {Max: 10, width: 10}},
	}, got)
	require.ErrorIs(t, Decode(`{"one":{"min":11}}`, &got), errPair)

	// A promoted method is the same rule, and its problem is told once.
	var promoted struct{ Named }
	assert.EqualError(t, Decode(`{"name":"bad"}`, &promoted), `name "bad": want another`)
}

func TestDecodeIntoSomethingElse(t *testing.T) {
	var p *server
	var i int
	assert.EqualError(t, Decode(`{}`, server{}), `config: decode into config.server: want a pointer to a struct`)
	assert.EqualError(t, Decode(`{}`, p), `config: decode into *config.server: want a pointer to a struct`)
	assert.EqualError(t, Decode(`{}`, nil), `config: decode into <nil>: want a pointer to a struct`)
	assert.EqualError(t, Decode(`{}`, &i), `config: declare int: want a struct`)
}

func ExampleDecode() {
	var c struct {
		Addr    string        `json:"addr" default:":8080"`
		Timeout time.Duration `json:"timeout" default:"30s" min:"1s"`
	}
	fmt.Println(Decode(`{"timeout": 5}`, &c), c.Addr, c.Timeout)
	fmt.Println(Decode(`{"timeout": 0}`, &c))
	// Output:
	// <nil> :8080 5s
	// timeout: got 0, want a duration such as "30s" or a number of seconds, 1s or more
}
