// SPDX-License-Identifier: Apache-2.0

#include "bench.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <unistd.h>

namespace {

double now() {
	return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double middle(std::vector<double> of) {
	if(of.empty()) {
		return 0;
	}
	std::nth_element(of.begin(), of.begin() + of.size() / 2, of.end());
	return of[of.size() / 2];
}

}  // namespace

bench::row& bench::of(const std::string& name) {
	for(auto& r : rows) {
		if(r.name == name) {
			return r;
		}
	}
	return rows.emplace_back(row{name, {}, {}});
}

template<typename Call>
void bench::time(const std::string& name, Call call) {
	const int rounds = 5, calls = 20;
	row& r = of(name);
	double from = now();
	call();
	r.first.push_back(now() - from);
	double fastest = 0;
	for(int round = 0; round < rounds; round++) {
		from = now();
		for(int k = 0; k < calls; k++) {
			call();
		}
		double took = (now() - from) / calls;
		fastest = round == 0 ? took : std::min(fastest, took);
	}
	r.again.push_back(fastest);
}

void bench::take(sinsp_evt* evt) {
	time("clock", [] {});
	time("crossing", [&] { plugin->extract_fields(evt, 0, nullptr); });
	auto type = static_cast<ppm_event_code>(evt->get_type());
	if(plugin->parse_event_codes().contains(type)) {
		time(std::string("parse ") + evt->get_name(), [&] { plugin->parse_event(evt); });
	}
	std::vector<extract_value_t> values;
	for(auto& f : fields) {
		time("extract " + f.name, [&] { f.check->extract(evt, values, false); });
	}
}

Json::Value bench::results() const {
	Json::Value all(Json::arrayValue);
	double clock = 0;
	for(const auto& r : rows) {
		if(r.name == "clock") {
			clock = middle(r.first);
			continue;
		}
		Json::Value v;
		v["name"] = r.name;
		v["events"] = Json::UInt64(r.first.size());
		v["first_ns"] = std::max(0.0, middle(r.first) - clock);
		v["again_ns"] = middle(r.again);
		all.append(v);
	}
	return all;
}

uint64_t resident() {
	uint64_t size = 0, pages = 0;
	std::ifstream("/proc/self/statm") >> size >> pages;
	return pages * sysconf(_SC_PAGESIZE);
}
