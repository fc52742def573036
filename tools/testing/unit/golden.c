// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the golden tables, and builds the function that each of them is about.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

struct golden_cap golden_caps[GOLDEN_MAX_CAPS];
unsigned int golden_nr;

static int bad(const char *path, unsigned int line, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", path, line, what);
	return -1;
}

static int parse_head(const char *line)
{
	struct golden_cap *cap = &golden_caps[golden_nr];
	char kind[8];

	if (golden_nr == GOLDEN_MAX_CAPS)
		return -1;
	if (sscanf(line, "[%7s %x %23[^]]]", kind, &cap->id, cap->name) != 3)
		return -1;
	if (!strcmp(kind, "ext"))
		cap->kind = GOLDEN_EXT;
	else if (!strcmp(kind, "std"))
		cap->kind = GOLDEN_STD;
	else if (strcmp(kind, "hdr"))
		return -1;
	golden_nr++;
	return 0;
}

static int parse_set(struct golden_cap *cap, const char *args)
{
	char *end;
	unsigned int off = strtoul(args, &end, 16);

	for (;;) {
		unsigned int byte;

		args = end;
		byte = strtoul(args, &end, 16);
		if (end == args)
			return 0;
		if (off >= GOLDEN_MAX_LEN)
			return -1;
		cap->set_mask[off] = 0xff;
		cap->set[off++] = byte;
	}
}

static int parse_row(struct golden_cap *cap, const char *line)
{
	unsigned int from, to, write, trap = 0, mirror = 0;
	struct golden_byte byte = { .seen = true };
	char virt[3];
	const char *opt;
	int used = 0;

	if (sscanf(line, "%x-%x%n", &from, &to, &used) != 2 &&
	    sscanf(line, "%x%n", &from, &used) != 1)
		return -1;
	if (!memchr(line, '-', used))
		to = from;
	if (sscanf(line + used, " %2s %x", virt, &write) != 2)
		return -1;
	opt = strstr(line, "trap=");
	if (opt)
		sscanf(opt, "trap=%x", &trap);
	opt = strstr(line, "mirror=");
	if (opt)
		sscanf(opt, "mirror=%x", &mirror);
	if (from > to || to >= cap->len)
		return -1;
	byte.any_virt = !strcmp(virt, "--");
	byte.virt = byte.any_virt ? 0 : strtoul(virt, NULL, 16);
	byte.write = write;
	byte.trap = trap;
	byte.mirror = mirror;
	for (; from <= to; from++)
		cap->byte[from] = byte;
	return 0;
}

static int parse_line(const char *line)
{
	struct golden_cap *cap;

	if (*line == '[')
		return parse_head(line);
	if (!golden_nr)
		return -1;
	cap = &golden_caps[golden_nr - 1];
	if (sscanf(line, "len %u", &cap->len) == 1)
		return cap->len <= GOLDEN_MAX_LEN ? 0 : -1;
	if (!strncmp(line, "set ", 4))
		return parse_set(cap, line + 4);
	return parse_row(cap, line);
}

/* A byte that nobody has said anything about would be a hole in the tests */
static int check_complete(const char *path, unsigned int first)
{
	for (unsigned int i = first; i < golden_nr; i++) {
		const struct golden_cap *cap = &golden_caps[i];

		for (unsigned int off = 0; off < cap->len; off++) {
			if (cap->byte[off].seen)
				continue;
			fprintf(stderr, "%s: %s: no row for byte %x\n", path,
				cap->name, off);
			return -1;
		}
	}
	return golden_nr > first ? 0 : -1;
}

int golden_load(const char *path)
{
	unsigned int first = golden_nr, nr = 0;
	char line[256];
	int ret = 0;
	FILE *file;

	file = fopen(path, "r");
	if (!file)
		return bad(path, 0, "cannot be opened");
	while (!ret && fgets(line, sizeof(line), file)) {
		nr++;
		line[strcspn(line, "#\n")] = '\0';
		if (line[strspn(line, " \t")] && parse_line(line))
			ret = bad(path, nr, "not understood");
	}
	fclose(file);
	return ret ?: check_complete(path, first);
}

unsigned int golden_pos(const struct golden_cap *cap)
{
	switch (cap->kind) {
	case GOLDEN_STD:
		return GOLDEN_CAP_POS;
	case GOLDEN_EXT:
		return GOLDEN_EXT_POS;
	default:
		return 0;
	}
}

/*
 * A function with just this capability, ready to be scanned. An extended one
 * is the second of its list: the first has duties of its own.
 */
void golden_bench(struct bench *b, const struct golden_cap *cap)
{
	unsigned int pos = golden_pos(cap);

	bench_init(b, cap->kind == GOLDEN_EXT ? 4096 : 256);
	if (cap->kind == GOLDEN_STD)
		bench_add_std(b, pos, cap->id);
	if (cap->kind == GOLDEN_EXT) {
		bench_add_exp(b, 0x70, 2);
		bench_add_ext(b, PCI_CFG_SPACE_SIZE, PCI_EXT_CAP_ID_DSN);
		bench_add_ext(b, pos, cap->id);
	}
	if (cap->kind == GOLDEN_HDR) {
		bench_add_std(b, GOLDEN_CAP_POS, PCI_CAP_ID_PM);
		for (unsigned int i = 0; i < VFIO_CFG_ROM; i++)
			bench_bar(b, i, 16, 0);
		bench_bar(b, VFIO_CFG_ROM, 2048, 0);
	}
	for (unsigned int off = 0; off < cap->len; off++)
		if (cap->set_mask[off])
			b->hw[pos + off] = cap->set[off];
	b->msi_active = true;
	b->msi_qmax = 5;
}
