// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes of BARs, ROM and the legacy VGA ranges.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parity.h"

#define AT_MAX		64

/**
 * struct places - positions worth an access
 * @at:		the positions
 * @count:	how many
 */
struct places {
	uint64_t at[AT_MAX];
	unsigned int count;
};

/* In which state of the device the accesses below are made. */
static const char *phase = "";

static void place_add(struct places *places, uint64_t pos)
{
	if (places->count < AT_MAX)
		places->at[places->count++] = pos;
}

static void read_one(struct subject *s, uint32_t index, uint64_t pos, size_t len)
{
	uint8_t data[64];
	ssize_t ret;

	memset(data, 0xee, sizeof(data));
	ret = pread(s->dev.fd, data, len, REGION_POS(index, pos));
	result_ret(ret);
	result_hex(data, ret < 0 ? 4 : ret);
	observe("%sregion %u read%zu %llx", phase, index, len, (unsigned long long)pos);
}

static void write_one(struct subject *s, uint32_t index, uint64_t pos, size_t len)
{
	static const uint8_t zero[64];

	result_ret(pwrite(s->dev.fd, zero, len, REGION_POS(index, pos)));
	observe("%sregion %u write%zu %llx", phase, index, len,
		(unsigned long long)pos);
}

static const size_t widths[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 31 };

/* Around the start, the end and the MSI-X table of a region. */
static void find_places(const struct subject *s, uint32_t index, struct places *places)
{
	const uint64_t size = s->regions[index].size;
	unsigned int i;

	places->count = 0;
	for (i = 0; i <= 8; i++)
		place_add(places, i);
	for (i = 1; i <= 9 && i <= size; i++)
		place_add(places, size - i);
	for (i = 0; i < 3; i++)
		place_add(places, size + i);
	place_add(places, size + PAGE);
	place_add(places, (1ull << VFIO_SHIFT) - 4);
	place_add(places, (1ull << VFIO_SHIFT) - 1);
	if (!s->msix.len || s->msix.bar != index)
		return;
	for (i = 0; i < 13; i++) {
		if (s->msix.pos + i >= 8)
			place_add(places, s->msix.pos - 8 + i);
		place_add(places, s->msix.pos + s->msix.len - 8 + i);
	}
}

static bool in_msix(const struct subject *s, uint32_t index, uint64_t pos, size_t len)
{
	return index == s->msix.bar && pos >= s->msix.pos &&
		pos + len <= s->msix.pos + s->msix.len;
}

/* Registers are not written: an access that clips to nothing, or the hole. */
static bool may_write(const struct subject *s, uint32_t index, uint64_t pos, size_t len)
{
	return pos >= s->regions[index].size || in_msix(s, index, pos, len);
}

static void edges(struct subject *s, uint32_t index)
{
	struct places places;
	unsigned int i, j;

	find_places(s, index, &places);
	for (i = 0; i < places.count; i++) {
		for (j = 0; j < ARRAY_SIZE(widths); j++) {
			read_one(s, index, places.at[i], widths[j]);
			if (may_write(s, index, places.at[i], widths[j]))
				write_one(s, index, places.at[i], widths[j]);
		}
	}
}

static void sweep(struct subject *s, uint32_t index)
{
	const uint64_t size = s->regions[index].size;
	uint64_t pos, step = size > 64 * PAGE ? size / 64 : PAGE;

	for (pos = 0; pos < 0x400 && pos < size; pos += 4)
		read_one(s, index, pos, 4);
	for (pos = step; pos < size; pos += step)
		read_one(s, index, pos, 8);
}

/* Patterns into memory that keeps them, at every width and alignment. */
static void scratch(struct subject *s, const struct span *span)
{
	static const uint8_t pattern[32] = "0123456789abcdefghijklmnopqrstu";
	const uint64_t base = REGION_POS(span->bar, span->pos);
	uint8_t back[48];
	unsigned int i, at;

	for (at = 0; at < 9 && at < span->len; at++) {
		for (i = 0; i < ARRAY_SIZE(widths) && at + widths[i] <= span->len; i++) {
			memset(back, 0, sizeof(back));
			result_ret(pwrite(s->dev.fd, pattern, widths[i], base + at));
			pread(s->dev.fd, back, span->len < 48 ? span->len : 48, base);
			result_hex(back, span->len < 48 ? span->len : 48);
			observe("region %u at %llx write%zu +%u", span->bar,
				(unsigned long long)span->pos, widths[i], at);
		}
	}
}

static void bars(struct subject *s)
{
	uint32_t i;

	for (i = 0; i <= VFIO_PCI_BAR5_REGION_INDEX; i++) {
		edges(s, i);
		sweep(s, i);
	}
}

/* Regions that do not exist, and positions that are negative. */
static void beyond(struct subject *s)
{
	static const uint64_t index[] = { 9, 10, 63, 64, 255, 0x7fffff };
	unsigned int i;
	uint32_t val;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		read_one(s, index[i], 0, 4);
		write_one(s, index[i], 0, 4);
	}
	for (i = 1; i < 10; i++) {
		result_ret(pread(s->dev.fd, &val, 4, -(off_t)REGION_POS(i, 0)));
		result_ret(pwrite(s->dev.fd, &val, 4, -(off_t)REGION_POS(i, 0)));
		observe("region -%u", i);
	}
	result_ret(lseek(s->dev.fd, 0x10, SEEK_SET));
	result_ret(lseek(s->dev.fd, 0, SEEK_CUR));
	result_ret(read(s->dev.fd, &val, 4));
	result_ret(lseek(s->dev.fd, 0, SEEK_END));
	observe("lseek");
}

void probe_bars(struct subject *s)
{
	const struct span *span;

	subject_revive(s);
	bars(s);
	for (span = s->kind->scratch; span->len; span++)
		scratch(s, span);
	beyond(s);
}

/* Decoding off one way or the other. */
static void each_region_once(struct subject *s)
{
	unsigned int j;
	uint32_t i;

	for (i = 0; i <= VFIO_PCI_VGA_REGION_INDEX; i++) {
		if (i == VFIO_PCI_CONFIG_REGION_INDEX)
			continue;
		for (j = 0; j < ARRAY_SIZE(widths); j++)
			read_one(s, i, i == VFIO_PCI_VGA_REGION_INDEX ? 0xa0000 : 0, widths[j]);
		read_one(s, i, s->regions[i].size, 4);
	}
	if (!s->msix.len)
		return;
	read_one(s, s->msix.bar, s->msix.pos, 16);
	write_one(s, s->msix.bar, s->msix.pos, 16);
}

static void scratch_refused(struct subject *s)
{
	const struct span *span = s->kind->scratch;
	uint32_t val = 0x55aa1234;

	result_ret(pwrite(s->dev.fd, &val, 4, REGION_POS(span->bar, span->pos)));
	observe("%swrite that is refused or not", phase);
	subject_revive(s);
	val = 0;
	pread(s->dev.fd, &val, 4, REGION_POS(span->bar, span->pos));
	result_hex(&val, 4);
	observe("%swhat it did", phase);
}

static void refused(struct subject *s, const char *name)
{
	phase = name;
	each_region_once(s);
	scratch_refused(s);
	phase = "";
}

void probe_off(struct subject *s)
{
	subject_revive(s);
	subject_command(s, 0, PCI_COMMAND_MEMORY);
	refused(s, "memory off: ");
	subject_command(s, 0, PCI_COMMAND_IO);
	refused(s, "io off: ");
	subject_command(s, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	refused(s, "both off: ");
	if (subject_power(s, 3))
		refused(s, "D3hot: ");
}

/* The kernel maps and parses the ROM at each read: fewer widths, wider steps. */
static void rom(struct subject *s)
{
	const uint32_t index = VFIO_PCI_ROM_REGION_INDEX;
	const uint64_t size = s->regions[index].size;
	struct places places;
	unsigned int i, j;
	uint64_t pos;

	find_places(s, index, &places);
	for (i = 0; i < places.count; i++) {
		for (j = 1; j < ARRAY_SIZE(widths); j += 2)
			read_one(s, index, places.at[i], widths[j]);
		write_one(s, index, places.at[i], 4);
	}
	for (pos = 0; pos < size; pos += size / 64 + 1)
		read_one(s, index, pos, 16);
	for (j = 0; j < ARRAY_SIZE(widths); j++)
		write_one(s, index, 0, widths[j]);
}

static const uint64_t vga_places[] = {
	0, 0x3af, 0x3b0, 0x3b1, 0x3b4, 0x3ba, 0x3bb, 0x3bc, 0x3bf, 0x3c0, 0x3c1, 0x3c4,
	0x3cc, 0x3cf, 0x3d4, 0x3da, 0x3de, 0x3df, 0x3e0, 0x9fff8, 0x9ffff, 0xa0000, 0xa0001,
	0xa0004, 0xafff8, 0xb8000, 0xbfff8, 0xbfffc, 0xbffff, 0xc0000, 0xc0001, 0xd0000,
};

/* 0x3c8 and 0x3c9: index and data of the palette, which nobody watches. */
static void vga_palette(struct subject *s)
{
	const uint32_t index = VFIO_PCI_VGA_REGION_INDEX;
	static const uint8_t entry[] = { 1, 0x11, 0x22, 0x33 };
	unsigned int i;

	for (i = 0; i < sizeof(entry); i++)
		result_ret(pwrite(s->dev.fd, entry + i, 1, REGION_POS(index, i ? 0x3c9 : 0x3c8)));
	observe("palette written");
	for (i = 0; i < 8; i++)
		read_one(s, index, 0x3c6 + i % 4, 1);
}

static void vga(struct subject *s)
{
	const uint32_t index = VFIO_PCI_VGA_REGION_INDEX;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(vga_places); i++) {
		for (j = 0; j < ARRAY_SIZE(widths); j++) {
			read_one(s, index, vga_places[i], widths[j]);
			if (vga_places[i] >= 0x9fff8 || vga_places[i] < 0x3b0)
				write_one(s, index, vga_places[i], widths[j]);
		}
	}
	vga_palette(s);
}

/* The size is that of the BAR if there is an image, in whatever state. */
static void rom_info(struct subject *s)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = 6 };

	result_ret(ioctl(s->dev.fd, VFIO_DEVICE_GET_REGION_INFO, &info));
	result(" %llx %x", info.size, info.flags);
	observe("%sROM info", phase);
}

void probe_rom_vga(struct subject *s)
{
	subject_revive(s);
	rom_info(s);
	rom(s);
	vga(s);
	subject_command(s, 0, PCI_COMMAND_MEMORY);
	phase = "memory off: ";
	read_one(s, VFIO_PCI_ROM_REGION_INDEX, 0, 4);
	read_one(s, VFIO_PCI_ROM_REGION_INDEX, 1, 31);
	read_one(s, VFIO_PCI_VGA_REGION_INDEX, 0x3c0, 4);
	rom_info(s);
	if (subject_power(s, 3)) {
		phase = "D3hot: ";
		rom_info(s);
	}
	phase = "";
}

/* @tail bytes of memory, then none. */
static void transfer(struct subject *s, uint8_t *end, const struct span *at, size_t tail)
{
	uint64_t pos = REGION_POS(at->bar, at->pos);
	bool write = at->bar != VFIO_PCI_ROM_REGION_INDEX;
	ssize_t ret;

	memset(end - PAGE, 0, PAGE);
	ret = pread(s->dev.fd, end - tail, at->len, pos);
	result_ret(ret);
	result_hex(end - tail, tail);
	if (write)
		result_ret(pwrite(s->dev.fd, end - tail, at->len, pos));
	observe("region %u at %llx: %zu of %llu bytes", at->bar, (unsigned long long)at->pos,
		tail, (unsigned long long)at->len);
}

static const struct span config_spans[] = {
	{ VFIO_PCI_CONFIG_REGION_INDEX, 0, 4 },
	{ VFIO_PCI_CONFIG_REGION_INDEX, 0x10, 8 },
	{ VFIO_PCI_CONFIG_REGION_INDEX, 0x10, 16 },
	{ VFIO_PCI_CONFIG_REGION_INDEX, 0x2c, 16 },
	{ VFIO_PCI_CONFIG_REGION_INDEX, 0x3f, 3 },
	{ VFIO_PCI_ROM_REGION_INDEX, 0, 4 },
	{ VFIO_PCI_ROM_REGION_INDEX, 0, 8 },
	{ VFIO_PCI_ROM_REGION_INDEX, 0, 16 },
	{ VFIO_PCI_VGA_REGION_INDEX, 0xa0000, 16 },
};

void probe_pointers(struct subject *s)
{
	uint8_t *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct span bar = s->kind->scratch[0], hole = s->msix;
	static const size_t lens[] = { 1, 2, 4, 8, 16, 64 };
	unsigned int i, tail;

	ASSERT_NE((intptr_t)page, -1);
	ASSERT_OK(mprotect(page + PAGE, PAGE, PROT_NONE));
	subject_revive(s);
	for (tail = 0; tail <= 17; tail++) {
		for (i = 0; i < ARRAY_SIZE(config_spans); i++)
			transfer(s, page + PAGE, &config_spans[i], tail);
		for (i = 0; i < ARRAY_SIZE(lens) && lens[i] <= s->kind->scratch[0].len; i++) {
			bar.len = lens[i];
			transfer(s, page + PAGE, &bar, tail);
		}
		for (i = 0; i < ARRAY_SIZE(lens) && s->msix.len; i++) {
			hole.len = lens[i];
			transfer(s, page + PAGE, &hole, tail);
		}
	}
	munmap(page, 2 * PAGE);
}
