// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carrying out a plan: all of it, or nothing.
 *
 * Modules come first, since a module that does not load changes nothing for the
 * devices. Then each device takes the steps of the table below. When one fails,
 * or somebody interrupts, what was begun is undone: the steps of a device from its
 * last to its first, devices from the last to the first.
 *
 * The driver's own "bind" attribute is written, not the bus's "drivers_probe": that
 * one succeeds even if the driver refuses, this one says why it does. Nothing is
 * allocated on the way, so that lack of memory cannot leave a device in between.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vfioctl.h"

#define READY_TRIES	60
#define READY_NSEC	50000000

struct step {
	int (*run)(struct change *change);
	void (*undo)(struct change *change);
	void (*describe)(char *text, size_t size, const struct change *change);
};

static int fail(struct change *change, int error, const char *format, ...) PRINTF(3, 4);

static int fail(struct change *change, int error, const char *format, ...)
{
	va_list args;

	if (change->error[0])
		return error;
	if (!path_exists(PCI_DEVICES "/%s", change->dev.bdf)) {
		print_to(change->error, sizeof(change->error), "the device has gone away");
		return error;
	}
	va_start(args, format);
	vsnprintf(change->error, sizeof(change->error), format, args);
	va_end(args);
	return error;
}

/*
 * With driver_override set already, as by udev, the kernel may have given it to the
 * very driver that it is for, when the module was loaded.
 */
static bool moved(const struct change *change, const char *now)
{
	const char *then = change->dev.driver;

	return strcmp(now, then) && (then[0] || strcmp(now, change->driver));
}

/* Time has passed since the plan was made. */
static int begin(struct change *change)
{
	const struct device *then = &change->dev;
	struct device now;
	int ret;

	ret = device_read(&now, then->bdf);
	if (ret)
		return fail(change, ret, "cannot read it again: %s", strerror(-ret));
	if (strcmp(now.modalias, then->modalias) || moved(change, now.driver))
		return fail(change, -ESTALE, "it has changed since it was looked at");
	return 0;
}

static void go_back(struct change *change)
{
	char driver[NAME_LEN];

	if (!change->dev.driver[0] || device_driver(driver, change->dev.bdf) || driver[0])
		return;
	kernel_write(change->dev.bdf, PCI_DRIVERS "/%s/bind", change->dev.driver);
}

static int write_override(const struct change *change, const char *override)
{
	return kernel_write(override[0] ? override : "\n", PCI_DEVICES "/%s/driver_override",
			    change->dev.bdf);
}

static int set_override(struct change *change)
{
	int ret = write_override(change, change->override);

	if (ret)
		return fail(change, ret, "cannot set driver_override: %s", strerror(-ret));
	return 0;
}

static void restore_override(struct change *change)
{
	write_override(change, change->dev.override);
}

static void describe_override(char *text, size_t size, const struct change *change)
{
	const char *override = change->home ? change->override : change->driver;

	if (override[0])
		append_to(text, size, "set driver_override to %s\n", override);
	else if (change->home)
		append_to(text, size, "clear driver_override\n");
	else
		append_to(text, size, "set driver_override to the driver of %s\n", change->module);
}

static int release(struct change *change)
{
	int ret;

	if (!change->dev.driver[0])
		return 0;
	ret = kernel_write(change->dev.bdf, PCI_DRIVERS "/%s/unbind", change->dev.driver);
	if (ret)
		return fail(change, ret, "cannot unbind it from %s: %s", change->dev.driver,
			    strerror(-ret));
	return 0;
}

static void describe_release(char *text, size_t size, const struct change *change)
{
	if (change->dev.driver[0])
		append_to(text, size, "unbind from %s\n", change->dev.driver);
}

/* The driver from before VFIO may not be loaded, or nobody knows which it was. */
static int probe_home(struct change *change)
{
	if (change->driver[0] && path_exists(PCI_DRIVERS "/%s", change->driver))
		return kernel_write(change->dev.bdf, PCI_DRIVERS "/%s/bind", change->driver);
	module_load_for(&change->dev);
	change->driver[0] = '\0';
	return kernel_write(change->dev.bdf, "/sys/bus/pci/drivers_probe");
}

static bool has_driver(const char *bdf, const char *driver)
{
	char now[NAME_LEN];

	return !device_driver(now, bdf) && !strcmp(now, driver);
}

/*
 * udev hears of a device, and runs vfioctl, before the kernel has added it. Until it
 * has, no driver matches; then the kernel may be the first to give it to this one.
 */
static int probe_vfio(struct change *change)
{
	static const struct timespec interval = { .tv_nsec = READY_NSEC };
	const char *bdf = change->dev.bdf;
	unsigned int tries = READY_TRIES;
	int ret;

	for (;;) {
		ret = kernel_write(bdf, PCI_DRIVERS "/%s/bind", change->driver);
		if (ret == -EBUSY && has_driver(bdf, change->driver))
			return 0;
		if (ret != -ENODEV || !tries-- || signal_pending() ||
		    !path_exists(PCI_DEVICES "/%s", bdf))
			return ret;
		nanosleep(&interval, NULL);
	}
}

static int probe(struct change *change)
{
	char said[TEXT_LEN / 2];
	int kmsg = kmsg_open();
	int ret;

	ret = change->home ? probe_home(change) : probe_vfio(change);
	if (ret) {
		kmsg_find(said, sizeof(said), kmsg, change->dev.bdf);
		fail(change, ret, "%s does not take it: %s%s%s",
		     change->driver[0] ? change->driver : "the kernel", strerror(-ret),
		     said[0] ? "; the kernel says: " : "", said);
	}
	if (kmsg >= 0)
		close(kmsg);
	return ret;
}

static void unprobe(struct change *change)
{
	char driver[NAME_LEN];

	if (device_driver(driver, change->dev.bdf) || !driver[0] ||
	    !strcmp(driver, change->dev.driver))
		return;
	kernel_write(change->dev.bdf, PCI_DRIVERS "/%s/unbind", driver);
}

static void describe_probe(char *text, size_t size, const struct change *change)
{
	if (change->driver[0])
		append_to(text, size, "bind to %s\n", change->driver);
	else if (change->home)
		append_to(text, size, "let the kernel choose a driver\n");
	else
		append_to(text, size, "bind to the driver of %s\n", change->module);
}

static int verify(struct change *change)
{
	char driver[NAME_LEN];
	int ret;

	ret = device_driver(driver, change->dev.bdf);
	if (ret)
		return fail(change, ret, "cannot read which driver has it: %s", strerror(-ret));
	if (change->driver[0] && strcmp(driver, change->driver))
		return fail(change, -ENXIO, "%s has it, not %s", driver[0] ? driver : "no driver",
			    change->driver);
	copy_text(change->driver, sizeof(change->driver), driver);
	return 0;
}

static const struct step steps[] = {
	{ begin, go_back, NULL },
	{ set_override, restore_override, describe_override },
	{ release, NULL, describe_release },
	{ probe, unprobe, describe_probe },
	{ verify, NULL, NULL },
};

void change_describe(char *text, size_t size, const struct change *change)
{
	size_t i;

	text[0] = '\0';
	if (change->module[0] && !module_loaded(change->module))
		append_to(text, size, "load module %s\n", change->module);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i].describe)
			steps[i].describe(text, size, change);
	}
}

static int change_apply(struct change *change)
{
	int ret = 0;

	while (!ret && change->stage < ARRAY_SIZE(steps)) {
		if (signal_pending())
			return fail(change, -EINTR, "interrupted");
		ret = steps[change->stage++].run(change);
	}
	if (!ret)
		change->fate = FATE_DONE;
	return ret;
}

static void change_undo(struct change *change)
{
	struct device now;

	while (change->stage) {
		if (steps[--change->stage].undo)
			steps[change->stage].undo(change);
	}
	if (!device_read(&now, change->dev.bdf) && !strcmp(now.driver, change->dev.driver) &&
	    !strcmp(now.override, change->dev.override))
		change->fate = FATE_RESTORED;
	else
		change->fate = FATE_LOST;
}

static int load(struct change *change)
{
	int ret;

	if (change->home || change->driver[0])
		return 0;
	ret = module_loaded(change->module) ? 0 : kernel.load(change->module);
	if (ret)
		return fail(change, ret, "module %s does not load: %s", change->module,
			    strerror(-ret));
	return module_driver(change->driver, change->module, change->wanted, change->error);
}

static int load_all(struct plan *plan)
{
	int ret = 0;
	struct change *change;
	size_t i;

	for (i = 0; !ret && i < plan->nr; i++) {
		change = &plan->v[i];
		ret = load(change);
		if (!change->home)
			copy_text(change->override, sizeof(change->override), change->driver);
	}
	return ret;
}

static int apply_all(struct plan *plan)
{
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < plan->nr; i++) {
		if (!change_idle(&plan->v[i]))
			ret = change_apply(&plan->v[i]);
	}
	while (ret && i--) {
		if (plan->v[i].stage)
			change_undo(&plan->v[i]);
	}
	return ret;
}

/* A device that a VFIO driver had already keeps the record of what was before. */
static void remember(const struct change *change)
{
	const struct device *dev = &change->dev;
	int ret = 0;

	if (change->fate != FATE_DONE)
		return;
	if (change->home)
		record_remove(dev);
	else if (!dev->vfio)
		ret = record_write(dev);
	if (ret)
		complain("%s: cannot write down which driver it had: %s", dev->bdf, strerror(-ret));
}

int plan_apply(struct plan *plan)
{
	int lock, ret;
	size_t i;

	signals_hold();
	lock = kernel_lock();
	ret = load_all(plan);
	if (!ret)
		ret = apply_all(plan);
	for (i = 0; i < plan->nr; i++)
		remember(&plan->v[i]);
	if (lock >= 0)
		close(lock);
	signals_release();
	return ret;
}
