// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the kernel does not get back.
 */
#include <stdio.h>
#include <unistd.h>

#include "slab.h"
#include "tap.h"

long slab_objects(void)
{
	long active, total = 0;
	char line[512];
	FILE *file;

	file = fopen("/proc/slabinfo", "re");
	ASSERT(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "kmalloc-%*s %ld", &active) == 1)
			total += active;
	}
	fclose(file);
	return total;
}

long slab_growth(long before, long enough)
{
	unsigned int polls = 50;
	long growth;

	while ((growth = slab_objects() - before) > enough && polls--)
		usleep(100000);
	return growth;
}
