// SPDX-License-Identifier: Apache-2.0

// One libsinsp inspector with what a consumer puts around it: the fields to
// show, rules to try, a capture file to write.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <libsinsp/sinsp.h>
#include <json/json.h>

#include "recording.h"

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
	// live opens a live capture of system calls, without a kernel: with the threads of a
	// capture file, whose events come when they are played. It times out between them.
	void live(const std::string& file);
	// play lets so many more of the file's events come, and returns how many there were.
	size_t play(size_t events);
	void close();

	// follow_system_calls makes the fields of system calls known, as Falco has them on
	// their source. It comes before plugins.
	void follow_system_calls();
	void show(const std::vector<std::string>& fields);
	void filter(const std::string& condition);
	// rule is tried on each event that comes, whatever the filter says of the next.
	void rule(const std::string& name, const std::string& condition, const std::string& output);
	// write writes what is read from here on, and completes the file before.
	void write(const std::string& file);

	// next reads until it has said limit events, or was given idle timeouts, or the
	// stream ended. It returns which: events, timeout, eof or failure, with an error.
	Json::Value next(uint64_t limit, uint64_t idle);

	// measure reads like next, says nothing of events, and times what a plugin does for
	// those that pass the condition (bench.h).
	Json::Value measure(const std::string& plugin,
	                    const std::vector<std::string>& fields,
	                    const std::string& condition,
	                    uint64_t idle);

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
	std::unique_ptr<sinsp_filter_check> field(const std::string& name);
	// read has the events that come taken until there were so many, or so many timeouts
	// (see next).
	Json::Value read(uint64_t limit, uint64_t idle, const std::function<void(sinsp_evt*)>& take);
	void tell(sinsp_evt* evt);
	void dump(sinsp_evt* evt);

	// Declared in this order because each needs those before it until it is gone.
	std::string name;
	// Kept to the end: an event that waited behind asynchronous ones when a capture
	// was closed is looked at once more when the next is read.
	std::deque<std::string> injected;
	std::vector<ppm_evt_hdr*> injected_pointers;
	scap_test_input_data injection = {};
	std::deque<recording> recordings;  // for the same reason
	bool test_engine = false;          // it is that which times out, and does not wait first
	sinsp framework;
	std::unique_ptr<filter_check_list> checks;
	std::vector<std::shared_ptr<sinsp_plugin>> plugins;
	std::vector<shown> fields;
	std::vector<tried> rules;
	std::string dump_file;
	std::unique_ptr<sinsp_dumper> dumper;
};
