/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's log as a witness.
 */
#ifndef SELFTEST_KMSG_H
#define SELFTEST_KMSG_H

#include <stdbool.h>

/* Note in the log that test @name starts; later calls look from here on. */
void kmsg_mark(const char *name);

/* Whether the kernel complained since the mark; prints what it said. */
bool kmsg_faults(void);

/* Whether a line since the mark contains @text. */
bool kmsg_has(const char *text);

/* Have the kernel log where every blocked task is. */
void kmsg_dump_blocked(void);

#endif
