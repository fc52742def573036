// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt bypass, whose other side is KVM on a real host. Here it is a
 * module of the lab's (lab/modules/bypass.c): nested KVM is not to be had in an
 * emulated machine, and what counts is when an interrupt is offered and when it
 * is taken back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define PARAM	"/sys/module/bypass/parameters/"

static int param(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), PARAM "%s", name);
	ASSERT_EQ(file_read(path, text, sizeof(text)), 0);
	return atoi(text);
}

static void watch(int fd)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	ASSERT_EQ(file_write(PARAM "watch", text), 0);
}

/* Number of the interrupt whose line of /proc/interrupts contains @name; 0: none. */
static int irq_number(const char *name)
{
	char line[512];
	int irq = 0;
	FILE *file;

	file = fopen("/proc/interrupts", "re");
	ASSERT(file);
	while (!irq && fgets(line, sizeof(line), file)) {
		if (strstr(line, name))
			irq = atoi(line);
	}
	fclose(file);
	return irq;
}

/* An eventfd of the device's first vector, which somebody waits for. */
static int start(struct vfio_dev *dev)
{
	int fd = event_new();

	if (!module_loaded("bypass"))
		ASSERT_EQ(module_load("bypass", NULL), 0);
	vfio_open(dev, lab_bdf("e1000e"));
	watch(fd);
	return fd;
}

static void end_by_disable(struct vfio_dev *dev)
{
	irq_disable(dev, MSIX);
}

static void end_by_another_eventfd(struct vfio_dev *dev)
{
	int32_t other = event_new();

	irq_enable(dev, MSIX, 0, 1, &other);
}

static void end_by_no_eventfd(struct vfio_dev *dev)
{
	int32_t none = -1;

	irq_enable(dev, MSIX, 0, 1, &none);
}

static void end_by_close(struct vfio_dev *dev)
{
	close(dev->fd);
	dev->fd = vfio_fd_try(&dev->group, dev->bdf);
}

struct end {
	const char *name;
	void (*fn)(struct vfio_dev *dev);
};

static const struct end ends[] = {
	{ "disable", end_by_disable },
	{ "another-eventfd", end_by_another_eventfd },
	{ "no-eventfd", end_by_no_eventfd },
	{ "close", end_by_close },
};

/*
 * "call irq_bypass_unregister_producer() before freeing irq": what is offered is
 * an interrupt of the device's, from beginning to end.
 */
TEST_EACH(bypass_ends_before_its_interrupt, ends)
{
	unsigned int i, added, removed;
	struct vfio_dev dev;
	int32_t fds[3];
	char name[64];

	fds[0] = start(&dev);
	fds[1] = event_new();
	fds[2] = event_new();
	added = param("added");
	removed = param("removed");
	snprintf(name, sizeof(name), "vfio-msix[0](%s)", dev.bdf);
	for (i = 1; i <= 3; i++) {
		irq_enable(&dev, MSIX, 0, 3, fds);
		EXPECT_EQ(param("added"), added + i);
		EXPECT_EQ(param("irq"), irq_number(name));
		EXPECT_NE(param("irq"), 0);
		it->fn(&dev);
		EXPECT_EQ(param("removed"), removed + i);
		EXPECT_EQ(param("irq"), 0);
		irq_action_try(&dev, MSIX, VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0);
	}
	EXPECT_EQ(param("late"), 0);
	watch(-1);
	vfio_close(&dev);
}

/* Who asks for it later gets it, too; and the device does without them. */
TEST(bypass_begins_and_ends_with_who_wants_it)
{
	int fd, added, removed;
	struct vfio_dev dev;

	fd = start(&dev);
	watch(-1);
	irq_enable(&dev, MSIX, 0, 1, &fd);
	added = param("added");
	removed = param("removed");
	watch(fd);
	EXPECT_EQ(param("added"), added + 1);
	watch(-1);
	EXPECT_EQ(param("removed"), removed + 1);
	irq_trigger(&dev, MSIX, 0);
	EXPECT_EQ(event_wait(fd, 500), 1);
	irq_disable(&dev, MSIX);
	EXPECT_EQ(param("late"), 0);
	vfio_close(&dev);
}

/* One eventfd for two vectors can be offered for one of them only. */
TEST(bypass_of_an_eventfd_used_twice)
{
	struct vfio_dev dev;
	int added, removed;
	int32_t fds[2];

	fds[0] = start(&dev);
	fds[1] = fds[0];
	added = param("added");
	removed = param("removed");
	irq_enable(&dev, MSIX, 0, 2, fds);
	EXPECT_EQ(param("added"), added + 1);
	irq_trigger(&dev, MSIX, 0);
	irq_trigger(&dev, MSIX, 1);
	EXPECT_EQ(event_total(fds[0]), 2);
	irq_disable(&dev, MSIX);
	EXPECT_EQ(param("removed"), removed + 1);
	EXPECT_EQ(param("late"), 0);
	watch(-1);
	vfio_close(&dev);
}
