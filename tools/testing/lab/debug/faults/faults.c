// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that does what the debug kernel is there to notice, so that somebody
 * notices when it does not: debug/watch loads it, on that kernel alone.
 *
 *	modprobe faults which=lose-memory,cross-locks
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *which = "";
module_param(which, charp, 0);
MODULE_PARM_DESC(which, "comma-separated names of faults");

/* What lies on a stack counts as known: make more of them than a stack keeps. */
static noinline void lose_memory(void)
{
	char *p;
	int i;

	for (i = 0; i < 16; i++) {
		p = kmalloc(64, GFP_KERNEL);
		if (p)
			strscpy(p, "lost", 64);
	}
}

static DEFINE_MUTEX(left);
static DEFINE_MUTEX(right);

static noinline void cross_locks(void)
{
	mutex_lock(&left);
	mutex_lock(&right);
	mutex_unlock(&right);
	mutex_unlock(&left);

	mutex_lock(&right);
	mutex_lock(&left);
	mutex_unlock(&left);
	mutex_unlock(&right);
}

static noinline void sleep_in_atomic(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}

static noinline void write_past_end(void)
{
	volatile char *p = kmalloc(24, GFP_KERNEL);

	if (p)
		p[24] = 1;
	kfree((void *)p);
}

static noinline void shift_too_far(void)
{
	volatile unsigned int by = 40, val = 1;

	val = val << by;
}

struct ticker {
	struct timer_list timer;
};

static void tick(struct timer_list *timer)
{
}

static noinline void free_active_timer(void)
{
	struct ticker *ticker = kzalloc(sizeof(*ticker), GFP_KERNEL);

	if (!ticker)
		return;
	timer_setup(&ticker->timer, tick, 0);
	mod_timer(&ticker->timer, jiffies + 1000 * HZ);
	kfree(ticker);
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "lose-memory", lose_memory },
	{ "cross-locks", cross_locks },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "write-past-end", write_past_end },
	{ "shift-too-far", shift_too_far },
	{ "free-active-timer", free_active_timer },
};

static int __init faults_init(void)
{
	char *list = which, *name;
	unsigned int i;

	while ((name = strsep(&list, ",")))
		for (i = 0; i < ARRAY_SIZE(faults); i++)
			if (!strcmp(name, faults[i].name))
				faults[i].commit();
	return 0;
}
module_init(faults_init);

static void __exit faults_exit(void)
{
}
module_exit(faults_exit);

MODULE_DESCRIPTION("Faults for a debug kernel to notice");
MODULE_LICENSE("GPL");
