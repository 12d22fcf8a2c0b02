// SPDX-License-Identifier: Apache-2.0

#include "commands.h"

#include <map>
#include <mutex>
#include <thread>

#include "bench.h"
#include "describe.h"
#include "feeder.h"
#include "inspector.h"
#include "output.h"

namespace {

std::mutex inspectors_lock;
std::map<std::string, std::unique_ptr<inspector>> inspectors;

inspector& in(const Json::Value& c, bool make = false) {
	std::lock_guard<std::mutex> hold(inspectors_lock);
	std::string name = c["inspector"].asString();
	auto& found = inspectors[name];
	if(found == nullptr) {
		if(!make) {
			throw sinsp_exception("no inspector " + name);
		}
		found = std::make_unique<inspector>(name);
	}
	return *found;
}

Json::Value drop(const Json::Value& c) {
	std::unique_ptr<inspector> gone;
	{
		std::lock_guard<std::mutex> hold(inspectors_lock);
		gone = std::move(inspectors[c["inspector"].asString()]);
	}
	return Json::Value(Json::objectValue);
}

std::vector<std::string> strings(const Json::Value& list) {
	std::vector<std::string> out;
	for(const auto& s : list) {
		out.push_back(s.asString());
	}
	return out;
}

std::string unhex(const std::string& s) {
	std::string out;
	for(size_t i = 0; i + 1 < s.size(); i += 2) {
		out += static_cast<char>(std::stoi(s.substr(i, 2), nullptr, 16));
	}
	return out;
}

Json::Value open(const Json::Value& c) {
	if(c.isMember("feed")) {
		std::vector<fed> events;
		for(const auto& e : c["feed"]) {
			events.push_back({e["ts"].asUInt64(), unhex(e["hex"].asString())});
		}
		feed(std::move(events));
	}
	in(c).open(c["plugin"].asString(), c["params"].asString());
	return Json::Value(Json::objectValue);
}

Json::Value init(const Json::Value& c) {
	std::string error;
	if(!in(c).plugin(c["plugin"].asString())->init(c["config"].asString(), error)) {
		throw sinsp_exception(error);
	}
	return Json::Value(Json::objectValue);
}

Json::Value open_params(const Json::Value& c) {
	Json::Value done;
	done["open_params"] = Json::Value(Json::arrayValue);
	for(const auto& p : in(c).plugin(c["plugin"].asString())->list_open_params()) {
		Json::Value v;
		v["value"] = text(p.value);
		v["desc"] = text(p.desc);
		done["open_params"].append(v);
	}
	return done;
}

// Together runs each step on a thread of its own, and is done when all are.
Json::Value together(const Json::Value& c) {
	std::vector<std::thread> threads;
	for(const auto& step : c["steps"]) {
		threads.emplace_back([&step] { obey(step); });
	}
	for(auto& t : threads) {
		t.join();
	}
	return Json::Value(Json::objectValue);
}

Json::Value carry_out(const std::string& what, const Json::Value& c) {
	Json::Value done(Json::objectValue);
	if(what == "register") {
		done["plugin"] = describe(*in(c, true).register_library(c["library"].asString()));
	} else if(what == "feeder") {
		done["plugin"] = describe(*in(c, true).register_feeder(c["id"].asUInt(), c["source"].asString()));
	} else if(what == "init") {
		return init(c);
	} else if(what == "set_config") {
		done["ok"] = in(c).plugin(c["plugin"].asString())->set_config(c["config"].asString());
	} else if(what == "open_params") {
		return open_params(c);
	} else if(what == "open") {
		return open(c);
	} else if(what == "replay") {
		in(c).replay(c["file"].asString());
	} else if(what == "inject") {
		in(c).inject(c["file"].asString());
	} else if(what == "live") {
		in(c).live(c["file"].asString());
	} else if(what == "play") {
		done["played"] = Json::UInt64(in(c).play(c["events"].asUInt64()));
	} else if(what == "syscalls") {
		in(c, true).follow_system_calls();
	} else if(what == "fields") {
		in(c).show(strings(c["fields"]));
	} else if(what == "filter") {
		in(c).filter(c["filter"].asString());
	} else if(what == "rule") {
		in(c).rule(c["name"].asString(), c["condition"].asString(), c["output"].asString());
	} else if(what == "write") {
		in(c).write(c["file"].asString());
	} else if(what == "next") {
		return in(c).next(c["events"].asUInt64(), c["idle"].asUInt64());
	} else if(what == "bench") {
		return in(c).measure(c["plugin"].asString(), strings(c["fields"]), c["condition"].asString(), c["idle"].asUInt64());
	} else if(what == "memory") {
		done["resident"] = Json::UInt64(resident());
	} else if(what == "metrics") {
		done["metrics"] = in(c).metrics();
	} else if(what == "table") {
		done["table"] = in(c).table(c["name"].asString());
	} else if(what == "progress") {
		done["progress"] = in(c).progress();
	} else if(what == "close") {
		in(c).close();
	} else if(what == "drop") {
		return drop(c);
	} else if(what == "together") {
		return together(c);
	} else {
		throw sinsp_exception("unknown command " + what);
	}
	return done;
}

}  // namespace

void obey(const Json::Value& command) {
	Json::Value line;
	std::string what = command["do"].asString();
	try {
		line["done"] = carry_out(what, command);
	} catch(const std::exception& e) {
		line["done"] = Json::Value(Json::objectValue);
		line["done"]["error"] = text(e.what());
	}
	line["done"]["do"] = what;
	if(command.isMember("inspector")) {
		line["done"]["inspector"] = command["inspector"];
	}
	say(line);
}
