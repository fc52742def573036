/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an operation costs: the table of operations and who measures them.
 */
#ifndef SELFTEST_BENCH_H
#define SELFTEST_BENCH_H

#include "lib/edu.h"
#include "lib/lab.h"
#include "lib/run.h"
#include "lib/tap.h"
#include "lib/vfio.h"

/* What a call costs that does nothing, to be taken off */
enum base {
	BASE_NONE,
	BASE_IOCTL,
	BASE_PREAD,
	BASE_COUNT,
};

/**
 * struct op - an operation
 * @name:	for the table
 * @device:	the lab's, opened before and closed after; NULL for none
 * @base:	what is taken off
 * @sleeps:	it waits for the device: only its config accesses mean something
 * @prepare:	before each time; may be NULL
 * @run:	what is measured
 * @undo:	after each time; may be NULL
 * @arg:	for all three
 */
struct op {
	const char *name;
	const char *device;
	enum base base;
	bool sleeps;
	void (*prepare)(struct vfio_dev *dev, unsigned int arg);
	void (*run)(struct vfio_dev *dev, unsigned int arg);
	void (*undo)(struct vfio_dev *dev, unsigned int arg);
	unsigned int arg;
};

extern const struct op ops[];
extern const unsigned int op_count;

/* What a base is the cost of */
void base_ioctl(struct vfio_dev *dev, unsigned int arg);
void base_pread(struct vfio_dev *dev, unsigned int arg);

#endif
