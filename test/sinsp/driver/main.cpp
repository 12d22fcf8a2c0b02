// SPDX-License-Identifier: Apache-2.0

// The driver is a consumer of libsinsp that does what it is told on standard
// input, one command a line (commands.h), and tells on standard output what the
// framework and its plugins did, one JSON object a line: "event", "log" or "done".
// It ends when its input does.

#include <iostream>
#include <sstream>
#include <string>

#include <libsinsp/logger.h>
#include <libsinsp/sinsp.h>
#include <json/json.h>

#include "commands.h"
#include "output.h"

static void tell_log(std::string&& message, sinsp_logger::severity severity) {
	Json::Value line;
	line["log"]["severity"] = int(severity);
	line["log"]["text"] = text(message);
	say(line);
}

int main() {
	libsinsp_logger()->add_callback_log(tell_log);
	libsinsp_logger()->disable_timestamps();
	libsinsp_logger()->set_severity(sinsp_logger::SEV_DEBUG);
	for(std::string input; std::getline(std::cin, input);) {
		Json::Value command;
		std::string error;
		std::istringstream from(input);
		if(!Json::parseFromStream(Json::CharReaderBuilder(), from, &command, &error)) {
			std::cerr << "reading a command: " << error << input << "\n";
			return 2;
		}
		obey(command);
	}
	return 0;
}
