// SPDX-License-Identifier: Apache-2.0

// The commands that the driver takes, one JSON object a line.
#pragma once

#include <json/json.h>

// obey carries a command out and says what became of it, in a "done" line after
// all lines of what happened meanwhile. An exception of the framework's is the
// "error" in it. Every command names what to do in "do", and most the inspector
// to do it with in "inspector"; an inspector is there once a plugin is registered.
void obey(const Json::Value& command);
