// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure operations on the lab's devices: instructions, and config accesses of
 * the hardware.
 *
 * The machine runs with one instruction per tick of its TSC, which makes the
 * figures exact; the smallest of several times is free of interrupts. QEMU traces
 * config accesses: a write of an operation's number to a register of a device that
 * nobody uses marks in the trace where it begins, BENCH_END where it ends. Numbers
 * start where no firmware would put an interrupt line.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"

#define TIMES		12
#define TIMES_SLOW	2
#define BENCH_FIRST	0x40
#define BENCH_END	0xff

/* The library's checks count failures here. */
static struct test_shared shared;
struct test_shared *test_shared = &shared;

static int marker = -1;

static void mark(uint8_t val)
{
	ASSERT_EQ(pwrite(marker, &val, 1, PCI_INTERRUPT_LINE), 1);
}

static void marker_open(void)
{
	char *path;

	ASSERT_GE(asprintf(&path, "/sys/bus/pci/devices/%s/config",
			   lab_bdf("rng")), 0);
	marker = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(marker, 0);
	free(path);
}

static unsigned long long once(const struct op *op, struct vfio_dev *dev,
			       int number)
{
	unsigned long long start, end;

	if (op->prepare)
		op->prepare(dev, op->arg);
	if (number >= 0)
		mark(BENCH_FIRST + number);
	start = __rdtsc();
	op->run(dev, op->arg);
	end = __rdtsc();
	if (number >= 0)
		mark(BENCH_END);
	if (op->undo)
		op->undo(dev, op->arg);
	return end - start;
}

static unsigned long long least(const struct op *op, struct vfio_dev *dev)
{
	unsigned int times = op->sleeps ? TIMES_SLOW : TIMES;
	unsigned long long took, best = ~0ULL;

	while (times--) {
		took = once(op, dev, -1);
		if (took < best)
			best = took;
	}
	return best;
}

static const struct op bases[BASE_COUNT] = {
	[BASE_IOCTL] = { .run = base_ioctl },
	[BASE_PREAD] = { .run = base_pread },
};

static void measure(unsigned int number)
{
	const struct op *op = &ops[number];
	unsigned long long took, base = 0;
	struct vfio_dev dev = { 0 };

	if (op->device) {
		vfio_open(&dev, lab_bdf(op->device));
		cfg_command(&dev, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 0);
	}
	took = least(op, &dev);
	if (bases[op->base].run)
		base = least(&bases[op->base], &dev);
	once(op, &dev, number);
	if (op->device)
		vfio_close(&dev);

	printf("%u|%s|", number, op->name);
	if (op->sleeps)
		puts("-");
	else
		printf("%llu\n", took - base);
	fflush(stdout);
}

int main(void)
{
	unsigned int i;

	marker_open();
	for (i = 0; i < op_count; i++)
		measure(i);
	return shared.failures != 0;
}
