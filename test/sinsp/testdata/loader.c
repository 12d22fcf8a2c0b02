// SPDX-License-Identifier: Apache-2.0

// Loads a plugin and asks for its name, in a process that has no threads'
// library of its own: before glibc 2.34 that is a library apart, which a plugin
// must bring along.
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
	void *lib = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (lib == NULL) {
		fprintf(stderr, "loading a plugin: %s\n", dlerror());
		return 1;
	}
	const char *(*get_name)(void) = (const char *(*)(void))dlsym(lib, "plugin_get_name");
	if (get_name == NULL) {
		fprintf(stderr, "looking for plugin_get_name: %s\n", dlerror());
		return 1;
	}
	puts(get_name());
	return 0;
}
