// SPDX-License-Identifier: Apache-2.0

// Linked is a program whose build information the tests read.
package main

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

func main() {
	text, err := yaml.Marshal(map[string]string{"linked": "yaml"})
	fmt.Print(string(text), err)
}
