module github.com/aerie-falco/aerie/plugins/json

go 1.26.0

require (
	github.com/aerie-falco/aerie/shared/jsonfields v0.0.0
	github.com/aerie-falco/aerie/shared/plugin v0.0.0
	github.com/stretchr/testify v1.12.1
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect

replace (
	github.com/aerie-falco/aerie/shared/jsonfields => ../../shared/jsonfields
	github.com/aerie-falco/aerie/shared/plugin => ../../shared/plugin
)
