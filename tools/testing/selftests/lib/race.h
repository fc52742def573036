/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that get in each other's way for a while.
 *
 *	struct race race = { 0 };
 *
 *	race_add(&race, "toggle", toggle, &dev);
 *	race_add(&race, "kick", kick, &dev);
 *	race_run(&race, 1500);
 *
 * Each function is one turn, called again and again. A failing ASSERT in it ends
 * the test. race_run() fails a test in which somebody never had a turn, as it
 * would have shown nothing.
 */
#ifndef SELFTEST_RACE_H
#define SELFTEST_RACE_H

#include <pthread.h>
#include <stdatomic.h>

#define RACE_MAX	8

struct race;

/**
 * struct racer - one of the threads
 * @name:	for the report
 * @turn:	what it does
 * @arg:	@turn's argument
 * @turns:	how often it did it
 * @race:	that it is part of
 * @thread:	it runs in
 */
struct racer {
	const char *name;
	void (*turn)(void *arg);
	void *arg;
	unsigned long turns;
	struct race *race;
	pthread_t thread;
};

/**
 * struct race - all of them
 * @racers:	the threads
 * @count:	how many
 * @go:		they may start
 * @stop:	they are to finish
 */
struct race {
	struct racer racers[RACE_MAX];
	unsigned int count;
	atomic_bool go;
	atomic_bool stop;
};

void race_add(struct race *race, const char *name, void (*turn)(void *arg),
	      void *arg);
/* Let them run for @ms or longer, then stop them; 0: one turn each, at once. */
void race_run(struct race *race, unsigned int ms);

#endif
