// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"strings"

	"github.com/aerie-falco/aerie/build/elfgate"
	"github.com/aerie-falco/aerie/build/plughost"
	"github.com/aerie-falco/aerie/build/registry"
)

// markdown writes a table with a heading, or nothing if there are no rows.
func markdown(heading []string, rows [][]string) string {
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	write := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	write(heading)
	rule := make([]string, len(heading))
	for i := range rule {
		rule[i] = "---"
	}
	write(rule)
	for _, row := range rows {
		write(row)
	}
	return b.String()
}

// cell makes text safe inside a table: a bar would end the cell and a line break the row.
func cell(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n")
	return strings.NewReplacer("|", `\|`, "\n", "<br/>").Replace(text)
}

// prose is cell for text of a person, in which "<" begins no HTML.
func prose(text string) string { return cell(strings.ReplaceAll(text, "<", "&lt;")) }

// code is text in backticks, of which there are more than text has in a row.
func code(text string) string {
	fence, text := "`", cell(text)
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		text = " " + text + " "
	}
	return fence + text + fence
}

// fieldsTable lists fields in the order in which the plugin declares them.
func fieldsTable(fields []plughost.Field) string {
	var rows [][]string
	for _, f := range fields {
		kind := f.Type
		if f.List {
			kind += " (list)"
		}
		rows = append(rows, []string{code(f.Name), code(kind), argument(f), prose(f.Desc)})
	}
	return markdown([]string{"NAME", "TYPE", "ARG", "DESCRIPTION"}, rows)
}

func argument(f plughost.Field) string {
	var words []string
	if f.Arg.Index {
		words = append(words, "Index")
	}
	if f.Arg.Key {
		words = append(words, "Key")
	}
	if len(words) == 0 {
		return "None"
	}
	if f.Arg.Required {
		words = append(words, "Required")
	}
	return strings.Join(words, ", ")
}

// registryTable lists the plugins in the order of the registry. Entries that only hold a name or an ID are left out.
func registryTable(ledger *registry.Registry) string {
	var rows [][]string
	for _, e := range ledger.Plugins {
		if e.Reserved {
			continue
		}
		about := []string{prose(e.Description), "", "Authors: " + link(e.Authors, e.Contact), "License: " + cell(e.License)}
		rows = append(rows, []string{link(e.Name, e.URL), capabilities(e), strings.Join(about, "<br/>")})
	}
	return markdown([]string{"Name", "Capabilities", "Description"}, rows)
}

// capabilities says what a plugin can do, one capability a line.
func capabilities(e registry.Entry) string {
	sources := func(list []string) string {
		switch {
		case len(list) > 0:
			return strings.Join(quoted(list), ", ")
		case e.Source != "":
			return code(e.Source)
		default:
			return "all sources"
		}
	}
	var lines []string
	for _, c := range e.Capabilities {
		switch c {
		case elfgate.Source:
			lines = append(lines, fmt.Sprintf("**Event sourcing**: ID %d, source %s", e.ID, code(e.Source)))
		case elfgate.Extract:
			lines = append(lines, "**Field extraction**: "+sources(e.ExtractSources))
		case elfgate.Parse:
			lines = append(lines, "**Event parsing**: "+sources(e.ParseSources))
		case elfgate.Async:
			lines = append(lines, "**Async events**: "+strings.Join(quoted(e.AsyncEvents), ", ")+" in "+sources(e.AsyncSources))
		case elfgate.Capture:
			lines = append(lines, "**Capture listening**")
		}
	}
	return strings.Join(lines, "<br/>")
}

func quoted(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, code(s))
	}
	return out
}

// link is text that leads to a URL or a mail address; without a text it is N/A.
func link(text, target string) string {
	if text == "" {
		return "N/A"
	}
	if target == "" {
		return cell(text)
	}
	if !strings.Contains(target, "://") && strings.Contains(target, "@") {
		target = "mailto:" + target
	}
	return fmt.Sprintf("[%s](%s)", cell(text), strings.NewReplacer("|", "%7C", "(", "%28", ")", "%29", " ", "%20").Replace(target))
}
