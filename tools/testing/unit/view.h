/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What holds for every function, however broken: see view_check().
 */
#ifndef UNIT_VIEW_H
#define UNIT_VIEW_H

#include "bench.h"

/* Each returns NULL, or what is wrong */
const char *view_check(struct bench *b);
const char *view_range(struct bench *b, unsigned int from, unsigned int to);
const char *view_windows(const struct vfio_cfg *cfg);
const char *view_chains(struct bench *b);

#endif /* UNIT_VIEW_H */
