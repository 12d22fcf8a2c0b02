// SPDX-License-Identifier: Apache-2.0

package k8saudit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"path/filepath"
	"time"

	"github.com/aerie-falco/aerie/shared/ingest/lines"
	"github.com/aerie-falco/aerie/shared/ingest/tail"
	"github.com/aerie-falco/aerie/shared/plugin/source"
)

// tailConfig is what can be set of a file that is followed.
type tailConfig struct {
	_ struct{} `config:"allowUnknown"`

	CheckpointDir string `json:"checkpointDir" example:"/var/lib/falco/k8saudit" desc:"Directory, which must exist, for a file that keeps up to where events were consumed, so that a restart goes on there. Empty: reading always starts at the end of the file."`
}

// Validate checks what the tags cannot.
func (c *tailConfig) Validate() error {
	if c.CheckpointDir != "" && !filepath.IsAbs(c.CheckpointDir) {
		return errors.New("checkpointDir: want an absolute path")
	}
	return nil
}

// lines says how the lines of files become events.
func (p *Plugin) lines(ctx context.Context) lines.Options {
	d := &documents{maxEvent: p.maxEventSize()}
	log := newSplitLog(ctx)
	var add func([]byte, uint64) error
	emit := func(payload []byte, at uint64) error {
		if at == 0 {
			at = uint64(time.Now().UnixNano())
		}
		return add(payload, at)
	}
	return lines.Options{
		MaxLine: int(p.config.WebhookMaxBatchSize),
		Decode: func(text []byte, to func([]byte, uint64) error) error {
			add = to
			t, err := d.split(text, emit)
			log.note(t, err, "")
			return err
		},
	}
}

func (p *Plugin) openTail(ctx context.Context, path string) (*tail.Source, error) {
	o := tail.Options{Lines: p.lines(ctx)}
	if dir := p.config.Tail.CheckpointDir; dir != "" {
		o.Checkpoint = filepath.Join(dir, checkpointName(path))
	}
	return tail.Open(ctx, path, o)
}

// maxName is the longest name of a file that all file systems take.
const maxName = 255

// checkpointName gives each path a file of its own.
func checkpointName(path string) string {
	const suffix = ".checkpoint"
	name := url.PathEscape(path) + suffix
	if room := maxName - 20; len(name) > room { // for what is added while it is written
		sum := sha256.Sum256([]byte(path))
		name = hex.EncodeToString(sum[:]) + suffix
	}
	return name
}

// sized is an instance over files, with the size of its events.
type sized struct {
	source.Instance
	max int
}

func (s sized) MaxEventSize() int { return s.max }

// sizedFile also knows how far it is.
type sizedFile struct {
	sized
	source.Progresser
}
