// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that get in each other's way for a while.
 */
#include <sched.h>
#include <unistd.h>

#include "race.h"
#include "tap.h"

static void *racer_main(void *data)
{
	struct racer *racer = data;
	struct race *race = racer->race;

	while (!atomic_load(&race->go))
		sched_yield();
	do {
		racer->turn(racer->arg);
		racer->turns++;
	} while (!atomic_load(&race->stop));
	return NULL;
}

void race_add(struct race *race, const char *name, void (*turn)(void *arg),
	      void *arg)
{
	struct racer *racer = &race->racers[race->count++];

	ASSERT_LE(race->count, RACE_MAX);
	racer->name = name;
	racer->turn = turn;
	racer->arg = arg;
	racer->race = race;
	ASSERT_EQ(pthread_create(&racer->thread, NULL, racer_main, racer), 0);
}

void race_run(struct race *race, unsigned int ms)
{
	unsigned int i;

	atomic_store(&race->stop, !ms);
	atomic_store(&race->go, true);
	usleep(ms * 1000 * test_soak());
	atomic_store(&race->stop, true);
	for (i = 0; i < race->count; i++) {
		ASSERT_EQ(pthread_join(race->racers[i].thread, NULL), 0);
		EXPECT_GE(race->racers[i].turns, 1);
		if (ms)
			test_note("%s: %lu turns", race->racers[i].name,
				  race->racers[i].turns);
	}
}
