// SPDX-License-Identifier: Apache-2.0

// What the framework learnt about a plugin, as JSON.
#pragma once

#include <libsinsp/sinsp.h>
#include <json/json.h>

// describe is what registration found out: no state is needed.
Json::Value describe(const sinsp_plugin& plugin);
