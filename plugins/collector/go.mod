module github.com/aerie-falco/aerie/plugins/collector

go 1.26.0

require (
	github.com/aerie-falco/aerie/shared/ingest v0.0.0
	github.com/aerie-falco/aerie/shared/plugin v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/falcosecurity/plugin-sdk-go v0.8.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace (
	github.com/aerie-falco/aerie/shared/ingest => ../../shared/ingest
	github.com/aerie-falco/aerie/shared/plugin => ../../shared/plugin
)
