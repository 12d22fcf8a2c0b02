// SPDX-License-Identifier: Apache-2.0

// A source plugin inside the driver, which emits given payloads under any ID and
// source: what an extractor needs to be tried with events that are not its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <plugin/plugin_api.h>

// feeder_api describes a feeder with that ID and source. The framework asks it
// for both while it registers it, so register one before the next is described.
const plugin_api* feeder_api(uint32_t id, const std::string& source);

struct fed {
	uint64_t ts;  // nanoseconds since the epoch
	std::string payload;
};

// feed gives the events to the next feeder that is opened; it emits them and ends.
void feed(std::vector<fed> events);
