// SPDX-License-Identifier: Apache-2.0

package k8smeta

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	kit "github.com/aerie-falco/aerie/shared/plugin/config"
)

// config is the init configuration.
type config struct {
	Source            string `json:"source" default:"collector" enum:"collector,kubernetes" title:"Metadata source" desc:"Where the metadata comes from: a k8s-metacollector, or the Kubernetes API itself, watched for this node alone."`
	NodeName          string `json:"nodeName" required:"true" title:"Node name" example:"${NODE_NAME}" desc:"Name of the Kubernetes node whose pods are asked for. ${VAR} stands for an environment variable."`
	CollectorHostname string `json:"collectorHostname" title:"Collector host" example:"k8s-metacollector.metacollector.svc" desc:"Host name or address of the k8s-metacollector. Needed with the source collector."`
	CollectorPort     int    `json:"collectorPort" min:"0" max:"65535" title:"Collector port" example:"45000" desc:"Port of the k8s-metacollector, from 1. Needed with the source collector."`
	CAPEMBundle       string `json:"caPEMBundle" title:"CA bundle" example:"/etc/ssl/certs/ca-certificates.crt" desc:"File with the PEM certificates of the authorities that the collector's certificate is checked with. Empty means no TLS."`
	ClientCertificate string `json:"clientCertificate" title:"Client certificate" desc:"File with the PEM certificate chain that is shown to the collector, for mutual TLS. Needs caPEMBundle and clientKey."`
	ClientKey         string `json:"clientKey" title:"Client key" desc:"File with the PEM private key of clientCertificate."`
	Kubeconfig        string `json:"kubeconfig" title:"Kubeconfig" desc:"With the source kubernetes: file that says how the API server is reached. Empty means the service account of the pod that Falco runs in."`
	Verbosity         string `json:"verbosity" default:"info" enum:"trace,debug,info,warning,error,critical" title:"Verbosity" desc:"The least level of the lines that the plugin writes to the framework's log."`
	HostProc          string `json:"hostProc" title:"Host proc" desc:"Accepted for compatibility and ignored, with a warning."`
}

// Values of config.Source.
const (
	fromCollector  = "collector"
	fromKubernetes = "kubernetes"
)

// readConfig decodes an init configuration. What it returns can be used as it is:
// the node name has its variables replaced.
func readConfig(text string) (config, error) {
	var c config
	if err := kit.Decode(text, &c); err != nil {
		return config{}, fmt.Errorf("read init config: %w", err)
	}
	return c, nil
}

// Validate is asked by the kit.
func (c *config) Validate() error {
	name, err := expand(c.NodeName, os.LookupEnv)
	if err != nil {
		return fmt.Errorf("nodeName: %w", err)
	}
	if c.NodeName = strings.TrimSpace(name); c.NodeName == "" {
		return errors.New("nodeName: it is empty; give the name of the Kubernetes node, or ${VAR} with a variable that has it")
	}
	if c.Source == fromCollector {
		return c.validateCollector()
	}
	return nil
}

func (c *config) validateCollector() error {
	c.CollectorHostname = strings.TrimSpace(c.CollectorHostname)
	switch {
	case c.CollectorHostname == "":
		return errors.New("collectorHostname: it is missing or empty; give the host of the k8s-metacollector, or the source kubernetes to do without one")
	case c.CollectorPort == 0:
		return errors.New("collectorPort: it is missing or 0; give the port of the k8s-metacollector, 1 to 65535 (its own default is 45000)")
	case (c.ClientCertificate == "") != (c.ClientKey == ""):
		return errors.New("clientCertificate, clientKey: give both or neither")
	case c.ClientCertificate != "" && c.CAPEMBundle == "":
		return errors.New("clientCertificate: a certificate is shown over TLS only; give caPEMBundle too")
	}
	return nil
}

// warnings are lines about keys that are given and have no effect.
func (c *config) warnings() (lines []string) {
	if c.HostProc != "" {
		lines = append(lines, "hostProc has no effect any more; leave it out")
	}
	keys := map[string]string{"kubeconfig": c.Kubeconfig}
	if c.Source == fromKubernetes {
		keys = map[string]string{"collectorHostname": c.CollectorHostname, "caPEMBundle": c.CAPEMBundle, "clientCertificate": c.ClientCertificate, "clientKey": c.ClientKey}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if keys[key] != "" {
			lines = append(lines, fmt.Sprintf("%s has no effect with the source %s", key, c.Source))
		}
	}
	return lines
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces each ${VAR} in place. A variable that is not set is an error:
// what is left of the text without it is hardly what was meant.
func expand(text string, lookup func(string) (string, bool)) (string, error) {
	var err error
	out := variable.ReplaceAllStringFunc(text, func(ref string) string {
		name := ref[2 : len(ref)-1]
		value, ok := lookup(name)
		if !ok && err == nil {
			err = fmt.Errorf("%q: the environment variable %s is not set", text, name)
		}
		return value
	})
	return out, err
}

// level is the verbosity as a level of the kit's log.
func (c *config) level() slog.Level {
	switch c.Verbosity {
	case "trace":
		return slog.LevelDebug - 4
	case "debug":
		return slog.LevelDebug
	case "warning":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	case "critical":
		return slog.LevelError + 4
	}
	return slog.LevelInfo
}
