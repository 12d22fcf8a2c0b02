module github.com/aerie-falco/aerie/plugins/k8saudit

go 1.26.0

require (
	github.com/aerie-falco/aerie/shared/ingest v0.0.0
	github.com/aerie-falco/aerie/shared/jsonfields v0.0.0
	github.com/aerie-falco/aerie/shared/plugin v0.0.0
	github.com/stretchr/testify v1.12.1
	github.com/valyala/fastjson v1.6.10
)

require (
	github.com/falcosecurity/plugin-sdk-go v0.8.3 // indirect
	github.com/fsnotify/fsnotify v1.10.1 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace (
	github.com/aerie-falco/aerie/shared/ingest => ../../shared/ingest
	github.com/aerie-falco/aerie/shared/jsonfields => ../../shared/jsonfields
	github.com/aerie-falco/aerie/shared/plugin => ../../shared/plugin
)
