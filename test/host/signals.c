/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <signal.h>

/* Owns nothing; undoes what the Go runtime did at its start. */
void aerie_host_default_signals(void)
{
	static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	for (unsigned i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
		signal(fatal[i], SIG_DFL);
}
