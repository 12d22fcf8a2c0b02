// SPDX-License-Identifier: Apache-2.0

// Package config turns the text of an init config, or of open parameters, into
// a Go struct, and describes that struct as a JSON schema. One struct with tags
// is the only place where an option is named:
//
//	type Config struct {
//		Addr    string        `json:"addr" default:":8080" desc:"Address to listen on, host:port."`
//		Queue   config.Size   `json:"queue" default:"16MiB" max:"1GiB" desc:"Payloads that may wait."`
//		Timeout time.Duration `json:"timeout" default:"30s" min:"1s" desc:"How long a request may take."`
//		Ack     string        `json:"ack" default:"delivered" enum:"delivered,queued" desc:"When a request is answered."`
//		Token   config.Secret `json:"token" desc:"Bearer token that clients must show."`
//		TLS     *TLS          `json:"tls" desc:"Serve TLS."`
//	}
//
//	var c Config
//	if err := config.Decode(text, &c); err != nil {
//		return fmt.Errorf("read init config: %w", err)
//	}
//
// # Kinds
//
// Fields may be string, bool, every size of int and uint, float64, types
// defined by one of these, time.Duration, Size, Secret, lists ([]T), objects
// with free keys (map[string]T), nested structs, and pointers to structs for a
// section that may be left out (nil then). A struct embedded without a json tag
// adds its options to the outer struct's. Unexported fields and those tagged
// json:"-" are no options.
//
// # Tags
//
//	json      the key; required on every option
//	desc      what the option does, a sentence
//	title     a short name; made from the key where it is missing
//	default   the value when the key is absent or null; else it is zero
//	example   a value to show
//	enum      the only strings allowed, separated by commas
//	min, max  bounds of a number, Duration or Size; of the elements of a list
//	unit      what a number counts, for the documentation: "bytes", "events"
//	required  "true": the key must be given, and not as an empty string
//
// Defaults and examples of lists are written as comma-separated values, or as
// JSON like those of maps. Sizes are never negative, durations only where min
// is. A number without a default is zero, which its bounds must then include.
// In a struct with the field
//
//	_ struct{} `config:"allowUnknown"`
//
// unknown keys are legal, and ignored.
//
// A struct that is declared wrongly (a type that is not listed above, a bound
// on a bool, a default outside its bounds, no key) is a bug of the plugin:
// Schema panics, so that it is found when the plugin registers, and Decode
// returns an error.
//
// # Validate
//
// A struct, at any level, with a method Validate() error on its pointer is
// asked after it has been decoded without a problem; the inner ones first. It
// may also fill in unexported fields.
package config
