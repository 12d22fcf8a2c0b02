// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aerie-falco/aerie/build/changelog"
	"github.com/aerie-falco/aerie/build/git"
	"github.com/aerie-falco/aerie/build/levels"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/rulesdiff"
	"github.com/aerie-falco/aerie/build/ruleset"
	"github.com/aerie-falco/aerie/build/tag"
	"github.com/aerie-falco/aerie/build/workspace"
)

// NewestAPI is the newest version of the plugin API that the kit is made for.
const NewestAPI = "3.12.0"

// Check compares every plugin with its last release, and tells on out what
// changed, which version that takes, and what only a person can answer. The
// error has everything that must not be released as it is. A checkout whose
// history is cut off cannot be checked: the error wraps levels.ErrCannotRun.
func Check(ctx context.Context, w workspace.Workspace, out io.Writer) error {
	plugins, err := w.Plugins()
	if err != nil {
		return err
	}
	var failed []error
	for _, p := range plugins {
		failed = append(failed, CheckPlugin(ctx, w, p, out))
	}
	return errors.Join(failed...)
}

// CheckPlugin is Check for one plugin.
func CheckPlugin(ctx context.Context, w workspace.Workspace, p workspace.Plugin, out io.Writer) error {
	c := &checking{w: w, p: p, out: out}
	if err := c.run(ctx); err != nil {
		return err
	}
	if len(c.problems) == 0 {
		return nil
	}
	return fmt.Errorf("%s %s must not be released like this:\n  - %s", p.Name, c.declared.Version, strings.Join(c.problems, "\n  - "))
}

// declaration is what is needed here of a face.
type declaration struct {
	Version     string `json:"version"`
	Contact     string `json:"contact"`
	RequiredAPI string `json:"required_api_version"`
	ID          uint32 `json:"id"`
}

// checking is the check of one plugin.
type checking struct {
	w        workspace.Workspace
	p        workspace.Plugin
	out      io.Writer
	face     []byte // of the built plugin
	declared declaration
	problems []string
}

func (c *checking) wrong(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *checking) say(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }

func (c *checking) run(ctx context.Context) error {
	var err error
	if c.face, err = faceOf(ctx, c.w, c.p); err != nil {
		return err
	}
	if err := json.Unmarshal(c.face, &c.declared); err != nil {
		return fmt.Errorf("reading the face of %s: %w", c.p.Name, err)
	}
	if err := upToDate(ctx, c.w, c.p); err != nil {
		c.wrong("%s", strings.ReplaceAll(err.Error(), "\n", "\n  - "))
	}
	if strings.TrimSpace(c.declared.Contact) == "" {
		c.wrong("it names no contact; users have to reach somebody")
	}
	if err := c.watched(); err != nil {
		return err
	}
	if err := tag.CheckVersion(c.declared.Version); err != nil {
		c.wrong("%s", err)
	}
	if err := c.wholeHistory(ctx); err != nil {
		return err
	}
	if err := changelog.Check(ctx, c.w, c.p.Name, ""); err != nil {
		c.wrong("%s", err)
	}
	last, ok, err := c.lastRelease(ctx)
	if err != nil {
		return err
	}
	if !ok {
		c.say("%s %s: no release yet, so any version will do", c.p.Name, c.declared.Version)
	} else if err := c.since(ctx, last); err != nil {
		return err
	}
	c.api()
	c.patches()
	return nil
}

// patches asks about rules that require a patch: users who have the release
// before it could not load them.
func (c *checking) patches() {
	files, err := ruleset.Files(filepath.Join(c.p.Dir, "rules"))
	var required ruleset.Requirements
	if err == nil {
		required, err = ruleset.Required(files)
	}
	if err != nil {
		c.wrong("%s", err)
	}
	for _, d := range required.Plugins {
		if !strings.HasSuffix(d.Version, ".0") {
			c.say("  question: its rules require %s %s; do they need that patch?", d.Name, d.Version)
		}
	}
}

// api compares the required version of the plugin API with the newest known.
func (c *checking) api() {
	switch order := tag.Compare(c.declared.RequiredAPI, NewestAPI); {
	case order < 0:
		c.say("  requires plugin API %s; the newest known is %s", c.declared.RequiredAPI, NewestAPI)
	case order > 0:
		c.wrong("it requires plugin API %s, and so no framework loads it: the newest known is %s", c.declared.RequiredAPI, NewestAPI)
	}
}

// watched asks for payload fixtures of a plugin with an ID: without any, nobody
// would see that captures which exist cannot be read any more.
func (c *checking) watched() error {
	fixtures, err := fixturesOf(c.p)
	if err == nil && len(fixtures) == 0 && c.declared.ID != 0 {
		c.wrong("plugins/%s/%s has no fixture, so that nothing shows whether its payloads stay what they are; add one for each kind of payload", c.p.Name, PayloadFolder)
	}
	return err
}

func (c *checking) wholeHistory(ctx context.Context) error {
	has, err := git.HasCommit(ctx, c.w.Root)
	if err != nil || !has {
		return err
	}
	shallow, err := git.Shallow(ctx, c.w.Root)
	if err == nil && shallow {
		err = fmt.Errorf("looking for releases of %s: %w: the history is cut off; fetch the rest of it with git fetch --unshallow --tags", c.p.Name, levels.ErrCannotRun)
	}
	return err
}

// lastRelease is the final release that comes before what is checked. On the
// commit of a release, unchanged, that is the one before it.
func (c *checking) lastRelease(ctx context.Context) (tag.Tag, bool, error) {
	all, err := tag.Of(ctx, c.w.Root, c.p.Name)
	if err != nil {
		return tag.Tag{}, false, err
	}
	declared := tag.Tag{Plugin: c.p.Name, Version: c.declared.Version}
	here, err := tag.At(ctx, c.w.Root, c.p.Name)
	if err != nil {
		return tag.Tag{}, false, err
	}
	if slices.Contains(here, declared) {
		changed, err := tag.Changed(ctx, c.w.Root, declared)
		if err != nil {
			return tag.Tag{}, false, err
		}
		if len(changed) == 0 {
			all = slices.DeleteFunc(all, func(t tag.Tag) bool { return t == declared })
		}
	}
	if k := len(all) - 1; k >= 0 && !all[k].Final() && tag.Compare(declared.Version, all[k].Version) <= 0 {
		changed, err := c.reaching(ctx, all[k])
		if err != nil {
			return tag.Tag{}, false, err
		}
		if len(changed) > 0 {
			c.wrong("version %s does not come after %s, which is released without these changes: %s", declared.Version, all[k].Version, some(changed))
		}
	}
	all = slices.DeleteFunc(all, func(t tag.Tag) bool { return !t.Final() })
	if len(all) == 0 {
		return tag.Tag{}, false, nil
	}
	return all[len(all)-1], true, nil
}

// since compares with a release.
func (c *checking) since(ctx context.Context, last tag.Tag) error {
	dir, err := os.MkdirTemp("", "aerie-lifecycle")
	if err != nil {
		return fmt.Errorf("comparing %s with %s: %w", c.p.Name, last, err)
	}
	defer os.RemoveAll(dir)
	old, err := c.oldFace(ctx, last)
	if err != nil {
		return err
	}
	more, rules, err := c.changes(ctx, last, dir)
	if err != nil {
		return err
	}
	before, now := filepath.Join(dir, "old.json"), filepath.Join(dir, "new.json")
	if err := errors.Join(os.WriteFile(before, old, 0o600), os.WriteFile(now, c.face, 0o600)); err != nil {
		return fmt.Errorf("comparing %s with %s: %w", c.p.Name, last, err)
	}
	v, err := plughost.Judge(ctx, c.w, before, now, more)
	if err != nil {
		return fmt.Errorf("comparing %s with %s: %w", c.p.Name, last, err)
	}
	c.tell(last, v)
	c.problems = append(c.problems, v.Problems...)
	if v.Breaking {
		return c.breaking(v, rules)
	}
	return nil
}

// oldFace is the face at a release. One from before there were faces has
// nothing to compare with, but for its number.
func (c *checking) oldFace(ctx context.Context, last tag.Tag) ([]byte, error) {
	text, ok, err := git.Show(ctx, c.w.Root, last.String(), "plugins/"+c.p.Name+"/"+FaceFile)
	if err != nil {
		return nil, fmt.Errorf("reading the face of %s: %w", last, err)
	}
	if ok {
		return text, nil
	}
	c.say("%s: %s has no %s, so fields and options cannot be compared", c.p.Name, last, FaceFile)
	var face map[string]any
	if err := json.Unmarshal(c.face, &face); err != nil {
		return nil, fmt.Errorf("reading the face of %s: %w", c.p.Name, err)
	}
	face["version"] = last.Version
	return json.Marshal(face)
}

// tell prints what changed and what to ask oneself.
func (c *checking) tell(last tag.Tag, v plughost.Verdict) {
	switch {
	case len(v.Changes) == 0 && v.Declared == v.From:
		c.say("%s %s: as released", c.p.Name, v.Declared)
	case len(v.Changes) == 0:
		c.say("%s %s, after %s: nothing that is released changed but the version", c.p.Name, v.Declared, v.From)
	case v.Wanted == "":
		c.say("%s %s, after %s:", c.p.Name, v.Declared, last.Version)
	default:
		c.say("%s %s, after %s; these changes take %s or higher:", c.p.Name, v.Declared, last.Version, v.Wanted)
	}
	for _, change := range v.Changes {
		c.say("  %-8s %s: %s", change.Bump, change.Subject, change.Text)
		if change.Review != "" {
			c.say("           question: %s", change.Review)
		}
	}
}

// breaking asks for what has to stand beside a break in a 0.y version, whose
// number does not show it.
func (c *checking) breaking(v plughost.Verdict, rules rulesdiff.Rules) error {
	log, err := changelog.Load(c.w, c.p.Name)
	if err != nil {
		return err
	}
	if !changelog.Breaks(log.Ahead(v.Declared)) {
		c.wrong("the changes break users, and in a 0.y version the number does not show it: an item of plugins/%s/%s under v%s has to begin with BREAKING",
			c.p.Name, changelog.FileName, v.Wanted)
	}
	if required, ok := rules.Plugin(c.p.Name); ok && tag.Compare(required, v.Wanted) < 0 {
		c.wrong("the changes break users, so its rules have to require %s %s; they require %s", c.p.Name, v.Wanted, required)
	}
	return nil
}
