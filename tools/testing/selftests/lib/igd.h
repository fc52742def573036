/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lab's model of Intel graphics (lab/models/igd.c). Its BAR 0 is in the
 * guest's memory as well, where ASLS points: the tests write there what a firmware
 * might have left.
 */
#ifndef SELFTEST_IGD_H
#define SELFTEST_IGD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfio.h"

#define IGD_ASLS	0xfc

/* Fields of the OpRegion, and how much of it every version has. */
#define IGD_AT_SIZE	0x10
#define IGD_AT_VERSION	0x16
#define IGD_AT_RVDA	0x3ba
#define IGD_AT_RVDS	0x3c2
#define IGD_FIXED	0x2000u

/* Where function 0 has its two halves, and function 1 further on: lab/devices/igd. */
#define IGD_LOW		0x30000000ull
#define IGD_HIGH	0x812300000ull
#define IGD_NEXT	0x200000ull

/* The extra regions follow the ones that all devices have, in this order. */
enum {
	IGD_OPREGION = VFIO_PCI_NUM_REGIONS,
	IGD_HOST,
	IGD_LPC,
	IGD_END,
};

/**
 * struct igd_firmware - what a firmware left, and what is to be made of it
 * @name:	of the case
 * @kib:	size of the OpRegion
 * @version:	major in the high byte
 * @rvda:	where the video BIOS tables are, as this version expresses it
 * @rvds:	their size
 * @vbt:	their physical address if they have to follow the OpRegion, else 0
 * @shown:	version that is shown
 * @shown_rvda:	and the address
 * @stock:	the distribution's driver gets this right as well
 * @reason:	if opening fails: what the kernel says
 */
struct igd_firmware {
	const char *name;
	uint32_t kib;
	uint16_t version;
	uint64_t rvda;
	uint32_t rvds;
	uint64_t vbt;
	uint16_t shown;
	uint64_t shown_rvda;
	bool stock;
	const char *reason;
};

extern const struct igd_firmware igd_ordinary;

/* Address of function @fn; valid until the next call. */
const char *igd_bdf(unsigned int fn);

/* What the model's memory has at @phys: every byte tells where it is. */
uint8_t igd_byte(uint64_t phys);
void igd_fill(uint8_t *to, uint64_t phys, size_t len);
void igd_put_header(uint8_t *to, const struct igd_firmware *fw);

/* Be the firmware, before the device is opened; @base is 0 or IGD_NEXT. */
void igd_firmware_write(const char *bdf, const struct igd_firmware *fw,
			uint64_t base);
/* The same for function 0, then open it. */
void igd_open(struct vfio_dev *dev, const struct igd_firmware *fw);

uint64_t igd_cfg_size_of_host(const char *bdf);
/* The three regions are there and are described as they should be. */
void igd_expect_regions(struct vfio_dev *dev, const struct igd_firmware *fw);

#endif
