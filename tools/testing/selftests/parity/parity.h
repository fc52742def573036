/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parity: what a program can observe of a device through VFIO, as text.
 *
 * The same program runs on two sets of modules; "compare" reads both records.
 * A line is "device|area|what was done|what came of it". What was done never
 * depends on what came of it, so that both records have the same lines.
 */
#ifndef PARITY_H
#define PARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define PAGE		4096u
#define CONFIG_MAX	4096u
#define VFIO_SHIFT	40
#define REGION_POS(index, pos)	(((uint64_t)(index) << VFIO_SHIFT) + (pos))

/* The VF token that the PF is given. */
#define TOKEN		"6d2fd6cb-5c3c-4f0a-9d2d-2f4b1a6c7e01"

/* Vectors that the probes use at most; the lab's devices have fewer. */
#define EVENTS		16u

/**
 * struct span - a part of a region
 * @bar:	its index
 * @pos:	first byte
 * @len:	number of bytes, 0 ends a table
 */
struct span {
	uint32_t bar;
	uint64_t pos;
	uint64_t len;
};

/**
 * struct kind - a device of the lab, seen from here
 * @name:	what the record calls it, and the lab
 * @scratch:	memory that can be written and does nothing
 * @group:	devices with the same number share hardware: not at once
 * @vf:		not the device itself but its first virtual function
 * @wipe:	bytes of BAR 0 in which the firmware leaves what it had to say
 */
struct kind {
	const char *name;
	struct span scratch[3];
	unsigned int group;
	bool vf;
	uint32_t wipe;
};

/**
 * struct subject - the device under observation
 * @kind:	which one
 * @bdf:	its address
 * @dev:	open while an area is observed
 * @regions:	GET_REGION_INFO of the PCI regions
 * @irqs:	GET_IRQ_INFO's counts
 * @msix:	the MSI-X table, which no program may read or write
 * @window:	for each byte of configuration space the start of its capability
 * @config:	configuration space as the kernel sees it before it is opened
 * @events:	eventfds
 */
struct subject {
	const struct kind *kind;
	char bdf[BDF_LEN];
	struct vfio_dev dev;
	struct vfio_region_info regions[VFIO_PCI_NUM_REGIONS];
	uint32_t irqs[VFIO_PCI_NUM_IRQS];
	struct span msix;
	uint16_t window[CONFIG_MAX];
	uint8_t config[CONFIG_MAX];
	int events[EVENTS];
};

/* record.c */

void record_device(const char *name);
void record_area(const char *name);
/* Add to the result of the line to come. */
void result(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for a system call's answer: a number or the name of its errno. */
void result_ret(long ret);
void result_hex(const void *data, size_t len);
/* Say what was done, and print the line. */
void observe(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* subject.c */

extern const struct kind kinds[];
extern const unsigned int kinds_count;

void subject_init(struct subject *s, const struct kind *kind);
/* A descriptor of the device, in the group that is open. */
int subject_fd(struct subject *s);
void subject_open(struct subject *s);
void subject_close(struct subject *s);
/* "PM+4": where in configuration space; valid for four calls. */
const char *config_name(const struct subject *s, unsigned int pos);
/* A note for the record if an access covers the MSI capability's flags. */
const char *config_flags(const struct subject *s, unsigned int pos, size_t len);
/* Position of capability @id as the kernel sees it, or 0. */
unsigned int config_cap(const struct subject *s, uint8_t id);
unsigned int config_size(const struct subject *s);
/* Signals since the last call, over all eventfds. */
uint64_t events_take(const struct subject *s);

/* After low-power entry: what comes next is to find it suspended. */
void subject_asleep(struct subject *s);
/* Decoding on, full power. */
void subject_revive(struct subject *s);
void subject_command(struct subject *s, uint16_t set, uint16_t clear);
/* Write PMCSR's power state; false if the device has none. */
bool subject_power(struct subject *s, unsigned int state);

/* irqs.c */

enum irq_state {
	IRQS_NONE, IRQS_INTX, IRQS_MSI, IRQS_MSI_ALL, IRQS_MSIX, IRQS_MSIX_ALL,
	IRQS_STATES,
};

extern const char *const irq_states[IRQS_STATES];

/* Bring interrupts into @state; false if the device cannot. */
bool irqs_enter(struct subject *s, enum irq_state state);
void irqs_off(struct subject *s);

/* One function per area, each on a device freshly opened. */
void probe_open(struct subject *s);
void probe_info(struct subject *s);
void probe_config_read(struct subject *s);
void probe_config_write(struct subject *s);
void probe_config_irqs(struct subject *s);
void probe_bars(struct subject *s);
void probe_off(struct subject *s);
void probe_rom_vga(struct subject *s);
void probe_pointers(struct subject *s);
void probe_irqs(struct subject *s);
void probe_mmap(struct subject *s);
void probe_feature(struct subject *s);
void probe_ioeventfd(struct subject *s);
void probe_reset(struct subject *s);
void probe_random(struct subject *s);

#endif
