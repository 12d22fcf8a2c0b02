// SPDX-License-Identifier: Apache-2.0

#include "output.h"

#include <cstdio>
#include <mutex>

namespace {

// length of the UTF-8 sequence at s[i], 0 if there is none.
size_t sequence(const std::string& s, size_t i) {
	auto at = [&](size_t k) { return i + k < s.size() ? static_cast<unsigned char>(s[i + k]) : 0u; };
	auto more = [&](size_t n) {
		for(size_t k = 1; k <= n; k++) {
			if((at(k) & 0xC0) != 0x80) {
				return false;
			}
		}
		return true;
	};
	unsigned c = at(0);
	if(c < 0x80) {
		return 1;
	}
	if(c >= 0xC2 && c < 0xE0 && more(1)) {
		return 2;
	}
	if(c >= 0xE0 && c < 0xF0 && more(2)) {
		unsigned code = (c & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F);
		return code >= 0x800 && (code < 0xD800 || code > 0xDFFF) ? 3 : 0;
	}
	if(c >= 0xF0 && c < 0xF5 && more(3)) {
		unsigned code = (c & 0x07) << 18 | (at(1) & 0x3F) << 12;
		return code >= 0x10000 && code <= 0x10FFFF ? 4 : 0;
	}
	return 0;
}

std::string hex(const std::string& s) {
	static const char digits[] = "0123456789abcdef";
	std::string out;
	for(unsigned char c : s) {
		out += digits[c >> 4];
		out += digits[c & 15];
	}
	return out;
}

}  // namespace

Json::Value text(const std::string& s) {
	for(size_t i = 0; i < s.size();) {
		size_t n = sequence(s, i);
		if(n == 0) {
			Json::Value v;
			v["hex"] = hex(s);
			return v;
		}
		i += n;
	}
	return Json::Value(s);
}

void say(const Json::Value& line) {
	static std::mutex one_at_a_time;
	Json::StreamWriterBuilder builder;
	builder["indentation"] = "";
	builder["emitUTF8"] = true;
	std::string out = Json::writeString(builder, line) + "\n";
	std::lock_guard<std::mutex> hold(one_at_a_time);
	fwrite(out.data(), 1, out.size(), stdout);
	fflush(stdout);
}
