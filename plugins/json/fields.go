// SPDX-License-Identifier: Apache-2.0

package json

import "github.com/aerie-falco/aerie/shared/plugin/extract"

// Extraction is what the plugin extracts: from plugin events of every source, as no
// source is named. The jevt fields are older names for the json fields.
var Extraction = extract.Options[*Plugin]{Fields: []extract.Field[*Plugin]{
	{
		Name: "json.value", Display: "JSON value", Arg: extract.RequiredKey, Value: value,
		Desc: "Text of the value that a JSON Pointer (RFC 6901) selects in the event's JSON payload, such as json.value[/user/name]. " +
			"Its first slash may be left out. Strings are decoded, numbers are as written, objects and arrays are JSON without white space.",
	},
	{
		Name: "json.obj", Display: "JSON document", Value: document,
		Desc: "The event's whole JSON payload as text, one member or element a line, indented by two spaces a level.",
	},
	{
		Name: "json.rawtime", Display: "Event time", Value: rawTime,
		Desc: "Time of the event in nanoseconds since the Unix epoch, from the event's header. It is there for every event, JSON or not.",
	},
	{
		Name: "jevt.value", Display: "JSON value", Arg: extract.RequiredKey, Value: value,
		Desc: "The same as json.value. Kept for existing rules; new rules should say json.value.",
	},
	{
		Name: "jevt.obj", Display: "JSON document", Value: document,
		Desc: "The same as json.obj. Kept for existing rules; new rules should say json.obj.",
	},
	{
		Name: "jevt.rawtime", Display: "Event time", Value: rawTime,
		Desc: "The same as json.rawtime. Kept for existing rules; new rules should say json.rawtime.",
	},
}}

var (
	value    = extract.String((*Plugin).value).WithOffsets()
	document = extract.String((*Plugin).document).WithOffsets()
	rawTime  = extract.String((*Plugin).rawTime)
)
