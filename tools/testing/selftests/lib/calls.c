// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of a kernel function, by kprobe events.
 */
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "lab.h"
#include "tap.h"

#define TRACING	"/sys/kernel/tracing/"

static void forget(void)
{
	file_write(TRACING "kprobe_events", "-:calls/enter\n");
	file_write(TRACING "kprobe_events", "-:calls/leave\n");
}

void calls_watch(const char *function)
{
	char probes[256];

	/* What a test that failed has left. */
	file_write(TRACING "events/calls/enable", "0");
	forget();
	snprintf(probes, sizeof(probes), "p:calls/enter %s\nr:calls/leave %s\n",
		 function, function);
	if (file_write(TRACING "kprobe_events", probes))
		SKIP("this kernel has no kprobe events");
	ASSERT_EQ(file_write(TRACING "trace", "\n"), 0);
	ASSERT_EQ(file_write(TRACING "events/calls/enable", "1"), 0);
}

struct calls calls_seen(void)
{
	unsigned int inside = 0;
	struct calls seen = { 0 };
	char line[512];
	FILE *trace;

	ASSERT_EQ(file_write(TRACING "events/calls/enable", "0"), 0);
	trace = fopen(TRACING "trace", "re");
	ASSERT(trace);
	while (fgets(line, sizeof(line), trace)) {
		if (strstr(line, " enter: ")) {
			seen.count++;
			if (++inside > seen.at_once)
				seen.at_once = inside;
		} else if (strstr(line, " leave: ") && inside) {
			inside--;
		}
	}
	fclose(trace);
	forget();
	return seen;
}
