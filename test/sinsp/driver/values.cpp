// SPDX-License-Identifier: Apache-2.0

#include "values.h"

#include <arpa/inet.h>
#include <cstring>
#include <vector>

#include <libsinsp/sinsp_filtercheck.h>

#include "output.h"

namespace {

template<typename T>
T number(const extract_value_t& v) {
	T n;
	memcpy(&n, v.ptr, sizeof n);
	return n;
}

Json::Value address(const extract_value_t& v) {
	char buf[INET6_ADDRSTRLEN] = "";
	int family = v.len == 4 ? AF_INET : AF_INET6;
	if((v.len != 4 && v.len != 16) || inet_ntop(family, v.ptr, buf, sizeof buf) == nullptr) {
		return Json::Value("an address of " + std::to_string(v.len) + " bytes");
	}
	return Json::Value(buf);
}

Json::Value scalar(const filtercheck_field_info& field, const extract_value_t& v) {
	switch(field.m_type) {
	case PT_CHARBUF:
	case PT_FSPATH:
		return text(reinterpret_cast<const char*>(v.ptr));
	case PT_UINT64:
	case PT_RELTIME:
	case PT_ABSTIME:
		return Json::Value(Json::UInt64(number<uint64_t>(v)));
	case PT_BOOL:
		return Json::Value(number<uint32_t>(v) != 0);
	case PT_IPADDR:
	case PT_IPNET:
		return address(v);
	default:
		return Json::Value();
	}
}

bool known(ppm_param_type type) {
	switch(type) {
	case PT_CHARBUF:
	case PT_FSPATH:
	case PT_UINT64:
	case PT_RELTIME:
	case PT_ABSTIME:
	case PT_BOOL:
	case PT_IPADDR:
	case PT_IPNET:
		return true;
	default:
		return false;
	}
}

}  // namespace

Json::Value value(sinsp_filter_check& check, sinsp_evt* evt) {
	const filtercheck_field_info* field = check.get_transformed_field_info();
	if(!known(field->m_type)) {
		const char* printed = check.tostring(evt);
		return printed == nullptr ? Json::Value() : text(printed);
	}
	std::vector<extract_value_t> values;
	if(!check.extract(evt, values, false)) {
		return Json::Value();
	}
	if(!field->is_list()) {
		return values.empty() ? Json::Value() : scalar(*field, values[0]);
	}
	Json::Value list(Json::arrayValue);
	for(const auto& v : values) {
		list.append(scalar(*field, v));
	}
	return list;
}
