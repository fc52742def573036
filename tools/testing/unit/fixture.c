// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the config dumps in fixtures/.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static int parse_bar(struct bench *b, const char *line)
{
	unsigned long long size;
	unsigned int bar, type;

	if (sscanf(line, "# bar %u %llx %x", &bar, &size, &type) != 3)
		return 0;
	if (bar >= VFIO_CFG_NUM_BARS)
		return -1;
	b->cfg.facts.bar[bar].size = size;
	b->cfg.facts.bar[bar].type = type;
	return 0;
}

/* "100: 01 00 01 15 ..."; returns the bytes of the row, 0 if it is no row */
static int parse_row(struct bench *b, const char *line)
{
	unsigned int pos, byte;
	int used, nr = 0;

	if (sscanf(line, "%x:%n", &pos, &used) != 1 || line[used] != ' ')
		return 0;
	while (sscanf(line += used, " %2x%n", &byte, &used) == 1) {
		if (pos + nr >= VFIO_CFG_SIZE)
			return -1;
		b->hw[pos + nr++] = byte;
	}
	return nr == 16 ? nr : 0;
}

int fixture_load(struct bench *b, const char *path)
{
	unsigned int size = 0;
	char line[128];
	int ret = 0;
	FILE *file;

	file = fopen(path, "r");
	if (!file)
		return -1;
	bench_init(b, 0);
	memset(b->hw, 0, sizeof(b->hw));
	while (ret >= 0 && fgets(line, sizeof(line), file)) {
		ret = line[0] == '#' ? parse_bar(b, line) : parse_row(b, line);
		if (ret > 0)
			size += ret;
	}
	fclose(file);
	b->cfg.facts.size = size;
	b->cfg.facts.vendor = bench_get(b, PCI_VENDOR_ID, 2);
	b->cfg.facts.device = bench_get(b, PCI_DEVICE_ID, 2);
	return ret < 0 || (size != 256 && size != 4096) ? -1 : 0;
}
