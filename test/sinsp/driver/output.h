// SPDX-License-Identifier: Apache-2.0

// What the driver says: JSON texts, one a line, on standard output.
#pragma once

#include <string>

#include <json/json.h>

// say writes one line. Any thread may call it.
void say(const Json::Value& line);

// text is s as JSON: a string, or {"hex": ...} where s is no UTF-8, which JSON cannot carry.
Json::Value text(const std::string& s);
