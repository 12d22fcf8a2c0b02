// SPDX-License-Identifier: Apache-2.0

#include "feeder.h"

#include <cstring>
#include <memory>
#include <mutex>

namespace {

// What the functions without a state answer, and what open takes: commands run
// one after another, so these have one user at a time.
struct {
	std::mutex lock;
	uint32_t id;
	std::string source;
	std::vector<fed> events;
} next_one;

struct instance {
	std::vector<std::string> encoded;
	std::vector<ss_plugin_event*> pointers;
	bool done = false;
};

std::string encode(const fed& f) {
	uint32_t lengths[2] = {4, static_cast<uint32_t>(f.payload.size())};
	uint32_t id = 0;  // the framework writes the open plugin's
	ss_plugin_event header = {};
	header.ts = f.ts;
	header.tid = UINT64_MAX;
	header.type = 322;
	header.nparams = 2;
	header.len = sizeof header + sizeof lengths + sizeof id + f.payload.size();
	std::string out(reinterpret_cast<const char*>(&header), sizeof header);
	out.append(reinterpret_cast<const char*>(lengths), sizeof lengths);
	out.append(reinterpret_cast<const char*>(&id), sizeof id);
	return out + f.payload;
}

const char* get_required_api_version() { return PLUGIN_API_VERSION_STR; }
const char* get_name() { return "feeder"; }
const char* get_description() { return "Events for tests."; }
const char* get_contact() { return "github.com/aerie-falco/aerie"; }
const char* get_version() { return "1.0.0"; }
const char* get_last_error(ss_plugin_t*) { return ""; }
uint32_t get_id() { return next_one.id; }
const char* get_event_source() { return next_one.source.c_str(); }

ss_plugin_t* init(const ss_plugin_init_input*, ss_plugin_rc* rc) {
	*rc = SS_PLUGIN_SUCCESS;
	return new char;
}

void destroy(ss_plugin_t* s) { delete static_cast<char*>(s); }

ss_instance_t* open(ss_plugin_t*, const char*, ss_plugin_rc* rc) {
	auto in = std::make_unique<instance>();
	{
		std::lock_guard<std::mutex> hold(next_one.lock);
		for(const auto& f : next_one.events) {
			in->encoded.push_back(encode(f));
		}
		next_one.events.clear();
	}
	for(auto& e : in->encoded) {
		in->pointers.push_back(reinterpret_cast<ss_plugin_event*>(e.data()));
	}
	*rc = SS_PLUGIN_SUCCESS;
	return in.release();
}

void close(ss_plugin_t*, ss_instance_t* h) { delete static_cast<instance*>(h); }

ss_plugin_rc next_batch(ss_plugin_t*, ss_instance_t* h, uint32_t* n, ss_plugin_event*** events) {
	auto in = static_cast<instance*>(h);
	*n = in->done ? 0 : in->pointers.size();
	*events = in->pointers.data();
	in->done = true;
	return SS_PLUGIN_EOF;
}

}  // namespace

const plugin_api* feeder_api(uint32_t id, const std::string& source) {
	static const plugin_api api = [] {
		plugin_api a = {};
		a.get_required_api_version = get_required_api_version;
		a.init = init;
		a.destroy = destroy;
		a.get_last_error = get_last_error;
		a.get_name = get_name;
		a.get_description = get_description;
		a.get_contact = get_contact;
		a.get_version = get_version;
		a.get_id = get_id;
		a.get_event_source = get_event_source;
		a.open = open;
		a.close = close;
		a.next_batch = next_batch;
		return a;
	}();
	next_one.id = id;
	next_one.source = source;
	return &api;
}

void feed(std::vector<fed> events) {
	std::lock_guard<std::mutex> hold(next_one.lock);
	next_one.events = std::move(events);
}
