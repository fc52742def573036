// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a VFIO device, delivered to eventfds.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lab.h"
#include "tap.h"
#include "vfio.h"

struct vfio_irq_info vfio_irq(struct vfio_dev *dev, uint32_t index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, &info));
	return info;
}

int irq_set_call(struct vfio_dev *dev, const struct irq_set *set)
{
	struct vfio_irq_set *arg;
	int ret, saved;

	arg = calloc(1, sizeof(*arg) + set->len);
	ASSERT(arg);
	arg->argsz = sizeof(*arg) + set->len;
	arg->flags = set->flags;
	arg->index = set->index;
	arg->start = set->start;
	arg->count = set->count;
	if (set->len)
		memcpy(arg->data, set->data, set->len);
	ret = ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, arg);
	saved = errno;
	free(arg);
	errno = saved;
	return ret;
}

int irq_eventfds_try(struct vfio_dev *dev, uint32_t index, uint32_t start,
		     uint32_t count, const int32_t *fds)
{
	const struct irq_set set = {
		.index = index,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.start = start,
		.count = count,
		.data = fds,
		.len = count * sizeof(*fds),
	};

	return irq_set_call(dev, &set);
}

int irq_action_try(struct vfio_dev *dev, uint32_t index, uint32_t action,
		   uint32_t start, uint32_t count)
{
	const struct irq_set set = {
		.index = index,
		.flags = VFIO_IRQ_SET_DATA_NONE | action,
		.start = start,
		.count = count,
	};

	return irq_set_call(dev, &set);
}

/* A positive answer means: fewer vectors than asked for, none enabled. */
void irq_enable(struct vfio_dev *dev, uint32_t index, uint32_t start,
		uint32_t count, const int32_t *fds)
{
	int ret = irq_eventfds_try(dev, index, start, count, fds);

	if (ret)
		FAIL("%u interrupts of index %u of %s: %s (%d)", count, index,
		     dev->bdf, ret < 0 ? strerror(errno) : "too many", ret);
}

void irq_disable(struct vfio_dev *dev, uint32_t index)
{
	ASSERT_OK(irq_action_try(dev, index, VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0));
}

void irq_trigger(struct vfio_dev *dev, uint32_t index, uint32_t vector)
{
	ASSERT_OK(irq_action_try(dev, index, VFIO_IRQ_SET_ACTION_TRIGGER,
				 vector, 1));
}

void intx_mask(struct vfio_dev *dev)
{
	ASSERT_OK(irq_action_try(dev, VFIO_PCI_INTX_IRQ_INDEX,
				 VFIO_IRQ_SET_ACTION_MASK, 0, 1));
}

void intx_unmask(struct vfio_dev *dev)
{
	ASSERT_OK(irq_action_try(dev, VFIO_PCI_INTX_IRQ_INDEX,
				 VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
}

int event_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ASSERT_OK(fd);
	return fd;
}

uint64_t event_wait(int fd, unsigned int ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	uint64_t signals;

	if (poll(&wait, 1, test_patience(ms)) <= 0)
		return 0;
	if (read(fd, &signals, sizeof(signals)) != sizeof(signals))
		return 0;
	return signals;
}

uint64_t event_total(int fd)
{
	uint64_t total = 0, signals;

	while ((signals = event_wait(fd, 100)))
		total += signals;
	return total;
}

void intx_settle(struct vfio_dev *dev, int fd)
{
	unsigned int tries = 5;

	do {
		intx_unmask(dev);
	} while (event_total(fd) && tries--);
}

void event_kick(int fd)
{
	uint64_t one = 1;

	ASSERT_EQ(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
}

unsigned int irq_lines(const char *name)
{
	unsigned int found = 0;
	char line[512];
	FILE *file;

	file = fopen("/proc/interrupts", "re");
	ASSERT(file);
	while (fgets(line, sizeof(line), file))
		found += !!strstr(line, name);
	fclose(file);
	return found;
}

void vfio_expect_works(const char *bdf)
{
	int32_t fd = event_new();
	struct vfio_dev dev;
	uint32_t index;

	vfio_open(&dev, bdf);
	EXPECT_EQ(cfg_get16(&dev, PCI_VENDOR_ID), pci_config_read(bdf, PCI_VENDOR_ID, 2));
	for (index = VFIO_PCI_INTX_IRQ_INDEX; index <= VFIO_PCI_MSIX_IRQ_INDEX; index++) {
		if (!vfio_irq(&dev, index).count)
			continue;
		irq_enable(&dev, index, 0, 1, &fd);
		irq_trigger(&dev, index, 0);
		EXPECT_EQ(event_wait(fd, 1000), 1);
		irq_disable(&dev, index);
	}
	vfio_close(&dev);
	close(fd);
}
