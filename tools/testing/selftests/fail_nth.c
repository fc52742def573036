// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each thing a user can ask for, again and again, the first time with the first
 * allocation or user copy of the driver failing, then the second, until it comes
 * through without one. After each nothing must have changed and the same call must
 * work, and after each that went unnoticed, and some of the others, all of the device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/fault_inject.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define ROM	VFIO_PCI_ROM_REGION_INDEX
#define DRIVER	"/sys/bus/pci/drivers/vfio-pci/"

/* More failures than any call has places for. */
#define LIMIT	400
#define SECONDS	300

/* Resets make the test of a whole device take a second. */
#define SAMPLE	8

/**
 * struct call - something to ask for
 * @name:	what
 * @card:	device of the lab
 * @start:	bring the device to where the call is made
 * @run:	the call: 0, or -1 and errno
 * @finish:	bring it back: bound and closed
 * @spare:	function of the kernel that must not fail (ACPI's, if not named)
 * @also:	another error that is good
 * @once:	the call cannot be repeated, and cannot fail
 */
struct call {
	const char *name;
	const char *card;
	void (*start)(struct vfio_dev *dev);
	int (*run)(struct vfio_dev *dev);
	void (*finish)(struct vfio_dev *dev);
	const char *spare;
	int also;
	bool once;
};

static int32_t events[4];

/* Asked for in peace: the library's own accesses would fail the test. */
static uint64_t config_offset, bar_offset, bar_size, rom_offset;

static int answer(int ret)
{
	errno = -ret;
	return ret ? -1 : 0;
}

static void start_unbound(struct vfio_dev *dev)
{
	pci_unbind(dev->bdf);
	ASSERT_EQ(pci_attr_write(dev->bdf, "driver_override", "vfio-pci"), 0);
}

static int run_bind(struct vfio_dev *dev)
{
	return answer(file_write(DRIVER "bind", dev->bdf));
}

static void finish_bound(struct vfio_dev *dev)
{
	ASSERT(pci_driver_is(dev->bdf, "vfio-pci"));
}

static void start_bound(struct vfio_dev *dev)
{
	pci_bind(dev->bdf, "vfio-pci");
}

static int run_unbind(struct vfio_dev *dev)
{
	return answer(file_write(DRIVER "unbind", dev->bdf));
}

static void finish_unbound(struct vfio_dev *dev)
{
	ASSERT(pci_driver_is(dev->bdf, ""));
	pci_bind(dev->bdf, "vfio-pci");
}

static void start_closed(struct vfio_dev *dev)
{
	pci_bind(dev->bdf, "vfio-pci");
	vfio_group_open(&dev->group, dev->bdf);
}

static int run_open(struct vfio_dev *dev)
{
	dev->fd = vfio_fd_try(&dev->group, dev->bdf);
	return dev->fd < 0 ? -1 : 0;
}

static void start_open(struct vfio_dev *dev)
{
	vfio_open(dev, dev->bdf);
	config_offset = vfio_region_offset(dev, VFIO_PCI_CONFIG_REGION_INDEX);
	rom_offset = vfio_region_offset(dev, ROM);
	bar_offset = vfio_region_offset(dev, BAR0);
	bar_size = vfio_region(dev, BAR0).info.size;
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
}

/* Everything on that close has to undo. */
static void start_busy(struct vfio_dev *dev)
{
	start_open(dev);
	irq_enable(dev, MSIX, 0, 3, events);
	irq_enable(dev, VFIO_PCI_ERR_IRQ_INDEX, 0, 1, events);
	irq_enable(dev, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, events);
	region_get(dev, BAR0, 0, 4);
}

static int run_close(struct vfio_dev *dev)
{
	int ret = close(dev->fd);

	dev->fd = -1;
	return ret;
}

static void finish_closed(struct vfio_dev *dev)
{
	vfio_group_close(&dev->group);
}

static int run_device_info(struct vfio_dev *dev)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info);
}

static int run_region_info(struct vfio_dev *dev)
{
	struct vfio_region region = { 0 };
	uint32_t i;

	for (i = 0; i < VFIO_PCI_VGA_REGION_INDEX; i++) {
		region.info.argsz = sizeof(region);
		region.info.index = i;
		if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &region.info))
			return -1;
	}
	return 0;
}

static int run_irq_info(struct vfio_dev *dev)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = MSIX };

	return ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, &info);
}

static int run_hot_reset_info(struct vfio_dev *dev)
{
	struct {
		struct vfio_pci_hot_reset_info hdr;
		struct vfio_pci_dependent_device devices[8];
	} info = { .hdr.argsz = sizeof(info) };

	return ioctl(dev->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info);
}

static int run_reset(struct vfio_dev *dev)
{
	return ioctl(dev->fd, VFIO_DEVICE_RESET);
}

static int moved(ssize_t ret, size_t len)
{
	return ret == (ssize_t)len ? 0 : -1;
}

static int run_bar_read(struct vfio_dev *dev)
{
	uint32_t val;

	return moved(pread(dev->fd, &val, 4, bar_offset), 4);
}

static int run_rom_read(struct vfio_dev *dev)
{
	uint8_t data[64];

	return moved(pread(dev->fd, data, sizeof(data), rom_offset),
		     sizeof(data));
}

static int run_config_read(struct vfio_dev *dev)
{
	uint8_t data[256];

	return moved(pread(dev->fd, data, sizeof(data), config_offset),
		     sizeof(data));
}

static int run_config_write(struct vfio_dev *dev)
{
	uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE;

	return moved(pwrite(dev->fd, &command, 2, config_offset + PCI_COMMAND),
		     2);
}

static int run_mmap(struct vfio_dev *dev)
{
	uint32_t val;
	void *addr;

	addr = mmap(NULL, bar_size, PROT_READ, MAP_SHARED, dev->fd, bar_offset);
	if (addr == MAP_FAILED)
		return -1;
	/* A fault that ran out of memory is taken again. */
	EXPECT(!load_faults(addr, &val));
	munmap(addr, bar_size);
	return 0;
}

static int run_ioeventfd(struct vfio_dev *dev)
{
	struct vfio_device_ioeventfd args = {
		.argsz = sizeof(args),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = bar_offset + 0x10,
		.data = 1,
		.fd = events[3],
	};

	return ioctl(dev->fd, VFIO_DEVICE_IOEVENTFD, &args);
}

/* A positive answer: fewer vectors to be had, and none enabled. */
static int enable(struct vfio_dev *dev, uint32_t index, uint32_t start,
		  uint32_t count)
{
	int ret = irq_eventfds_try(dev, index, start, count, events);

	if (ret > 0)
		errno = ENOMEM;
	return ret ? -1 : 0;
}

static int run_intx(struct vfio_dev *dev)
{
	return enable(dev, INTX, 0, 1);
}

static int run_msi(struct vfio_dev *dev)
{
	return enable(dev, MSI, 0, 1);
}

static int run_msix(struct vfio_dev *dev)
{
	return enable(dev, MSIX, 0, 2);
}

static int run_err(struct vfio_dev *dev)
{
	return enable(dev, VFIO_PCI_ERR_IRQ_INDEX, 0, 1);
}

static int run_req(struct vfio_dev *dev)
{
	return enable(dev, VFIO_PCI_REQ_IRQ_INDEX, 0, 1);
}

static void start_intx(struct vfio_dev *dev)
{
	start_open(dev);
	irq_enable(dev, INTX, 0, 1, events);
}

static int run_unmask_event(struct vfio_dev *dev)
{
	return irq_set_try(dev, INTX, VFIO_IRQ_SET_DATA_EVENTFD |
			   VFIO_IRQ_SET_ACTION_UNMASK, 0, 1, events + 1,
			   sizeof(events[1]));
}

static int run_intx_swap(struct vfio_dev *dev)
{
	int32_t other = events[2];

	return irq_eventfds_try(dev, INTX, 0, 1, &other);
}

static void start_msix(struct vfio_dev *dev)
{
	start_open(dev);
	irq_enable(dev, MSIX, 0, 1, events);
}

static int run_msix_more(struct vfio_dev *dev)
{
	return enable(dev, MSIX, 1, 1);
}

static int run_disable(struct vfio_dev *dev)
{
	return irq_action_try(dev, MSIX, VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0);
}

static int run_intx_after_msix(struct vfio_dev *dev)
{
	/* The second time, MSI-X is off already. */
	if (run_disable(dev) && errno != EINVAL)
		return -1;
	return run_intx(dev);
}

static int run_low_power(struct vfio_dev *dev)
{
	struct vfio_device_low_power_entry_with_wakeup entry = {
		.wakeup_eventfd = events[3],
	};

	return vfio_feature_try(dev, VFIO_DEVICE_FEATURE_SET |
				VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
				&entry, sizeof(entry));
}

static int run_token(struct vfio_dev *dev)
{
	uint8_t uuid[16] = { 1, 2, 3, 4 };

	return vfio_feature_try(dev, VFIO_DEVICE_FEATURE_SET |
				VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, uuid,
				sizeof(uuid));
}

static void expect_msi_off(struct vfio_dev *dev, unsigned int cap_id, uint16_t enable)
{
	unsigned int cap = cfg_find_cap(dev, cap_id);

	if (cap)
		EXPECT_EQ(pci_config_read(dev->bdf, cap + PCI_MSI_FLAGS, 2) & enable, 0);
}

/* What failed has changed nothing. */
static void expect_undone(const struct call *call, struct vfio_dev *dev)
{
	if (call->start == start_closed) {
		EXPECT_EQ(pci_attr_number(dev->bdf, "enable"), 0);
		EXPECT_EQ(pci_attr_number(dev->bdf, "power/runtime_usage"), 0);
	} else if (call->start == start_open) {
		expect_msi_off(dev, PCI_CAP_ID_MSI, PCI_MSI_FLAGS_ENABLE);
		expect_msi_off(dev, PCI_CAP_ID_MSIX, PCI_MSIX_FLAGS_ENABLE);
	}
}

/* What may be said when memory or a user's page is not to be had. */
static bool reasonable(const struct call *call, int error)
{
	return error == ENOMEM || error == EFAULT || error == ENOSPC ||
	       (call->also && error == call->also);
}

/* true: the call came to its nth place, and that failed. */
static bool fail_once(const struct call *call, unsigned int nth)
{
	struct vfio_dev dev = { .bdf = lab_bdf(call->card), .fd = -1 };
	bool failed;
	int ret;

	call->start(&dev);
	inject_arm(nth);
	ret = call->run(&dev);
	failed = inject_disarm();

	if (ret && (!failed || call->once || !reasonable(call, errno)))
		FAIL("failure %u: %s", nth, strerror(errno));
	if (ret)
		expect_undone(call, &dev);
	if (ret && call->run(&dev))
		FAIL("after failure %u: %s", nth, strerror(errno));
	call->finish(&dev);
	/* What failed without a word may have left less than it seems. */
	if (!ret || nth % SAMPLE == 0)
		vfio_expect_works(dev.bdf);
	return failed;
}

#define run_hot_reset	vfio_hot_reset_try

#define CALL(title, device, before, call, after, ...)			\
	{								\
		.name = title,						\
		.card = device,						\
		.start = start_##before,				\
		.run = run_##call,					\
		.finish = after,					\
		__VA_ARGS__						\
	}
/* vfio.ko of 6.12 warns of a group that it could not finish. */
#define BIND(title, card)	CALL(title, card, unbound, bind, finish_bound,	\
				     .spare = "vfio_create_group")
#define UNBIND(title, card)	CALL(title, card, bound, unbind,		\
				     finish_unbound, .once = true)
#define OPEN(title, card)	CALL(title, card, closed, open, vfio_close)
#define WHEN(state, what, card, ...)					\
	CALL(#what, card, state, what, vfio_close, __VA_ARGS__)
/* Linux 6.12 warns when it removes files of an interrupt that it could not make. */
#define IRQ(state, what, card)	WHEN(state, what, card,			\
				     .spare = "register_irq_proc")
/* The PCI core calls a BAR busy when it has no memory to claim it. */
#define BAR(what, card)		WHEN(open, what, card, .also = EBUSY)

static const struct call calls[] = {
	BIND("bind-edu", "edu"),
	BIND("bind-igb", "igb"),
	BIND("bind-vga", "vga"),
	UNBIND("unbind-edu", "edu"),
	UNBIND("unbind-igb", "igb"),
	UNBIND("unbind-vga", "vga"),
	OPEN("open-edu", "edu"),
	OPEN("open-igb", "igb"),
	OPEN("open-nvme", "nvme"),
	OPEN("open-vga", "vga"),
	OPEN("open-bridge", "bridge"),
	CALL("close", "e1000e", busy, close, finish_closed, .once = true),
	WHEN(open, device_info, "igb"),
	WHEN(open, region_info, "igb"),
	WHEN(open, irq_info, "igb"),
	WHEN(open, hot_reset_info, "e1000e"),
	WHEN(open, hot_reset, "e1000e"),
	WHEN(open, reset, "e1000e"),
	BAR(bar_read, "e1000e"),
	WHEN(open, rom_read, "vga"),
	WHEN(open, config_read, "e1000e"),
	WHEN(open, config_write, "e1000e"),
	BAR(mmap, "e1000e"),
	BAR(ioeventfd, "e1000e"),
	IRQ(open, intx, "e1000e"),
	IRQ(open, msi, "edu"),
	IRQ(open, msix, "e1000e"),
	WHEN(open, err, "e1000e"),
	WHEN(open, req, "e1000e"),
	WHEN(intx, unmask_event, "e1000e"),
	IRQ(intx, intx_swap, "e1000e"),
	IRQ(msix, msix_more, "igb"),
	IRQ(msix, intx_after_msix, "e1000e"),
	WHEN(open, low_power, "e1000e"),
	WHEN(open, token, "igb"),
};

TEST_EACH_LIMIT(fails_cleanly, calls, SECONDS)
{
	unsigned int nth = 0, i;

	lab_bdf(it->card);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		events[i] = event_new();
	vfio_expect_works(lab_bdf(it->card));
	inject_setup(it->spare);

	while (++nth < LIMIT && fail_once(it, nth))
		;
	ASSERT(nth < LIMIT);
	test_note("%s: %u places", it->name, nth - 1);
}

/* Without this the other tests might pass because nothing ever fails. */
TEST(failures_are_injected)
{
	struct vfio_dev dev = { .bdf = lab_bdf("edu"), .fd = -1 };

	start_open(&dev);
	inject_setup(NULL);
	inject_arm(1);
	EXPECT_ERRNO(run_config_write(&dev), EFAULT);
	EXPECT(inject_disarm());
	vfio_close(&dev);

	start_unbound(&dev);
	inject_arm(1);
	EXPECT_ERRNO(run_bind(&dev), ENOMEM);
	EXPECT(inject_disarm());
}
