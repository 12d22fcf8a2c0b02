// SPDX-License-Identifier: Apache-2.0

#include "describe.h"

#include <set>

#include <plugin/plugin_loader.h>

#include "output.h"

namespace {

template<typename Names>
Json::Value sorted(const Names& names) {
	Json::Value list(Json::arrayValue);
	for(const auto& n : std::set<std::string>(names.begin(), names.end())) {
		list.append(n);
	}
	return list;
}

Json::Value capabilities(plugin_caps_t caps) {
	const std::pair<uint32_t, const char*> all[] = {{CAP_SOURCING, "sourcing"},
	                                                {CAP_EXTRACTION, "extraction"},
	                                                {CAP_PARSING, "parsing"},
	                                                {CAP_ASYNC, "async"},
	                                                {CAP_CAPTURE_LISTENING, "capture"}};
	Json::Value list(Json::arrayValue);
	for(const auto& [bit, name] : all) {
		if(caps & bit) {
			list.append(name);
		}
	}
	return list;
}

std::string type_name(ppm_param_type type) {
	switch(type) {
	case PT_UINT64:
		return "uint64";
	case PT_CHARBUF:
		return "string";
	case PT_RELTIME:
		return "reltime";
	case PT_ABSTIME:
		return "abstime";
	case PT_BOOL:
		return "bool";
	case PT_IPADDR:
		return "ipaddr";
	case PT_IPNET:
		return "ipnet";
	default:
		return "type " + std::to_string(type);
	}
}

Json::Value field(const filtercheck_field_info& f) {
	Json::Value v;
	v["name"] = text(f.m_name);
	v["display"] = text(f.m_display);
	v["desc"] = text(f.m_description);
	v["type"] = type_name(f.m_type);
	v["list"] = f.is_list();
	v["required"] = f.is_arg_required();
	v["index"] = (f.m_flags & EPF_ARG_INDEX) != 0;
	v["key"] = (f.m_flags & EPF_ARG_KEY) != 0;
	v["add_output"] = f.is_format_suggested();
	return v;
}

}  // namespace

Json::Value describe(const sinsp_plugin& p) {
	Json::Value v;
	v["name"] = text(p.name());
	v["description"] = text(p.description());
	v["contact"] = text(p.contact());
	v["version"] = p.plugin_version().as_string();
	v["required_api"] = p.required_api_version().as_string();
	v["capabilities"] = capabilities(p.caps());
	v["id"] = p.id();
	v["source"] = text(p.event_source());
	v["extract_sources"] = sorted(p.extract_event_sources());
	v["parse_sources"] = sorted(p.parse_event_sources());
	v["async_sources"] = sorted(p.async_event_sources());
	v["async_events"] = sorted(p.async_event_names());
	ss_plugin_schema_type type = SS_PLUGIN_SCHEMA_NONE;
	v["schema"] = text(p.get_init_schema(type));
	v["fields"] = Json::Value(Json::arrayValue);
	for(const auto& f : p.fields()) {
		v["fields"].append(field(f));
	}
	return v;
}
