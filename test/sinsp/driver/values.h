// SPDX-License-Identifier: Apache-2.0

// Field values as JSON.
#pragma once

#include <libsinsp/sinsp.h>
#include <json/json.h>

// value asks for a field of an event through the framework, as a filter does.
// A field without a value gives null, a list an array, everything else a scalar:
// strings as text() makes them, times as nanoseconds, addresses as they are
// written. Types that no plugin field has are given as the framework prints them.
Json::Value value(sinsp_filter_check& check, sinsp_evt* evt);
