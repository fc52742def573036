/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_RICH_H
#define UNIT_RICH_H

#include "bench.h"

/* A function with a capability of nearly every kind */
void rich_init(struct bench *b);

#endif /* UNIT_RICH_H */
