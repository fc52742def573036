/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that a VF of the lab's HCA writes to by DMA, which vfio.h calls DMA logging.
 * It needs a kernel whose vfio.ko takes reports (CONFIG_IOMMUFD_DRIVER), which
 * Debian's does not.
 */
#ifndef SELFTEST_TRACK_H
#define SELFTEST_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "mig.h"

#define TRACK_FN	1
#define TRACK_IOVA	0x100000000ull
#define TRACK_PAGES	64u
#define TRACK_SIZE	(TRACK_PAGES * 4096ull)

/**
 * struct track_range - addresses that are tracked, as vfio.h has it
 * @iova:	the first
 * @length:	bytes
 */
struct track_range {
	uint64_t iova;
	uint64_t length;
};

/* The pages that track_up() maps. */
extern const struct track_range track_all;

/* Whether this kernel can; and skip the test if it cannot. */
bool track_possible(void);
void track_needed(void);

/* An open VF with track_all mapped for it, if the kernel can track; what lives then. */
void track_up(struct mig *m, struct mig_live *before);
/* Closes it; nothing more lives than before. */
void track_down(struct mig *m, const struct mig_live *before);

/* As the system call answers. @page is what is asked for, then what comes. */
int track_start_try(struct mig *m, const struct track_range *ranges, uint32_t nr,
		    uint64_t *page);
int track_stop_try(struct mig *m);
/* A bit for each 4 KiB. */
int track_report_try(struct mig *m, uint64_t iova, uint64_t length, uint64_t *bitmap);

/* Track the pages of track_all, each by itself. */
void track_start(struct mig *m);
/* Have the VF write @nr pages of track_all. */
void track_write(struct mig *m, unsigned int first, unsigned int nr);

#endif
