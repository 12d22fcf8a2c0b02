// SPDX-License-Identifier: Apache-2.0

package json

import (
	"fmt"

	kit "github.com/aerie-falco/aerie/shared/plugin/config"
)

// config is the init configuration.
type config struct {
	_ struct{} `config:"allowUnknown"`

	UseAsync bool `json:"useAsync" default:"true" example:"false" title:"Asynchronous extraction" desc:"Accepted for compatibility with the official plugin, and without effect: values are always extracted on the thread that asks for them."`
}

// readConfig decodes an init configuration. Empty text stands for the defaults.
func readConfig(text string) (config, error) {
	var c config
	if err := kit.Decode(text, &c); err != nil {
		return config{}, fmt.Errorf("read init config: %w", err)
	}
	return c, nil
}
