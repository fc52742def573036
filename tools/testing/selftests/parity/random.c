// SPDX-License-Identifier: GPL-2.0-only
/*
 * A long random sequence of operations, the same in each run.
 *
 * What is done comes from the seed alone. Each block of operations has a seed
 * of its own and starts with the device freshly opened, so that what differs in
 * one block does not reach the next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parity.h"

#define BLOCK		1000u
#define MAPPINGS	6u

static uint64_t state;

/* xorshift64*, by Marsaglia and Vigna. */
static uint32_t rnd(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull >> 32;
}

static uint32_t below(uint32_t limit)
{
	return rnd() % limit;
}

static uint32_t width(void)
{
	return 1u << below(4);
}

static void seed(const struct subject *s, unsigned int block)
{
	const char *name;

	state = 0x9e3779b97f4a7c15ull + block * 0xd1342543de82ef95ull + s->kind->vf;
	for (name = s->kind->name; *name; name++)
		state = (state ^ (uint8_t)*name) * 0x100000001b3ull;
	state |= 1;
	rnd();
}

static struct mapping {
	uint8_t *at;
	uint64_t pos;
	uint64_t len;
	uint32_t index;
	int prot;
} maps[MAPPINGS];

/* Where accesses go in configuration space: mostly the parts that do things. */
static unsigned int config_pos(const struct subject *s)
{
	unsigned int size = config_size(s);

	switch (below(4)) {
	case 0:
		return below(PCI_STD_HEADER_SIZEOF);
	case 1:
		return below(size + 4);
	default:
		return below(PCI_CFG_SPACE_SIZE);
	}
}

static void op_config_read(struct subject *s)
{
	unsigned int pos = config_pos(s), len = below(8) ? 1u << below(3) : below(20);
	uint8_t data[20] = { 0 };

	result_ret(pread(s->dev.fd, data, len, REGION_POS(7, pos)));
	result_hex(data, len);
	observe("config read%u %s%s", len, config_name(s, pos), config_flags(s, pos, len));
}

static void op_config_write(struct subject *s)
{
	unsigned int pos = config_pos(s), len = below(8) ? 1u << below(3) : below(20), i;
	uint8_t data[20];

	for (i = 0; i < sizeof(data); i++)
		data[i] = rnd();
	/* A VF has no such bit, but QEMU's igbvf has, and obeys it. */
	if (s->kind->vf && pos <= PCI_COMMAND && pos + len > PCI_COMMAND)
		data[PCI_COMMAND - pos] |= PCI_COMMAND_MEMORY;
	result_ret(pwrite(s->dev.fd, data, len, REGION_POS(7, pos)));
	observe("config write%u %s %02x%02x%02x%02x", len, config_name(s, pos),
		data[0], data[1], data[2], data[3]);
}

/* Edges, the MSI-X table, scratch memory, and the first registers. */
static uint64_t bar_pos(const struct subject *s, uint32_t *index)
{
	const struct span *span = &s->kind->scratch[below(2)];
	const uint64_t size = s->regions[*index].size;

	switch (below(4)) {
	case 0:
		return size - 12 + below(16);
	case 1:
		if (!s->msix.len)
			return size + below(PAGE);
		*index = s->msix.bar;
		return s->msix.pos + below(s->msix.len);
	default:
		if (!span->len)
			span = s->kind->scratch;
		*index = span->bar;
		return span->pos + below(span->len);
	}
}

static void op_bar_read(struct subject *s)
{
	unsigned int len = below(4) ? width() : below(32);
	uint32_t index = below(7);
	uint64_t pos = below(4) ? bar_pos(s, &index) : below(64) * 4;
	uint8_t data[32] = { 0 };

	result_ret(pread(s->dev.fd, data, len, REGION_POS(index, pos)));
	result_hex(data, len);
	observe("region %u read%u %llx", index, len, (unsigned long long)pos);
}

/* Only where a device does nothing about it; else an access that is refused. */
static bool harmless(const struct subject *s, uint32_t index, uint64_t pos, unsigned int len)
{
	const struct span *span;

	if (index > VFIO_PCI_BAR5_REGION_INDEX || pos >= s->regions[index].size)
		return true;
	if (s->msix.len && index == s->msix.bar && pos >= s->msix.pos &&
	    pos + len <= s->msix.pos + s->msix.len)
		return true;
	for (span = s->kind->scratch; span->len; span++) {
		if (index == span->bar && pos >= span->pos && pos + len <= span->pos + span->len)
			return true;
	}
	return false;
}

static void op_bar_write(struct subject *s)
{
	unsigned int len = below(4) ? width() : below(32), i;
	uint32_t index = below(7);
	uint64_t pos = bar_pos(s, &index);
	uint8_t data[32];

	for (i = 0; i < sizeof(data); i++)
		data[i] = rnd();
	if (!harmless(s, index, pos, len))
		len = 0;
	result_ret(pwrite(s->dev.fd, data, len, REGION_POS(index, pos)));
	observe("region %u write%u %llx %02x%02x%02x%02x", index, len, (unsigned long long)pos,
		data[0], data[1], data[2], data[3]);
}

static void op_rom(struct subject *s)
{
	uint64_t size = s->regions[6].size, pos = below(2) ? below(0x200) : size - 6 + below(8);
	unsigned int len = width();
	uint64_t data = 0;

	result_ret(pread(s->dev.fd, &data, len, REGION_POS(6, pos)));
	result_hex(&data, len);
	observe("rom read%u %llx", len, (unsigned long long)pos);
}

static void op_vga(struct subject *s)
{
	uint64_t pos = below(2) ? 0xa0000 + below(0x20010) : 0x3ac + below(0x40);
	unsigned int len = width();
	uint64_t data = 0;

	result_ret(pread(s->dev.fd, &data, len, REGION_POS(8, pos)));
	result_hex(&data, len);
	observe("vga read%u %llx", len, (unsigned long long)pos);
}

static uint32_t irq_flags(void)
{
	static const uint32_t usual[] = {
		VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD,
		VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD,
		VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_NONE,
		VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_BOOL,
		VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_DATA_NONE,
		VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_NONE,
		VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_EVENTFD,
	};

	return below(8) ? usual[below(ARRAY_SIZE(usual))] : below(0x80);
}

static void op_irqs(struct subject *s)
{
	const uint32_t flags = irq_flags();
	uint32_t index = below(6), count = below(5), start = below(3) ? 0 : below(12);
	size_t size = flags & VFIO_IRQ_SET_DATA_EVENTFD ? 4 : flags & VFIO_IRQ_SET_DATA_BOOL;
	int32_t data[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(data); i++) {
		data[i] = s->events[below(EVENTS)];
		if (size == 4 && !below(5))
			data[i] = -1;
		else if (size != 4)
			data[i] = rnd();
	}
	/* In D3hot ours enables MSI, with the function awake for it; the other refuses. */
	if (index == VFIO_PCI_MSI_IRQ_INDEX || index == VFIO_PCI_MSIX_IRQ_INDEX)
		subject_power(s, 0);
	result_ret(irq_set_try(&s->dev, index, flags, start, count, data, sizeof(data)));
	result("/%llu", (unsigned long long)events_take(s));
	observe("SET_IRQS index %u flags %x start %u count %u", index, flags, start, count);
}

static void op_irqs_off(struct subject *s)
{
	const uint32_t index = below(VFIO_PCI_NUM_IRQS);

	result_ret(irq_action_try(&s->dev, index, VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0));
	observe("SET_IRQS index %u off", index);
}

static void op_ioeventfd(struct subject *s)
{
	struct vfio_device_ioeventfd arg = { .argsz = sizeof(arg) };
	uint32_t index = below(9);
	uint64_t pos = bar_pos(s, &index), one = 1;

	arg.flags = below(8) ? width() : below(16);
	arg.data = below(3);
	arg.fd = below(2) ? s->events[below(2)] : -1;
	/* Unaligned ones are for probe_ioeventfd(): one module set takes them. */
	arg.offset = REGION_POS(index, arg.fd >= 0 || below(4) ? pos & ~7ull : pos);
	if (!harmless(s, index, pos & ~7ull, 8))
		arg.fd = -1;
	result_ret(ioctl(s->dev.fd, VFIO_DEVICE_IOEVENTFD, &arg));
	if (!below(4) && arg.fd >= 0) {
		write(arg.fd, &one, sizeof(one));
		usleep(1000);
	}
	events_take(s);
	observe("IOEVENTFD region %u at %llx flags %x data %llu %s", index,
		(unsigned long long)(arg.offset & ((1ull << VFIO_SHIFT) - 1)), arg.flags,
		(unsigned long long)arg.data, arg.fd < 0 ? "off" : "on");
}

/*
 * Between operations a device in low power is suspended or not yet: what that
 * means to a power state that the program chose is a matter of time. So it is
 * left at once.
 */
static void low_power(struct subject *s)
{
	uint32_t val = 0;

	subject_asleep(s);
	result_ret(pread(s->dev.fd, &val, 4, REGION_POS(7, 0)));
	result_ret(vfio_feature_try(&s->dev, VFIO_DEVICE_FEATURE_SET |
				    VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0));
	usleep(1000);
	events_take(s);
}

static void op_feature(struct subject *s)
{
	const uint32_t entry = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY;
	const uint32_t wakeup = VFIO_DEVICE_FEATURE_SET |
		VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP;
	uint32_t flags = (below(2) ? below(8) << 16 : VFIO_DEVICE_FEATURE_SET) | below(14);
	/* No event that ioeventfds wait for: two of them have no order. */
	uint32_t words[4] = { s->events[2], 0, rnd(), rnd() };
	size_t len = below(5) * 4;
	int ret;

	ret = vfio_feature_try(&s->dev, flags, words, len);
	result_ret(ret);
	if (!ret && (flags == entry || flags == wakeup))
		low_power(s);
	observe("FEATURE flags %x len %zu", flags, len);
}

static void op_low_power_exit(struct subject *s)
{
	result_ret(vfio_feature_try(&s->dev, VFIO_DEVICE_FEATURE_SET |
				    VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0));
	observe("low power exit");
}

static void op_reset(struct subject *s)
{
	result_ret(ioctl(s->dev.fd, VFIO_DEVICE_RESET));
	observe("RESET");
}

/* Mappings stay: with one of them the device is never quite closed. */
static void op_reopen(struct subject *s)
{
	close(s->dev.fd);
	s->dev.fd = subject_fd(s);
	result_ret(s->dev.fd < 0 ? -1 : 0);
	observe("closed, opened");
	ASSERT_OK(s->dev.fd);
}

static void op_revive(struct subject *s)
{
	subject_revive(s);
	observe("revive");
}

static void map_drop(struct mapping *map)
{
	if (map->at)
		munmap(map->at, map->len);
	map->at = NULL;
}

static void op_mmap(struct subject *s)
{
	struct mapping *map = &maps[below(MAPPINGS)];
	uint64_t pages;
	void *at;

	map_drop(map);
	map->index = below(7);
	pages = s->regions[map->index].size / PAGE + 2;
	map->pos = (below(2) ? 0 : below(pages)) * (uint64_t)PAGE;
	map->len = (below(2) ? below(4) : below(pages)) * (uint64_t)PAGE + !below(8);
	map->prot = below(8);
	at = mmap(NULL, map->len, map->prot, below(10) ? MAP_SHARED : MAP_PRIVATE, s->dev.fd,
		  REGION_POS(map->index, map->pos));
	map->at = at == MAP_FAILED ? NULL : at;
	result_ret(map->at ? 0 : -1);
	observe("mmap region %u at %llx len %llx prot %x", map->index,
		(unsigned long long)map->pos, (unsigned long long)map->len, map->prot);
}

/* What is read is for probe_mmap(): here it could be a running counter. */
static void op_touch(struct subject *s)
{
	struct mapping *map = &maps[below(MAPPINGS)];
	uint64_t page = below(1u << 18);

	(void)s;
	if (!map->at || !(map->prot & PROT_READ) || !map->len)
		result(" -");
	else
		result(" %d", load_faults(map->at + page * PAGE % map->len / PAGE * PAGE, NULL));
	observe("touch mapping %u page %llx", (unsigned int)(map - maps),
		(unsigned long long)page);
}

static void op_munmap(struct subject *s)
{
	struct mapping *map = &maps[below(MAPPINGS)];

	(void)s;
	map_drop(map);
	observe("munmap %u", (unsigned int)(map - maps));
}

static void op_info(struct subject *s)
{
	struct vfio_irq_info irq = { .argsz = sizeof(irq), .index = below(6) };
	struct vfio_region region = { .info = { .argsz = below(80), .index = below(10) } };

	result_ret(ioctl(s->dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &irq));
	result_hex(&irq, sizeof(irq));
	result_ret(ioctl(s->dev.fd, VFIO_DEVICE_GET_REGION_INFO, &region.info));
	result_hex(&region, 64);
	observe("info %u %u", irq.index, region.info.index);
}

/* Operations and how often they come: resets sleep, so they are rare. */
static const struct {
	void (*run)(struct subject *s);
	unsigned int weight;
} ops[] = {
	{ op_config_read, 230 }, { op_config_write, 150 },
	{ op_bar_read, 160 }, { op_bar_write, 120 },
	{ op_rom, 10 }, { op_vga, 10 },
	{ op_irqs, 70 }, { op_irqs_off, 20 },
	{ op_ioeventfd, 40 }, { op_feature, 8 }, { op_low_power_exit, 8 },
	{ op_mmap, 30 }, { op_touch, 60 }, { op_munmap, 10 },
	{ op_info, 20 }, { op_revive, 32 },
	{ op_reset, 1 }, { op_reopen, 1 },
};

static void op(struct subject *s)
{
	unsigned int total = 0, i, pick;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		total += ops[i].weight;
	pick = below(total);
	for (i = 0; pick >= ops[i].weight; i++)
		pick -= ops[i].weight;
	ops[i].run(s);
}

static void scratch_clear(struct subject *s)
{
	static const uint8_t zero[PAGE];
	const struct span *span;

	for (span = s->kind->scratch; span->len; span++)
		pwrite(s->dev.fd, zero, span->len, REGION_POS(span->bar, span->pos));
}

static void block(struct subject *s, unsigned int number)
{
	char area[32];
	unsigned int i;

	seed(s, number);
	snprintf(area, sizeof(area), "random/%u", number);
	record_area(area);
	subject_revive(s);
	scratch_clear(s);
	for (i = 0; i < BLOCK; i++)
		op(s);
	for (i = 0; i < MAPPINGS; i++)
		map_drop(&maps[i]);
}

void probe_random(struct subject *s)
{
	const char *wanted = getenv("PARITY_OPERATIONS");
	unsigned int blocks = (wanted ? strtoul(wanted, NULL, 0) : 5000) / BLOCK, i;

	for (i = 0; i < blocks; i++) {
		block(s, i);
		close(s->dev.fd);
		s->dev.fd = subject_fd(s);
		ASSERT_OK(s->dev.fd);
	}
}
