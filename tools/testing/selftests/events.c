// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two notifications, ERR and REQ: tried out, signalled for real, and what is
 * left of the device after a bus error.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/edu.h"
#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define ERR	VFIO_PCI_ERR_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER

/* Virtio 1.0, 4.1.4.3: in BAR 4 of QEMU's devices; keeps what is written. */
#define VIRTIO_BAR		VFIO_PCI_BAR4_REGION_INDEX
#define VIRTIO_FEATURE_SELECT	0

struct event {
	const char *name;
	uint32_t index;
};

static const struct event events[] = {
	{ "ERR", VFIO_PCI_ERR_IRQ_INDEX },
	{ "REQ", VFIO_PCI_REQ_IRQ_INDEX },
};

TEST_EACH(loopback, events)
{
	int32_t fd = event_new(), other = event_new(), none = -1;
	uint8_t yes = 1, no = 0;
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("e1000e"));
	EXPECT_ERRNO(irq_action_try(&dev, it->index, TRIGGER, 0, 1), EINVAL);
	EXPECT_ERRNO(irq_action_try(&dev, it->index, TRIGGER, 0, 0), EINVAL);
	irq_enable(&dev, it->index, 0, 1, &fd);
	irq_trigger(&dev, it->index, 0);
	EXPECT_EQ(event_wait(fd, 500), 1);
	EXPECT_OK(irq_set_try(&dev, it->index, VFIO_IRQ_SET_DATA_BOOL | TRIGGER,
			      0, 1, &yes, 1));
	EXPECT_EQ(event_wait(fd, 500), 1);
	EXPECT_OK(irq_set_try(&dev, it->index, VFIO_IRQ_SET_DATA_BOOL | TRIGGER,
			      0, 1, &no, 1));
	EXPECT_EQ(event_total(fd), 0);

	irq_enable(&dev, it->index, 0, 1, &other);
	irq_trigger(&dev, it->index, 0);
	EXPECT_EQ(event_wait(other, 500), 1);
	EXPECT_EQ(event_total(fd), 0);

	/* There are two ways to take it away. */
	irq_enable(&dev, it->index, 0, 1, &none);
	EXPECT_ERRNO(irq_action_try(&dev, it->index, TRIGGER, 0, 1), EINVAL);
	irq_enable(&dev, it->index, 0, 1, &fd);
	EXPECT_OK(irq_action_try(&dev, it->index, TRIGGER, 0, 0));
	EXPECT_ERRNO(irq_action_try(&dev, it->index, TRIGGER, 0, 1), EINVAL);
	EXPECT_EQ(event_total(fd) + event_total(other), 0);
	vfio_close(&dev);
}

TEST_EACH(gone_after_close, events)
{
	int32_t fd = event_new();
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("e1000e"));
	irq_enable(&dev, it->index, 0, 1, &fd);
	vfio_close(&dev);
	vfio_open(&dev, lab_bdf("e1000e"));
	EXPECT_ERRNO(irq_action_try(&dev, it->index, TRIGGER, 0, 1), EINVAL);
	vfio_close(&dev);
	EXPECT_EQ(event_total(fd), 0);
}

/* They go with any kind of interrupt, and with a reset. */
TEST(independent_of_interrupts)
{
	int32_t err = event_new(), req = event_new(), fd = event_new();
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("e1000e"));
	irq_enable(&dev, ERR, 0, 1, &err);
	irq_enable(&dev, REQ, 0, 1, &req);
	irq_enable(&dev, MSIX, 0, 1, &fd);
	irq_disable(&dev, MSIX);
	vfio_reset(&dev);
	irq_trigger(&dev, ERR, 0);
	EXPECT_EQ(event_wait(err, 500), 1);
	irq_trigger(&dev, REQ, 0);
	EXPECT_EQ(event_wait(req, 500), 1);
	EXPECT_EQ(event_total(fd), 0);
	vfio_close(&dev);
}

/* No PCI Express, no errors to report: but as an index it is there. */
TEST(conventional_device_has_no_err)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = ERR };
	int32_t fd = event_new();
	struct vfio_dev dev;

	edu_open(&dev, "bridge");
	EXPECT_ERRNO(irq_eventfds_try(&dev, ERR, 0, 1, &fd), EINVAL);
	irq_enable(&dev, REQ, 0, 1, &fd);
	irq_trigger(&dev, REQ, 0);
	EXPECT_EQ(event_wait(fd, 500), 1);
	vfio_close(&dev);
}

/* ---- errors on the bus, by QEMU's pcie_aer_inject_error ------------------- */

/**
 * struct bus_error - what to inject
 * @name:	of the test
 * @code:	name that QEMU has for it
 * @fatal:	the port resets the link to recover
 */
struct bus_error {
	const char *name;
	const char *code;
	bool fatal;
};

static const struct bus_error bus_errors[] = {
	{ "nonfatal", "COMP_TIME", false },
	{ "fatal", "MALF_TLP", true },
};

/* Let the device report what it finds; a reset puts an end to it. */
static void report_errors(struct vfio_dev *dev)
{
	unsigned int exp;
	uint16_t devctl;

	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	exp = cfg_find_cap(dev, PCI_CAP_ID_EXP);
	devctl = cfg_get16(dev, exp + PCI_EXP_DEVCTL);
	cfg_put16(dev, exp + PCI_EXP_DEVCTL, devctl | PCI_EXP_DEVCTL_CERE |
		  PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE);
}

static void open_reporting(struct vfio_dev *dev)
{
	vfio_open(dev, lab_bdf("rng"));
	report_errors(dev);
}

static void inject(const char *code)
{
	char command[80];
	const char *answer;

	snprintf(command, sizeof(command), "pcie_aer_inject_error rng %s",
		 code);
	answer = lab_monitor(command);
	if (!strstr(answer, "OK id"))
		FAIL("QEMU says %s", answer);
}

/* The kernel is through when it says so, one way or the other. */
static void wait_for_recovery(void)
{
	unsigned int tries = test_patience(100);

	while (tries-- && !kmsg_has("device recovery"))
		usleep(100000);
	EXPECT(kmsg_has("device recovery successful"));
}

/* Registers answer, interrupts arrive, and it can be reset and used on. */
static void expect_usable(struct vfio_dev *dev)
{
	int32_t fd = event_new();

	vfio_reset(dev);
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	region_put(dev, VIRTIO_BAR, VIRTIO_FEATURE_SELECT, 4, 0x55667788);
	EXPECT_EQ(region_get(dev, VIRTIO_BAR, VIRTIO_FEATURE_SELECT, 4),
		  0x55667788);
	irq_enable(dev, MSIX, 0, 1, &fd);
	irq_trigger(dev, MSIX, 0);
	EXPECT_EQ(event_wait(fd, 500), 1);
	irq_disable(dev, MSIX);
}

TEST_EACH_LIMIT(aer_reaches_the_user, bus_errors, 60)
{
	int32_t err = event_new(), req = event_new();
	struct vfio_dev dev;

	open_reporting(&dev);
	irq_enable(&dev, ERR, 0, 1, &err);
	irq_enable(&dev, REQ, 0, 1, &req);
	inject(it->code);
	EXPECT_EQ(event_wait(err, 10000), 1);
	wait_for_recovery();
	EXPECT_EQ(event_total(err), 0);
	EXPECT_EQ(event_total(req), 0);
	expect_usable(&dev);
	vfio_close(&dev);

	vfio_open(&dev, lab_bdf("rng"));
	expect_usable(&dev);
	vfio_close(&dev);
}

/* What the device held is the user's, and only a link that was reset loses it. */
TEST_LIMIT(aer_nonfatal_leaves_the_device_alone, 60)
{
	int32_t err = event_new();
	struct vfio_dev dev;

	open_reporting(&dev);
	irq_enable(&dev, ERR, 0, 1, &err);
	region_put(&dev, VIRTIO_BAR, VIRTIO_FEATURE_SELECT, 4, 0x1234);
	inject("COMP_TIME");
	EXPECT_EQ(event_wait(err, 10000), 1);
	wait_for_recovery();
	EXPECT_EQ(region_get(&dev, VIRTIO_BAR, VIRTIO_FEATURE_SELECT, 4),
		  0x1234);
	vfio_close(&dev);
}

/*
 * The link's reset takes addresses and decoding away; who maps the BAR must find
 * the device, not what answers instead.
 *
 * Fails on the distribution's 6.12.117: the BARs read 0 afterwards.
 */
TEST_LIMIT(aer_fatal_brings_config_space_back, 60)
{
	uint32_t bars[2], mask = PCI_COMMAND_MEMORY;
	int32_t err = event_new();
	struct vfio_dev dev;

	if (lab_stock())
		SKIP("the distribution's module leaves the device without addresses");
	open_reporting(&dev);
	bars[0] = pci_config_read(dev.bdf, PCI_BASE_ADDRESS_1, 4);
	bars[1] = pci_config_read(dev.bdf, PCI_BASE_ADDRESS_4, 4);
	irq_enable(&dev, ERR, 0, 1, &err);
	inject("MALF_TLP");
	EXPECT_EQ(event_wait(err, 10000), 1);
	wait_for_recovery();
	EXPECT_EQ(pci_config_read(dev.bdf, PCI_BASE_ADDRESS_1, 4), bars[0]);
	EXPECT_EQ(pci_config_read(dev.bdf, PCI_BASE_ADDRESS_4, 4), bars[1]);
	EXPECT_EQ(pci_config_read(dev.bdf, PCI_COMMAND, 2) & mask, mask);
	region_put(&dev, VIRTIO_BAR, VIRTIO_FEATURE_SELECT, 4, 0x99);
	EXPECT_EQ(region_get(&dev, VIRTIO_BAR, VIRTIO_FEATURE_SELECT, 4),
		  0x99);
	vfio_close(&dev);
}

/* Nobody listens: it must only not do harm. */
TEST_EACH_LIMIT(aer_without_listener, bus_errors, 60)
{
	struct vfio_dev dev;

	open_reporting(&dev);
	inject(it->code);
	wait_for_recovery();
	expect_usable(&dev);
	vfio_close(&dev);
}

/*
 * Recovery wakes all devices below the port with pci_bus_sem held, which a hot
 * reset takes below memory_lock. If waking up takes that, lockdep tells: on the
 * distribution's module as well, where it has lockdep.
 */
TEST_LIMIT(aer_wakes_from_low_power, 60)
{
	struct vfio_device_low_power_entry_with_wakeup entry;
	int32_t err = event_new(), wake = event_new();
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("rng"));
	ASSERT_OK(vfio_hot_reset_try(&dev));
	report_errors(&dev);
	irq_enable(&dev, ERR, 0, 1, &err);
	entry.wakeup_eventfd = wake;
	ASSERT_OK(vfio_feature_try(&dev, VFIO_DEVICE_FEATURE_SET |
				   VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
				   &entry, sizeof(entry)));
	pci_expect_status(dev.bdf, "suspended");

	inject("COMP_TIME");
	EXPECT_EQ(event_wait(wake, 10000), 1);
	EXPECT_EQ(event_wait(err, 10000), 1);
	wait_for_recovery();
	pci_expect_status(dev.bdf, "active");
	expect_usable(&dev);
	vfio_close(&dev);
}
