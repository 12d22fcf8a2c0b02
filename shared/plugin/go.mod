module github.com/aerie-falco/aerie/shared/plugin

go 1.26.0

require github.com/falcosecurity/plugin-sdk-go v0.8.3

require (
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
