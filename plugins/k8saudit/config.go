// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"fmt"

	kit "github.com/aerie-falco/aerie/shared/plugin/config"
)

// config is the init configuration. All sizes are at most 2 GiB: the framework counts
// the bytes of an event in 32 bits.
type config struct {
	_ struct{} `config:"allowUnknown"`

	SSLCertificate      string   `json:"sslCertificate" default:"/etc/falco/falco.pem" title:"TLS certificate" desc:"PEM file with both the private key and the certificate chain that https:// serves with."`
	UseAsync            bool     `json:"useAsync" default:"true" example:"false" title:"Asynchronous extraction" desc:"Accepted for compatibility with the official plugin, and without effect: values are always extracted on the thread that asks for them."`
	MaxEventSize        kit.Size `json:"maxEventSize" default:"262144" min:"1" max:"2147483648" title:"Largest event" desc:"Largest event that is let through, as JSON without white space. Larger ones are dropped, counted and logged."`
	WebhookMaxBatchSize kit.Size `json:"webhookMaxBatchSize" default:"12582912" min:"1" max:"2147483648" title:"Largest request" desc:"Largest body of a webhook request, and longest line of a file."`

	Webhook webhookConfig `json:"webhook" title:"Webhook" desc:"What else can be set of a webhook."`
	Tail    tailConfig    `json:"tail" title:"Tail" desc:"What can be set of a file:// that is followed."`
}

// readConfig decodes an init configuration. Empty text stands for the defaults.
func readConfig(text string) (config, error) {
	var c config
	if err := kit.Decode(text, &c); err != nil {
		return config{}, fmt.Errorf("read init config: %w", err)
	}
	return c, nil
}
