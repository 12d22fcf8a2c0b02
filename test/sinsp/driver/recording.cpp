// SPDX-License-Identifier: Apache-2.0

#include "recording.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include <libscap/scap_engines.h>
#include <libscap/scap_platform.h>

namespace {

// Events at the head of a file that tell state and are no part of the stream: users, groups,
// containers, and what plugins dumped.
bool tells_state(uint16_t type) {
	switch(type) {
	case PPME_CONTAINER_JSON_E:
	case PPME_CONTAINER_JSON_2_E:
	case PPME_USER_ADDED_E:
	case PPME_USER_DELETED_E:
	case PPME_GROUP_ADDED_E:
	case PPME_GROUP_DELETED_E:
	case PPME_ASYNCEVENT_E:
		return true;
	default:
		return false;
	}
}

}  // namespace

recording::recording(const std::string& file) {
	auto release = [](scap_platform* p) {
		scap_platform_close(p);
		scap_platform_free(p);
	};
	std::unique_ptr<scap_platform, decltype(release)> platform(
	        scap_savefile_alloc_platform({default_refresh_start_end_callback,
	                                      default_refresh_start_end_callback,
	                                      collect,
	                                      this}),
	        release);
	std::unique_ptr<scap_t, void (*)(scap_t*)> reader(scap_alloc(), scap_close);  // closed first
	scap_savefile_engine_params params = {};
	params.fname = file.c_str();
	params.platform = platform.get();
	scap_open_args args = {};
	args.engine_params = &params;
	auto check = [&](int32_t rc) {
		if(rc != SCAP_SUCCESS) {
			throw sinsp_exception("reading " + file + ": " + scap_getlasterr(reader.get()));
		}
	};
	check(scap_init(reader.get(), &args, &scap_savefile_engine));
	bool begun = false;
	for(;;) {
		scap_evt* e = nullptr;
		uint16_t cpu;
		uint32_t flags;
		int32_t rc = scap_next(reader.get(), &e, &cpu, &flags);
		if(rc == SCAP_EOF) {
			break;
		}
		check(rc);
		begun = begun || !tells_state(e->type);
		if(begun) {
			auto& copy = events.emplace_back(reinterpret_cast<const char*>(e), e->len);
			event_list.push_back(reinterpret_cast<scap_evt*>(copy.data()));
		}
	}
	thread_list.assign(threads.begin(), threads.end());
	for(const auto& f : files) {
		file_lists.push_back({f.data(), f.size()});
	}
	given.threads = thread_list.data();
	given.thread_count = thread_list.size();
	given.fdinfo_data = file_lists.data();
	given.events = event_list.data();
}

int32_t recording::collect(void* self, char*, int64_t tid, scap_threadinfo* thread, scap_fdinfo* file, scap_threadinfo** kept) {
	auto r = static_cast<recording*>(self);
	if(file == nullptr) {
		r->threads.push_back(*thread);
		r->threads.back().fdlist = nullptr;
		r->files.emplace_back();
		if(kept != nullptr) {
			*kept = thread;
		}
		return SCAP_SUCCESS;
	}
	for(size_t k = 0; k < r->threads.size(); k++) {
		if(int64_t(r->threads[k].tid) == tid) {
			r->files[k].push_back(*file);
		}
	}
	return SCAP_SUCCESS;
}

size_t recording::play(size_t wanted) {
	size_t n = std::min(wanted, event_list.size() - played);
	if(n != 0 && played == 0) {
		auto now = std::chrono::system_clock::now().time_since_epoch();
		later = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - event_list[0]->ts;
	}
	for(size_t k = 0; k < n; k++) {
		event_list[played++]->ts += later;
	}
	given.event_count += n;  // the engine moves on in the list by itself
	return n;
}
