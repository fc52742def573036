/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's fault injection, aimed at our modules: of the allocations and
 * copies that this thread makes with a function of theirs on the stack, the nth
 * fails. Documentation/fault-injection/fault-injection.rst of the kernel.
 */
#ifndef SELFTEST_FAULT_INJECT_H
#define SELFTEST_FAULT_INJECT_H

#include <stdbool.h>

/*
 * Aim; skips the test on a kernel without fault injection. What the function
 * @spared of the kernel calls does not fail, for it could not stand it: one that
 * looks up an interrupt's route with ACPI if NULL. Not for functions of ours.
 */
void inject_setup(const char *spared);

/* From now on, let the @nth fail. */
void inject_arm(unsigned int nth);

/* Stop; whether it came to the failure. Leaves errno alone. */
bool inject_disarm(void);

#endif
