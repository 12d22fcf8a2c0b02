// SPDX-License-Identifier: Apache-2.0

// State tables as JSON.
#pragma once

#include <string>

#include <libsinsp/sinsp.h>
#include <json/json.h>

// rows is the entries of a state table, each an object of its fields by name, with
// tables in fields as lists of rows. The framework tells no keys. An order of rows
// is not known either, so they are sorted by what they say.
Json::Value rows(sinsp& framework, const std::string& table);
