// SPDX-License-Identifier: Apache-2.0

#include "tables.h"

#include <functional>
#include <map>
#include <vector>

#include <libsinsp/state/table.h>
#include <libsinsp/state/table_registry.h>

#include "output.h"

namespace {

using entry = ss_plugin_table_entry_t;
using field = ss_plugin_table_field_t;

// A table as the framework's own code reaches it, and one in a field as plugins do.
struct view {
	std::function<const ss_plugin_table_fieldinfo*(uint32_t*)> list;
	std::function<field*(const char*, ss_plugin_state_type)> get;
	std::function<void(ss_plugin_table_iterator_func_t, void*)> each;
	std::function<ss_plugin_rc(entry*, field*, ss_plugin_state_data*)> read;
};

view of(libsinsp::state::base_table* t, libsinsp::state::sinsp_table_owner* o) {
	return {[=](uint32_t* n) { return t->list_fields(o, n); },
	        [=](const char* name, ss_plugin_state_type type) { return t->get_field(o, name, type); },
	        [=](ss_plugin_table_iterator_func_t f, void* s) { t->iterate_entries(o, f, s); },
	        [=](entry* e, field* f, ss_plugin_state_data* out) { return t->read_entry_field(o, e, f, out); }};
}

view of(const ss_plugin_table_input* t) {
	return {[=](uint32_t* n) { return t->fields_ext->list_table_fields(t->table, n); },
	        [=](const char* name, ss_plugin_state_type type) {
		        return t->fields_ext->get_table_field(t->table, name, type);
	        },
	        [=](ss_plugin_table_iterator_func_t f, void* s) { t->reader_ext->iterate_entries(t->table, f, s); },
	        [=](entry* e, field* f, ss_plugin_state_data* out) {
		        return t->reader_ext->read_entry_field(t->table, e, f, out);
	        }};
}

Json::Value rows(const view& t);

Json::Value value(ss_plugin_state_type type, const ss_plugin_state_data& d) {
	switch(type) {
	case SS_PLUGIN_ST_INT8:
		return d.s8;
	case SS_PLUGIN_ST_INT16:
		return d.s16;
	case SS_PLUGIN_ST_INT32:
		return d.s32;
	case SS_PLUGIN_ST_INT64:
		return Json::Int64(d.s64);
	case SS_PLUGIN_ST_UINT8:
		return d.u8;
	case SS_PLUGIN_ST_UINT16:
		return d.u16;
	case SS_PLUGIN_ST_UINT32:
		return d.u32;
	case SS_PLUGIN_ST_UINT64:
		return Json::UInt64(d.u64);
	case SS_PLUGIN_ST_BOOL:
		return d.b != 0;
	case SS_PLUGIN_ST_STRING:
		return text(d.str == nullptr ? "" : d.str);
	case SS_PLUGIN_ST_TABLE:
		return rows(of(static_cast<const ss_plugin_table_input*>(d.table)));
	default:
		return Json::Value();
	}
}

struct column {
	std::string name;
	ss_plugin_state_type type;
	field* accessor;
};

struct collection {
	const view* table;
	std::vector<column> columns;
	std::multimap<std::string, Json::Value> found;  // by their text
};

ss_plugin_bool collect(ss_plugin_table_iterator_state_t* s, entry* e) {
	auto all = static_cast<collection*>(s);
	Json::Value row(Json::objectValue);
	for(const auto& c : all->columns) {
		ss_plugin_state_data d = {};
		if(all->table->read(e, c.accessor, &d) == SS_PLUGIN_SUCCESS) {
			row[c.name] = value(c.type, d);
		}
	}
	all->found.emplace(row.toStyledString(), row);
	return 1;
}

Json::Value rows(const view& t) {
	collection all = {&t, {}, {}};
	uint32_t n = 0;
	const ss_plugin_table_fieldinfo* listed = t.list(&n);
	for(uint32_t k = 0; k < n; k++) {
		all.columns.push_back({listed[k].name, listed[k].field_type, nullptr});
	}
	for(auto& c : all.columns) {  // the list is gone with the next call
		c.accessor = t.get(c.name.c_str(), c.type);
	}
	t.each(collect, &all);
	Json::Value out(Json::arrayValue);
	for(const auto& f : all.found) {
		out.append(f.second);
	}
	return out;
}

}  // namespace

Json::Value rows(sinsp& framework, const std::string& table) {
	const auto& all = framework.get_table_registry()->tables();
	auto found = all.find(table);
	if(found == all.end()) {
		throw sinsp_exception("no table " + table);
	}
	libsinsp::state::sinsp_table_owner reader;
	return rows(of(found->second, &reader));
}
