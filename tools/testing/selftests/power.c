// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE and power: what the low-power features promise, and what
 * power states do to a device and its references.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/edu.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define GET	VFIO_DEVICE_FEATURE_GET
#define SET	VFIO_DEVICE_FEATURE_SET
#define PROBE	VFIO_DEVICE_FEATURE_PROBE
#define TOKEN	VFIO_DEVICE_FEATURE_PCI_VF_TOKEN
#define ENTRY	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
#define WAKEUP	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
#define EXIT	VFIO_DEVICE_FEATURE_LOW_POWER_EXIT
#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX

#define E1000E_RDBAH	0x2804	/* a register that keeps what is written */

static void open_e1000e(struct vfio_dev *dev)
{
	vfio_open(dev, lab_bdf("e1000e"));
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
}

/* ---- the frame ------------------------------------------------------------ */

struct frame {
	const char *name;
	uint32_t flags;
	uint32_t len;
	int want;
};

static const struct frame frames[] = {
	{ "probe entry", PROBE | ENTRY, 0, 0 },
	{ "probe entry to set", PROBE | SET | ENTRY, 0, 0 },
	{ "probe entry to get", PROBE | GET | ENTRY, 0, EINVAL },
	{ "probe entry to do both", PROBE | GET | SET | ENTRY, 0, EINVAL },
	{ "probe wakeup", PROBE | WAKEUP, 0, 0 },
	{ "probe wakeup to set", PROBE | SET | WAKEUP, 8, 0 },
	{ "probe exit", PROBE | EXIT, 0, 0 },
	{ "probe exit to set", PROBE | SET | EXIT, 0, 0 },
	{ "get entry", GET | ENTRY, 0, EINVAL },
	{ "get wakeup", GET | WAKEUP, 8, EINVAL },
	{ "get exit", GET | EXIT, 0, EINVAL },
	{ "wakeup too short", SET | WAKEUP, 4, EINVAL },
	{ "wakeup without data", SET | WAKEUP, 0, EINVAL },
	{ "both without probe", GET | SET | ENTRY, 0, EINVAL },
	{ "no operation", ENTRY, 0, EINVAL },
	{ "unknown flag", 1u << 19 | SET | ENTRY, 0, EINVAL },
	{ "feature 10", SET | 10, 8, ENOTTY },
	{ "probe feature 13", PROBE | 13, 0, ENOTTY },
	{ "probe feature 0xffff", PROBE | 0xffff, 0, ENOTTY },
	{ "migration", PROBE | VFIO_DEVICE_FEATURE_MIGRATION, 0, ENOTTY },
	{ "token of what has no VFs", SET | TOKEN, 16, ENOTTY },
	{ "probe token of what has no VFs", PROBE | TOKEN, 0, ENOTTY },
};

TEST_EACH(feature, frames)
{
	uint8_t data[16] = { 0 };
	struct vfio_dev dev;

	open_e1000e(&dev);
	EXPECT_ERRNO(vfio_feature_try(&dev, it->flags, data, it->len), it->want);
	/* Neither a question nor a mistake puts it to sleep. */
	EXPECT(!load_faults(bar_map(&dev, BAR0, NULL), NULL));
	vfio_close(&dev);
}

TEST(feature_argsz_short)
{
	struct vfio_device_feature arg = { .argsz = 4, .flags = PROBE | ENTRY };
	struct vfio_dev dev;

	open_e1000e(&dev);
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_FEATURE, &arg), EINVAL);
	arg.argsz = 0;
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_FEATURE, &arg), EINVAL);
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_FEATURE, NULL), EFAULT);
	vfio_close(&dev);
}

/* ---- low power ------------------------------------------------------------ */

static void low_power_entry(struct vfio_dev *dev)
{
	ASSERT_OK(vfio_feature_try(dev, SET | ENTRY, NULL, 0));
}

static void low_power_exit(struct vfio_dev *dev)
{
	ASSERT_OK(vfio_feature_try(dev, SET | EXIT, NULL, 0));
}

static int wakeup_try(struct vfio_dev *dev, int32_t fd)
{
	struct vfio_device_low_power_entry_with_wakeup arg = {
		.wakeup_eventfd = fd,
	};

	return vfio_feature_try(dev, SET | WAKEUP, &arg, sizeof(arg));
}

TEST(low_power_suspends_and_comes_back)
{
	struct vfio_dev dev;
	unsigned int i;

	open_e1000e(&dev);
	pci_expect_status(dev.bdf, "active");
	for (i = 0; i < 3; i++) {
		low_power_entry(&dev);
		pci_expect_status(dev.bdf, "suspended");
		low_power_exit(&dev);
		pci_expect_status(dev.bdf, "active");
	}
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	region_put(&dev, BAR0, E1000E_RDBAH, 4, 0x31);
	EXPECT_EQ(region_get(&dev, BAR0, E1000E_RDBAH, 4), 0x31);
	vfio_close(&dev);
}

TEST(low_power_takes_mappings_away)
{
	struct vfio_dev dev;
	uint32_t val;
	void *bar;

	open_e1000e(&dev);
	bar = bar_map(&dev, BAR0, NULL);
	ASSERT(!load_faults(bar, &val));
	low_power_entry(&dev);
	EXPECT(load_faults(bar, &val));
	EXPECT(store_faults(bar, 0));
	/* Not even by a mapping made now, nor while an ioctl keeps it awake. */
	EXPECT(load_faults(bar_map(&dev, BAR0, NULL), &val));
	low_power_exit(&dev);
	EXPECT(!load_faults(bar, &val));
	vfio_close(&dev);
}

TEST(low_power_wakes_for_an_access)
{
	struct vfio_dev dev;

	open_e1000e(&dev);
	low_power_entry(&dev);
	pci_expect_status(dev.bdf, "suspended");
	EXPECT_EQ(vfio_irq(&dev, MSIX).count, 5);
	EXPECT_EQ(cfg_get16(&dev, PCI_VENDOR_ID), 0x8086);
	pci_expect_status(dev.bdf, "suspended");
	EXPECT_EQ(region_get(&dev, BAR0, 0, 4) + 1 == 0, 0);
	pci_expect_status(dev.bdf, "suspended");
	low_power_exit(&dev);
	pci_expect_status(dev.bdf, "active");
	vfio_close(&dev);
}

TEST(low_power_twice)
{
	int32_t fd = event_new();
	struct vfio_dev dev;

	open_e1000e(&dev);
	low_power_exit(&dev);
	low_power_entry(&dev);
	EXPECT_ERRNO(vfio_feature_try(&dev, SET | ENTRY, NULL, 0), EINVAL);
	EXPECT_ERRNO(wakeup_try(&dev, fd), EINVAL);
	low_power_exit(&dev);
	low_power_exit(&dev);
	low_power_entry(&dev);
	low_power_exit(&dev);
	pci_expect_status(dev.bdf, "active");
	EXPECT_EQ(event_total(fd), 0);
	vfio_close(&dev);
}

/* The first access ends the low power, and the user hears of it. */
TEST(low_power_wakeup)
{
	int32_t fd = event_new();
	struct vfio_dev dev;
	uint32_t val;
	void *bar;

	open_e1000e(&dev);
	bar = bar_map(&dev, BAR0, NULL);
	ASSERT_OK(wakeup_try(&dev, fd));
	pci_expect_status(dev.bdf, "suspended");
	EXPECT_EQ(event_total(fd), 0);
	EXPECT(load_faults(bar, &val));
	EXPECT_EQ(event_total(fd), 0);

	EXPECT_EQ(cfg_get16(&dev, PCI_VENDOR_ID), 0x8086);
	EXPECT_EQ(event_wait(fd, 1000), 1);
	pci_expect_status(dev.bdf, "active");
	EXPECT(!load_faults(bar, &val));

	ASSERT_OK(wakeup_try(&dev, fd));
	pci_expect_status(dev.bdf, "suspended");
	low_power_exit(&dev);
	pci_expect_status(dev.bdf, "active");
	vfio_close(&dev);
}

TEST(low_power_wakeup_eventfd)
{
	struct vfio_dev dev;

	open_e1000e(&dev);
	EXPECT_ERRNO(wakeup_try(&dev, -1), EINVAL);
	EXPECT_ERRNO(wakeup_try(&dev, 9999), EBADF);
	EXPECT_ERRNO(wakeup_try(&dev, STDOUT_FILENO), EINVAL);
	EXPECT(!load_faults(bar_map(&dev, BAR0, NULL), NULL));
	pci_expect_status(dev.bdf, "active");
	vfio_close(&dev);
}

/* A wakeup asked for once and never again: not kept beyond the exit. */
TEST(low_power_wakeup_forgotten_at_exit)
{
	int32_t fd = event_new();
	struct vfio_dev dev;

	open_e1000e(&dev);
	ASSERT_OK(wakeup_try(&dev, fd));
	pci_expect_status(dev.bdf, "suspended");
	low_power_exit(&dev);
	event_total(fd);
	low_power_entry(&dev);
	pci_expect_status(dev.bdf, "suspended");
	cfg_get16(&dev, PCI_VENDOR_ID);
	EXPECT_EQ(event_total(fd), 0);
	pci_expect_status(dev.bdf, "suspended");
	low_power_exit(&dev);
	vfio_close(&dev);
}

TEST(low_power_at_close)
{
	int32_t fd = event_new();
	struct vfio_dev dev;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		open_e1000e(&dev);
		if (i & 1)
			ASSERT_OK(wakeup_try(&dev, fd));
		else
			low_power_entry(&dev);
		pci_expect_status(dev.bdf, "suspended");
		vfio_close(&dev);
		EXPECT_EQ(pci_attr_number(lab_bdf("e1000e"),
					  "power/runtime_usage"), 0);
		pci_expect_status(lab_bdf("e1000e"), "suspended");
	}
	open_e1000e(&dev);
	EXPECT(!load_faults(bar_map(&dev, BAR0, NULL), NULL));
	vfio_close(&dev);
}

/* The interrupt set up before must be as good after. */
TEST(low_power_keeps_interrupts)
{
	int32_t fd = event_new();
	struct vfio_dev dev;
	unsigned int i;

	edu_open(&dev, "edu");
	irq_enable(&dev, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &fd);
	edu_raise(&dev);
	EXPECT_EQ(event_wait(fd, 500), 1);
	edu_ack(&dev);
	intx_unmask(&dev);
	event_total(fd);
	for (i = 0; i < 2; i++) {
		low_power_entry(&dev);
		pci_expect_status(dev.bdf, "suspended");
		low_power_exit(&dev);
		cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
		edu_raise(&dev);
		EXPECT_EQ(event_wait(fd, 500), 1);
		edu_ack(&dev);
		intx_unmask(&dev);
		event_total(fd);
	}
	vfio_close(&dev);
}

/* ---- power states --------------------------------------------------------- */

static void power_state(struct vfio_dev *dev, unsigned int state)
{
	unsigned int pm = cfg_find_cap(dev, PCI_CAP_ID_PM);

	ASSERT(pm);
	cfg_put16(dev, pm + PCI_PM_CTRL, state);
	EXPECT_EQ(cfg_get16(dev, pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK,
		  state);
	EXPECT_EQ(pci_config_read(dev->bdf, pm + PCI_PM_CTRL, 2) &
		  PCI_PM_CTRL_STATE_MASK, state);
}

TEST(d3_takes_mappings_away)
{
	struct vfio_dev dev;
	uint32_t val;
	void *bar;

	open_e1000e(&dev);
	bar = bar_map(&dev, BAR0, NULL);
	ASSERT(!load_faults(bar, &val));
	power_state(&dev, 3);
	EXPECT(load_faults(bar, &val));
	EXPECT_ERRNO(region_read_try(&dev, BAR0, 0, &val, 4), EIO);
	EXPECT_ERRNO(region_write_try(&dev, BAR0, 0, &val, 4), EIO);
	power_state(&dev, 0);
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	EXPECT(!load_faults(bar, &val));
	vfio_close(&dev);
}

/*
 * Without No_Soft_Reset the device comes back from D3hot as from a reset; what
 * stood in config space is the user's and has to be there again. QEMU's devices
 * forget nothing, so past the driver they are made to.
 */
static void forget(const char *bdf)
{
	pci_config_write(bdf, PCI_CACHE_LINE_SIZE, 1, 0);
	pci_config_write(bdf, PCI_BASE_ADDRESS_0, 4, 0);
	pci_config_write(bdf, PCI_COMMAND, 2, 0);
}

TEST(state_without_no_soft_reset_is_restored)
{
	unsigned int pm, exp, i;
	uint16_t devctl;
	struct vfio_dev dev;
	int32_t fds[5];

	open_e1000e(&dev);
	pm = cfg_find_cap(&dev, PCI_CAP_ID_PM);
	exp = cfg_find_cap(&dev, PCI_CAP_ID_EXP);
	ASSERT_EQ(cfg_get16(&dev, pm + PCI_PM_CTRL) & PCI_PM_CTRL_NO_SOFT_RESET, 0);
	for (i = 0; i < 5; i++)
		fds[i] = event_new();
	irq_enable(&dev, MSIX, 0, 5, fds);
	cfg_put8(&dev, PCI_CACHE_LINE_SIZE, 0x20);
	devctl = cfg_get16(&dev, exp + PCI_EXP_DEVCTL);
	for (i = 0; i < 3; i++) {
		power_state(&dev, 3);
		forget(dev.bdf);
		power_state(&dev, 0);
		EXPECT_EQ(cfg_get8(&dev, PCI_CACHE_LINE_SIZE), 0x20);
		EXPECT_EQ(cfg_get16(&dev, exp + PCI_EXP_DEVCTL), devctl);
		EXPECT(pci_config_read(dev.bdf, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
		EXPECT_EQ(pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0, 4) & ~15u,
			  pci_resource(dev.bdf, 0).start);
		irq_trigger(&dev, MSIX, 4);
		EXPECT_EQ(event_wait(fds[4], 500), 1);
	}
	region_put(&dev, BAR0, E1000E_RDBAH, 4, 0x15);
	EXPECT_EQ(region_get(&dev, BAR0, E1000E_RDBAH, 4), 0x15);
	vfio_close(&dev);
}

TEST(closed_in_d3_opens_in_d0)
{
	struct vfio_dev dev;
	unsigned int i;
	size_t len;
	void *bar;

	for (i = 0; i < 2; i++) {
		open_e1000e(&dev);
		bar = bar_map(&dev, BAR0, &len);
		EXPECT(!load_faults(bar, NULL));
		power_state(&dev, 3);
		/* A mapping would keep the device open. */
		munmap(bar, len);
		vfio_close(&dev);
		pci_expect_status(lab_bdf("e1000e"), "suspended");
	}
}

struct sleeper {
	const char *name;
	const char *power_state;
};

/* edu has no power management: it counts as asleep and stays in D0. */
static const struct sleeper sleepers[] = {
	{ "e1000e", "D3hot" },
	{ "nvme", "D3hot" },
	{ "edu", NULL },
};

TEST_EACH_LIMIT(idle_device_sleeps, sleepers, 60)
{
	const char *bdf = lab_bdf(it->name);
	struct vfio_dev dev;
	char state[32];
	unsigned int i;

	pci_bind(bdf, "vfio-pci");
	for (i = 0; i < 2; i++) {
		pci_expect_status(bdf, "suspended");
		EXPECT_EQ(pci_attr_read(bdf, "power_state", state, sizeof(state)), 0);
		if (it->power_state)
			EXPECT_STREQ(state, it->power_state);
		vfio_open(&dev, bdf);
		pci_expect_status(bdf, "active");
		EXPECT_EQ(pci_attr_number(bdf, "power/runtime_usage"), 1);
		vfio_close(&dev);
	}
	pci_unbind(bdf);
	pci_expect_status(bdf, "active");
	pci_bind(bdf, "vfio-pci");
	pci_expect_status(bdf, "suspended");
}
