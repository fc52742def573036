// SPDX-License-Identifier: GPL-2.0-only
/*
 * While devices change hands, a signal does not end the program: it makes the
 * next step fail, so that what was begun is undone.
 */
#include <signal.h>
#include <stddef.h>

#include "util.h"

static const int caught[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
static struct sigaction before[ARRAY_SIZE(caught)];
static volatile sig_atomic_t pending;
static unsigned int depth;

static void take(int number)
{
	pending = number;
}

void signals_hold(void)
{
	/* No SA_RESTART: whoever waits for another vfioctl shall not have to. */
	struct sigaction action = { .sa_handler = take };
	size_t i;

	if (depth++)
		return;
	pending = 0;
	for (i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &action, &before[i]);
}

void signals_release(void)
{
	size_t i;

	if (--depth)
		return;
	for (i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &before[i], NULL);
}

int signal_pending(void)
{
	return pending;
}
