module github.com/aerie-falco/aerie/test

go 1.26.0

require (
	github.com/aerie-falco/aerie/shared/plugin v0.0.0
	github.com/falcosecurity/plugin-sdk-go v0.8.3
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3
	github.com/spf13/cobra v1.10.2
	github.com/stretchr/testify v1.12.1
	github.com/valyala/fastjson v1.6.10
	go.yaml.in/yaml/v3 v3.0.6
	golang.org/x/sys v0.49.0
	golang.org/x/text v0.14.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
)

replace github.com/aerie-falco/aerie/shared/plugin => ../shared/plugin
