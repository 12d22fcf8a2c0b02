// SPDX-License-Identifier: Apache-2.0

// A capture file in memory, ready to be played as if it was happening now.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <libsinsp/sinsp.h>

// recording owns the threads, file descriptors and events of a file, and hands
// them to libscap's test engine, which keeps pointers to them until the capture
// is closed. One is played once.
class recording {
public:
	// The file is read as a whole; what keeps it from being read is a sinsp_exception.
	explicit recording(const std::string& file);

	// input is what the test engine takes: at first the threads alone.
	scap_test_input_data* input() { return &given; }

	// play hands over at most so many more events and returns how many it could. The
	// first of all happens now, the others as long after it as they did.
	size_t play(size_t events);

private:
	static int32_t collect(void* self, char* error, int64_t tid, scap_threadinfo*, scap_fdinfo*, scap_threadinfo**);

	std::deque<scap_threadinfo> threads;
	std::deque<std::vector<scap_fdinfo>> files;  // of the thread at the same place
	std::deque<std::string> events;
	size_t played = 0;
	uint64_t later = 0;  // nanoseconds from the recorded time to that of the play

	// The same, as the test engine wants it.
	std::vector<scap_threadinfo> thread_list;
	std::vector<scap_test_fdinfo_data> file_lists;
	std::vector<scap_evt*> event_list;
	scap_test_input_data given = {};
};
