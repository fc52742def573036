/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Config space of a function as "lspci -xxxx" prints it, with its BARs in
 * comment lines: "# bar INDEX SIZE TYPE".
 */
#ifndef UNIT_FIXTURE_H
#define UNIT_FIXTURE_H

#include "bench.h"

/* Fills @b with what @path holds; 0, or -1 if it cannot be understood */
int fixture_load(struct bench *b, const char *path);

#endif /* UNIT_FIXTURE_H */
