/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's fault injection, aimed at our modules: of the allocations and
 * copies that this thread makes with a function of theirs on the stack, the nth
 * fails. Documentation/fault-injection/fault-injection.rst of the kernel.
 */
#ifndef SELFTEST_FAULT_INJECT_H
#define SELFTEST_FAULT_INJECT_H

#include <stdbool.h>

/* Aim; skips the test on a kernel without fault injection. */
void inject_setup(void);

/*
 * What @function of the kernel calls does not fail, for it could not stand it; in
 * place of the function before. Not for ours.
 */
void inject_spare(const char *function);

/* From now on, let the @nth fail. */
void inject_arm(unsigned int nth);

/* Stop; whether it came to the failure. Leaves errno alone. */
bool inject_disarm(void);

#endif
