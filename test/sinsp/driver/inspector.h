// SPDX-License-Identifier: Apache-2.0

// One libsinsp inspector with what a consumer puts around it: the fields to
// show, rules to try, a capture file to write.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <libsinsp/sinsp.h>
#include <json/json.h>

class inspector {
public:
	explicit inspector(std::string name);
	~inspector();

	// Each of these does what a consumer does and lets the framework's exceptions through.
	std::shared_ptr<sinsp_plugin> register_library(const std::string& path);
	std::shared_ptr<sinsp_plugin> register_feeder(uint32_t id, const std::string& source);
	std::shared_ptr<sinsp_plugin> plugin(const std::string& name) const;

	void open(const std::string& plugin, const std::string& params);
	void replay(const std::string& file);
	// inject feeds the events of a capture file through libscap's test engine: a live
	// capture without a source, which after the last event times out for ever.
	void inject(const std::string& file);
	void close();

	void show(const std::vector<std::string>& fields);
	void filter(const std::string& condition);
	// rule is tried on each event that comes, whatever the filter says of the next.
	void rule(const std::string& name, const std::string& condition, const std::string& output);
	void write(const std::string& file);

	// next reads until it has said limit events, or was given idle timeouts, or the
	// stream ended. It returns which: events, timeout, eof or failure, with an error.
	Json::Value next(uint64_t limit, uint64_t idle);

	Json::Value metrics();
	Json::Value progress();
	// table is the rows of a state table (tables.h).
	Json::Value table(const std::string& name);

private:
	struct shown {
		std::string name;
		std::unique_ptr<sinsp_filter_check> check;
	};
	struct tried {
		std::string name;
		std::unique_ptr<sinsp_filter> filter;
		std::unique_ptr<sinsp_evt_formatter> output;
	};

	std::shared_ptr<sinsp_plugin> add(std::shared_ptr<sinsp_plugin> plugin);
	std::unique_ptr<sinsp_filter> compile(const std::string& condition);
	void tell(sinsp_evt* evt);
	void dump(sinsp_evt* evt);

	// Declared in this order because each needs those before it until it is gone.
	std::string name;
	// Kept to the end: an event that waited behind asynchronous ones when a capture
	// was closed is looked at once more when the next is read.
	std::deque<std::string> injected;
	std::vector<ppm_evt_hdr*> injected_pointers;
	scap_test_input_data injection = {};
	sinsp framework;
	filter_check_list checks;
	std::vector<std::shared_ptr<sinsp_plugin>> plugins;
	std::vector<shown> fields;
	std::vector<tried> rules;
	std::string dump_file;
	std::unique_ptr<sinsp_dumper> dumper;
};
