module github.com/aerie-falco/aerie/shared/ingest

go 1.26.0

require (
	github.com/aerie-falco/aerie/shared/plugin v0.0.0
	github.com/fsnotify/fsnotify v1.10.1
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/falcosecurity/plugin-sdk-go v0.8.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/aerie-falco/aerie/shared/plugin => ../plugin
