// SPDX-License-Identifier: Apache-2.0

package face

import (
	"slices"
	"strings"
)

// fields compares the fields that rules use.
func (d *differ) fields(old, new []Field) {
	where := func(list []Field, name string) int {
		return slices.IndexFunc(list, func(f Field) bool { return f.Name == name })
	}
	var added, removed []Field
	for _, f := range new {
		if where(old, f.Name) < 0 {
			added = append(added, f)
		}
	}
	var keptOld, keptNew []string
	for _, was := range old {
		at := where(new, was.Name)
		if at < 0 {
			removed = append(removed, was)
			continue
		}
		keptOld = append(keptOld, was.Name)
		d.field(was, new[at])
	}
	for _, f := range new {
		if where(old, f.Name) >= 0 {
			keptNew = append(keptNew, f.Name)
		}
	}
	for _, f := range removed {
		text := "removed"
		if like := alike(f, added); like != "" {
			text += "; renamed to " + like + "? Type and argument are the same"
		}
		d.add(Major, "field "+f.Name, "%s", text)
	}
	for _, f := range added {
		d.add(Minor, "field "+f.Name, "added")
	}
	if !slices.Equal(keptOld, keptNew) {
		d.add(Patch, "fields", "in another order")
	}
}

// alike is the one new field that a removed one may have become, or "".
func alike(gone Field, added []Field) string {
	found := ""
	for _, f := range added {
		if f.Type == gone.Type && f.List == gone.List && f.Arg == gone.Arg {
			if found != "" {
				return ""
			}
			found = f.Name
		}
	}
	return found
}

// field compares a field with what it was.
func (d *differ) field(was, is Field) {
	subject := "field " + was.Name
	if typeOf(was) != typeOf(is) {
		d.add(Major, subject, "type %s -> %s", typeOf(was), typeOf(is))
	}
	if was.Arg != is.Arg {
		d.add(argument(was.Arg, is.Arg), subject, "argument %s -> %s", was.Arg, is.Arg)
	}
	if was.Desc != is.Desc {
		d.review(Patch, "did its meaning change?", subject, "description %q -> %q", was.Desc, is.Desc)
	}
	if was.Display != is.Display {
		d.add(Patch, subject, "display name %q -> %q", was.Display, is.Display)
	}
	if was.AddOutput != is.AddOutput {
		d.add(Minor, subject, "addOutput %t -> %t", was.AddOutput, is.AddOutput)
	}
	if !slices.Equal(sorted(was.Properties), sorted(is.Properties)) {
		d.add(Minor, subject, "properties [%s] -> [%s]", listed(was.Properties), listed(is.Properties))
	}
}

func typeOf(f Field) string {
	if f.List {
		return "list of " + f.Type
	}
	return f.Type
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// argument is major where something that was written before is refused now.
func argument(was, is Argument) Bump {
	mayBeMissing := !was.Required || !was.takes()
	mayBeMissingNow := !is.Required || !is.takes()
	if mayBeMissing && !mayBeMissingNow || was.Key && !is.Key || was.Index && !is.Index {
		return Major
	}
	return Minor
}

func (a Argument) takes() bool { return a.Index || a.Key }

// String is how the argument is described: none, or a form and whether it is required.
func (a Argument) String() string {
	var forms []string
	if a.Index {
		forms = append(forms, "index")
	}
	if a.Key {
		forms = append(forms, "key")
	}
	switch {
	case len(forms) == 0:
		return "none"
	case a.Required:
		return "required " + strings.Join(forms, " or ")
	}
	return "optional " + strings.Join(forms, " or ")
}
