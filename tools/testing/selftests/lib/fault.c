// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory accesses that may end in SIGBUS, turned into an answer.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "tap.h"
#include "vfio.h"

static __thread sigjmp_buf escape;

static void on_bus_error(int signal)
{
	(void)signal;
	siglongjmp(escape, 1);
}

static void catch(struct sigaction *old)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_bus_error;
	sigemptyset(&action.sa_mask);
	ASSERT_OK(sigaction(SIGBUS, &action, old));
}

static void uncatch(const struct sigaction *old)
{
	sigaction(SIGBUS, old, NULL);
}

bool load_faults(const volatile void *addr, uint32_t *val)
{
	struct sigaction old;
	uint32_t got = 0;
	bool fault;

	catch(&old);
	fault = sigsetjmp(escape, 1);
	if (!fault) {
		got = *(const volatile uint32_t *)addr;
		if (val)
			*val = got;
	}
	uncatch(&old);
	return fault;
}

bool store_faults(volatile void *addr, uint32_t val)
{
	struct sigaction old;
	bool fault;

	catch(&old);
	fault = sigsetjmp(escape, 1);
	if (!fault)
		*(volatile uint32_t *)addr = val;
	uncatch(&old);
	return fault;
}
