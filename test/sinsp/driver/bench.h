// SPDX-License-Identifier: Apache-2.0

// What a plugin's calls cost in the framework, with its own tables behind them.
#pragma once

#include <string>
#include <vector>

#include <libsinsp/sinsp.h>
#include <libsinsp/sinsp_filtercheck.h>
#include <json/json.h>

// bench times calls that a plugin gets for an event, over many events. Beside
// each it times a crossing: an extraction that asks for no field, which is what it
// costs to get into the plugin and out again. Used by one thread.
class bench {
public:
	struct field {
		std::string name;
		std::unique_ptr<sinsp_filter_check> check;
	};

	bench(std::shared_ptr<sinsp_plugin> plugin, std::vector<field> fields):
	        plugin(std::move(plugin)),
	        fields(std::move(fields)) {}

	// take times the plugin's parsing of the event, if it parses its type, and then
	// the extraction of each field as a filter asks for it. The framework has to have
	// parsed the event. It is parsed again and again: only for plugins that stand it.
	void take(sinsp_evt* evt);

	// results are rows with nanoseconds a call: of the first for an event, and when it
	// is made again. Of the calls for one event the fastest of some rounds counts, of
	// all events the one in the middle.
	Json::Value results() const;

private:
	struct row {
		std::string name;
		std::vector<double> first, again;
	};

	template<typename Call>
	void time(const std::string& name, Call call);
	row& of(const std::string& name);

	std::shared_ptr<sinsp_plugin> plugin;
	std::vector<field> fields;
	std::vector<row> rows;
};

// resident is how much memory the process has, in bytes.
uint64_t resident();
