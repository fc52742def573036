// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the kernel does not get back.
 */
#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#include "lab.h"
#include "slab.h"
#include "tap.h"

/* With KASAN, what was freed counts as used until it is driven out. */
static void shrink(void)
{
	glob_t caches;
	size_t i;

	if (glob("/sys/kernel/slab/kmalloc-*/shrink", 0, NULL, &caches))
		return;
	for (i = 0; i < caches.gl_pathc; i++)
		file_write(caches.gl_pathv[i], "1");
	globfree(&caches);
}

long slab_objects(void)
{
	long active, total = 0;
	char line[512];
	FILE *file;

	shrink();
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
	unsigned int polls = test_patience(50);
	long growth;

	while ((growth = slab_objects() - before) > enough && polls--)
		usleep(100000);
	return growth;
}
