// SPDX-License-Identifier: Apache-2.0

#include "inspector.h"

#include <chrono>
#include <thread>

#include <libsinsp/sinsp_filtercheck.h>

#include "bench.h"
#include "feeder.h"
#include "output.h"
#include "tables.h"
#include "values.h"

inspector::inspector(std::string name):
        name(std::move(name)),
        checks(std::make_unique<filter_check_list>()) {
	// the fields that Falco has on every source, before those of plugins
	checks->add_filter_check(sinsp::new_generic_filtercheck());
}

inspector::~inspector() { close(); }

std::shared_ptr<sinsp_plugin> inspector::register_library(const std::string& path) {
	return add(framework.register_plugin(path));
}

std::shared_ptr<sinsp_plugin> inspector::register_feeder(uint32_t id, const std::string& source) {
	return add(framework.register_plugin(feeder_api(id, source)));
}

std::shared_ptr<sinsp_plugin> inspector::add(std::shared_ptr<sinsp_plugin> plugin) {
	plugins.push_back(plugin);
	if(plugin->caps() & CAP_EXTRACTION) {
		checks->add_filter_check(sinsp_plugin::new_filtercheck(plugin));
	}
	return plugin;
}

std::shared_ptr<sinsp_plugin> inspector::plugin(const std::string& wanted) const {
	for(const auto& p : plugins) {
		if(p->name() == wanted) {
			return p;
		}
	}
	throw sinsp_exception("no plugin " + wanted + " in inspector " + name);
}

void inspector::open(const std::string& plugin, const std::string& params) {
	framework.open_plugin(plugin, params, sinsp_plugin_platform::SINSP_PLATFORM_HOSTINFO);
}

void inspector::replay(const std::string& file) { framework.open_savefile(file); }

void inspector::inject(const std::string& file) {
	injected_pointers.clear();
	sinsp reader;
	reader.open_savefile(file);
	sinsp_evt* evt = nullptr;
	int32_t rc;
	while((rc = reader.next(&evt)) != SCAP_EOF) {
		if(rc != SCAP_SUCCESS) {
			throw sinsp_exception("reading " + file + ": " + reader.getlasterr());
		}
		const scap_evt* raw = evt->get_scap_evt();
		auto& copy = injected.emplace_back(reinterpret_cast<const char*>(raw), raw->len);
		injected_pointers.push_back(reinterpret_cast<ppm_evt_hdr*>(copy.data()));
	}
	injection = {};
	injection.events = injected_pointers.data();
	injection.event_count = injected_pointers.size();
	framework.open_test_input(&injection, SINSP_MODE_TEST);
	test_engine = true;
}

void inspector::live(const std::string& file) {
	framework.open_test_input(recordings.emplace_back(file).input(), SINSP_MODE_TEST);
	test_engine = true;
}

size_t inspector::play(size_t events) {
	if(recordings.empty()) {
		throw sinsp_exception("nothing is open to be played");
	}
	return recordings.back().play(events);
}

void inspector::close() {
	dumper.reset();
	dump_file.clear();
	framework.close();
	test_engine = false;
}

void inspector::follow_system_calls() {
	if(!plugins.empty()) {
		throw sinsp_exception("inspector " + name + " has plugins already");
	}
	checks = std::make_unique<sinsp_filter_check_list>();
}

void inspector::show(const std::vector<std::string>& names) {
	fields.clear();
	for(const auto& f : names) {
		fields.push_back({f, field(f)});
	}
}

std::unique_ptr<sinsp_filter_check> inspector::field(const std::string& field) {
	auto check = checks->new_filter_check_from_fldname(field, &framework, false);
	if(check == nullptr) {
		throw sinsp_exception("no such field: " + field);
	}
	check->parse_field_name(field, true, false);
	return check;
}

std::unique_ptr<sinsp_filter> inspector::compile(const std::string& condition) {
	auto factory = std::make_shared<sinsp_filter_factory>(&framework, *checks);
	return sinsp_filter_compiler(factory, condition).compile();
}

void inspector::filter(const std::string& condition) {
	framework.set_filter(compile(condition), condition);
}

void inspector::rule(const std::string& rule, const std::string& condition, const std::string& output) {
	auto formatter = std::make_unique<sinsp_evt_formatter>(&framework, output, *checks);
	rules.push_back({rule, compile(condition), std::move(formatter)});
}

void inspector::write(const std::string& file) {
	dumper.reset();
	dump_file = file;
}

Json::Value inspector::next(uint64_t limit, uint64_t idle) {
	return read(limit, idle, [this](sinsp_evt* evt) {
		tell(evt);
		dump(evt);
	});
}

Json::Value inspector::measure(const std::string& name,
                               const std::vector<std::string>& names,
                               const std::string& condition,
                               uint64_t idle) {
	std::vector<bench::field> wanted;
	for(const auto& f : names) {
		wanted.push_back({f, field(f)});
	}
	bench timed(plugin(name), std::move(wanted));
	auto chosen = compile(condition);
	Json::Value done = read(UINT64_MAX, idle, [&](sinsp_evt* evt) {
		if(chosen->run(evt)) {
			timed.take(evt);
		}
	});
	done["bench"] = timed.results();
	return done;
}

Json::Value inspector::read(uint64_t limit, uint64_t idle, const std::function<void(sinsp_evt*)>& take) {
	Json::Value done;
	done["result"] = "events";
	for(uint64_t events = 0, timeouts = 0; events < limit;) {
		sinsp_evt* evt = nullptr;
		int32_t rc = framework.next(&evt);
		if(rc == SCAP_SUCCESS) {
			events++;
			take(evt);
		} else if(rc == SCAP_TIMEOUT) {
			if(++timeouts >= idle) {
				done["result"] = "timeout";
				break;
			}
			if(test_engine) {  // others have waited
				std::this_thread::sleep_for(std::chrono::milliseconds(1));
			}
		} else if(rc == SCAP_EOF) {
			done["result"] = "eof";
			break;
		} else if(rc != SCAP_FILTERED_EVENT) {
			done["result"] = "failure";
			done["error"] = text(framework.getlasterr());
			break;
		}
	}
	return done;
}

void inspector::tell(sinsp_evt* evt) {
	Json::Value e;
	e["inspector"] = name;
	e["num"] = Json::UInt64(evt->get_num());
	e["type"] = evt->get_type();
	e["ts"] = Json::UInt64(evt->get_ts());
	const char* source = evt->get_source_name();
	e["source"] = source == nullptr ? Json::Value() : text(source);
	e["values"] = Json::Value(Json::objectValue);
	for(auto& f : fields) {
		Json::Value v = value(*f.check, evt);
		if(!v.isNull()) {
			e["values"][f.name] = v;
		}
	}
	for(auto& r : rules) {
		if(r.filter->run(evt)) {
			std::string output;
			r.output->tostring(evt, output);
			e["rules"][r.name] = text(output);
		}
	}
	Json::Value line;
	line["event"] = e;
	say(line);
}

// dump opens the file at the first event to write, as sysdig does.
void inspector::dump(sinsp_evt* evt) {
	if(dump_file.empty()) {
		return;
	}
	if(dumper == nullptr) {
		dumper = std::make_unique<sinsp_dumper>();
		dumper->open(&framework, dump_file, false);
	}
	dumper->dump(evt);
}

Json::Value inspector::metrics() {
	Json::Value all(Json::objectValue);
	for(const auto& p : plugins) {
		for(const auto& m : p->get_metrics()) {
			Json::Value v;
			v["monotonic"] = m.metric_type == METRIC_VALUE_METRIC_TYPE_MONOTONIC;
			switch(m.type) {
			case METRIC_VALUE_TYPE_U32:
				v["value"] = m.value.u32;
				break;
			case METRIC_VALUE_TYPE_S32:
			case METRIC_VALUE_TYPE_I:
				v["value"] = m.value.s32;
				break;
			case METRIC_VALUE_TYPE_U64:
				v["value"] = Json::UInt64(m.value.u64);
				break;
			case METRIC_VALUE_TYPE_S64:
				v["value"] = Json::Int64(m.value.s64);
				break;
			case METRIC_VALUE_TYPE_D:
				v["value"] = m.value.d;
				break;
			default:
				v["value"] = m.value.f;
			}
			all[m.name] = v;
		}
	}
	return all;
}

Json::Value inspector::progress() {
	Json::Value v;
	std::string said;
	v["percent"] = framework.get_read_progress_with_str(&said);
	v["text"] = text(said);
	return v;
}

Json::Value inspector::table(const std::string& name) { return rows(framework, name); }
