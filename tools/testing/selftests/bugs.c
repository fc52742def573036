// SPDX-License-Identifier: GPL-2.0-only
/*
 * Defects of earlier vfio-pci drivers, each under a name of its own. What they
 * do to the distribution's 6.12.117 is said at each; where that could harm the
 * machine, or fails for certain, the test does not run there.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/mark.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define PARAMETERS	"/sys/module/vfio_pci/parameters/"

static void not_on_stock(const char *why)
{
	if (lab_stock())
		SKIP("%s", why);
}

/*
 * Fails on the distribution's 6.12.117: the index of the region is computed
 * with sign, so that negative ones pass as BARs. -1 is accepted, others make the
 * kernel read outside the device's structure, and it dies of a page fault.
 */
TEST(ioeventfd_at_a_negative_region_is_refused)
{
	struct vfio_device_ioeventfd io = { .argsz = sizeof(io) };
	struct vfio_dev dev;
	uint64_t index;

	not_on_stock("looks up negative regions, and crashes");
	vfio_open(&dev, lab_bdf("edu"));
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	io.flags = VFIO_DEVICE_IOEVENTFD_32;
	io.fd = event_new();
	for (index = 1; index < 1u << 23; index = index * 2 + 1) {
		io.offset = -index << 40;
		EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_IOEVENTFD, &io), EINVAL);
		io.offset = (-index << 40) + 0x60;
		EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_IOEVENTFD, &io), EINVAL);
		io.offset = 1ull << 63 | index;
		EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_IOEVENTFD, &io), EINVAL);
	}
	io.offset = 0;
	EXPECT_OK(ioctl(dev.fd, VFIO_DEVICE_IOEVENTFD, &io));
	vfio_close(&dev);
}

/*
 * PCI 3.0, 6.8.1.3: how many vectors a function is capable of is read-only.
 * Fails on the distribution's 6.12.117: what the user writes there stays.
 */
TEST(msi_capable_count_is_not_writable)
{
	struct vfio_dev dev;
	unsigned int msi;
	uint16_t was;

	not_on_stock("lets the user write MMC");
	vfio_open(&dev, lab_bdf("e1000e"));
	msi = cfg_find_cap(&dev, PCI_CAP_ID_MSI);
	ASSERT(msi);
	was = cfg_get16(&dev, msi + PCI_MSI_FLAGS);
	cfg_put16(&dev, msi + PCI_MSI_FLAGS,
		  was ^ (PCI_MSI_FLAGS_QMASK | PCI_MSI_FLAGS_64BIT |
			 PCI_MSI_FLAGS_MASKBIT));
	EXPECT_EQ(cfg_get16(&dev, msi + PCI_MSI_FLAGS), was);
	cfg_put8(&dev, msi + PCI_MSI_FLAGS, ~was & ~PCI_MSI_FLAGS_ENABLE);
	EXPECT_EQ(cfg_get8(&dev, msi + PCI_MSI_FLAGS) & ~PCI_MSI_FLAGS_QSIZE,
		  was & 0xff & ~PCI_MSI_FLAGS_QSIZE);
	vfio_close(&dev);
}

/*
 * The capable count is to be patched into the flags when they are read, and into
 * nothing else: a driver that computes the position wrongly hits the ID. One
 * vector sets no bit there, so this passes on the distribution's 6.12.117.
 */
TEST(msi_read_leaves_the_capability_id)
{
	int32_t event = event_new();
	struct vfio_dev dev;
	unsigned int msi, i;

	vfio_open(&dev, lab_bdf("e1000e"));
	msi = cfg_find_cap(&dev, PCI_CAP_ID_MSI);
	ASSERT(msi);
	irq_enable(&dev, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &event);
	for (i = 0; i < 4; i++) {
		cfg_get16(&dev, msi + PCI_MSI_FLAGS);
		cfg_get32(&dev, msi);
		EXPECT_EQ(cfg_get8(&dev, msi), PCI_CAP_ID_MSI);
	}
	EXPECT_EQ(cfg_find_cap(&dev, PCI_CAP_ID_MSI), msi);
	vfio_close(&dev);
}

/* As many vectors as were enabled is as many as the guest may be given. */
TEST(msi_enabled_count_is_clamped)
{
	int32_t event = event_new();
	struct vfio_dev dev;
	unsigned int msi;

	vfio_open(&dev, lab_bdf("edu"));
	msi = cfg_find_cap(&dev, PCI_CAP_ID_MSI);
	ASSERT(msi);
	irq_enable(&dev, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &event);
	cfg_put16(&dev, msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE |
		  PCI_MSI_FLAGS_QSIZE);
	EXPECT_EQ(cfg_get16(&dev, msi + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_QSIZE, 0);
	EXPECT_EQ(pci_config_read(dev.bdf, msi + PCI_MSI_FLAGS, 2) &
		  PCI_MSI_FLAGS_QSIZE, 0u);
	vfio_close(&dev);
}

/*
 * A read that runs into bad memory has read what it has read: the registers
 * that clear on read have cleared. Fails on the distribution's 6.12.117, which
 * answers -EFAULT for all of it.
 */
TEST(partial_progress_is_reported)
{
	struct vfio_dev dev;
	uint8_t *pages;

	not_on_stock("answers EFAULT for what was done as well");
	pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(pages != MAP_FAILED);
	ASSERT_OK(munmap(pages + 4096, 4096));
	vfio_open(&dev, lab_bdf("ivshmem"));
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	region_put(&dev, 2, 0, 8, 0x0123456789abcdefull);
	EXPECT_EQ(region_read_try(&dev, 2, 0, pages, 8192), 4096);
	EXPECT_EQ(*(uint64_t *)pages, 0x0123456789abcdefull);
	memset(pages, 0x5a, 4096);
	EXPECT_EQ(region_write_try(&dev, 2, 0, pages, 8192), 4096);
	EXPECT_EQ(region_get(&dev, 2, 4088, 8), 0x5a5a5a5a5a5a5a5aull);
	EXPECT_ERRNO(region_read_try(&dev, 2, 0, pages + 4096, 64), EFAULT);
	vfio_close(&dev);
}

/* The function may be asleep when its user asks for a reset by register. */
TEST(flr_by_config_from_d3)
{
	unsigned int exp, pm;
	struct vfio_dev dev;
	uint32_t val;

	vfio_open(&dev, lab_bdf("igb"));
	exp = cfg_find_cap(&dev, PCI_CAP_ID_EXP);
	pm = cfg_find_cap(&dev, PCI_CAP_ID_PM);
	ASSERT(exp && pm);
	mark_leave(&dev);
	cfg_put16(&dev, pm + PCI_PM_CTRL, 3);
	ASSERT_EQ(cfg_get16(&dev, pm + PCI_PM_CTRL) & 3, 3);
	cfg_put16(&dev, exp + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_EQ(cfg_get16(&dev, pm + PCI_PM_CTRL) & 3, 0);
	EXPECT_EQ(pci_config_read(dev.bdf, pm + PCI_PM_CTRL, 2) & 3, 0u);
	EXPECT(!mark_there(&dev));
	EXPECT_EQ(region_read_try(&dev, 0, 0, &val, 4), 4);
	vfio_close(&dev);
}

/* The state saved on the way to sleep must be there only once. */
TEST_LIMIT(cve_2022_49219_d3_and_reset_in_a_loop, 60)
{
	unsigned int pm, i;
	struct vfio_dev dev;
	uint32_t val;

	vfio_open(&dev, lab_bdf("e1000e"));
	pm = cfg_find_cap(&dev, PCI_CAP_ID_PM);
	ASSERT(pm);
	for (i = 0; i < 20 * test_soak(); i++) {
		cfg_put16(&dev, pm + PCI_PM_CTRL, 3);
		vfio_reset(&dev);
		EXPECT_EQ(cfg_get16(&dev, pm + PCI_PM_CTRL) & 3, 0);
	}
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(region_read_try(&dev, 0, 0, &val, 4), 4);
	vfio_close(&dev);
}

static void idle_d3(const char *value)
{
	ASSERT_EQ(file_write(PARAMETERS "disable_idle_d3", value), 0);
}

static bool sleeps(const char *bdf)
{
	char text[32] = "";
	unsigned int polls;

	for (polls = 0; polls < test_patience(50); polls++) {
		pci_attr_read(bdf, "power/runtime_status", text, sizeof(text));
		if (!strcmp(text, "suspended"))
			return true;
		usleep(10000);
	}
	return false;
}

/*
 * A parameter is a default for devices yet to be bound. Fails on the
 * distribution's 6.12.117: it shows what was written, and looked at it once.
 */
TEST(disable_idle_d3_counts_from_the_next_bind)
{
	const char *bdf = lab_bdf("e1000e");

	not_on_stock("takes the parameter once, when the module loads");
	pci_bind(bdf, "vfio-pci");
	EXPECT(sleeps(bdf));
	idle_d3("Y");
	EXPECT(sleeps(bdf));
	pci_unbind(bdf);
	pci_bind(bdf, "vfio-pci");
	EXPECT(!sleeps(bdf));
	idle_d3("N");
	EXPECT(!sleeps(bdf));
	pci_unbind(bdf);
	pci_bind(bdf, "vfio-pci");
	EXPECT(sleeps(bdf));
}

/* Policy that changes between get and put must not unbalance the count. */
TEST(cve_2026_64476_idle_d3_changes_while_open)
{
	const char *bdf = lab_bdf("e1000e");
	struct vfio_dev dev;
	unsigned int i;

	pci_unbind(bdf);
	idle_d3("N");
	for (i = 0; i < 3; i++) {
		vfio_open(&dev, bdf);
		idle_d3("Y");
		vfio_close(&dev);
		idle_d3("N");
		EXPECT(sleeps(bdf));
		idle_d3("Y");
		pci_unbind(bdf);
		idle_d3("N");
	}
	pci_bind(bdf, "vfio-pci");
	EXPECT(sleeps(bdf));
	vfio_open(&dev, bdf);
	EXPECT_EQ(pci_config_read(bdf, PCI_VENDOR_ID, 2), 0x8086u);
	vfio_close(&dev);
	EXPECT(sleeps(bdf));
}

/*
 * A device without a reset of its own is reset by the port above it, which has
 * to be locked for that: the kernel warns otherwise, and this test sees it.
 */
TEST_LIMIT(close_resets_behind_a_port_without_warning, 60)
{
	struct vfio_dev dev;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		vfio_open(&dev, lab_bdf("testdev"));
		cfg_command(&dev, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, 0);
		vfio_close(&dev);
	}
	EXPECT_NE(pci_config_read(lab_bdf("testdev"), PCI_VENDOR_ID, 2), 0xffffu);
	EXPECT(!kmsg_has("unlocked secondary bus reset"));
}

/*
 * A user's reset through the device's own back door takes the BARs with it.
 * On COMMAND the driver notices, and writes them back.
 */
TEST(bars_lost_behind_our_back_come_back)
{
	struct vfio_dev dev;
	uint32_t bar;

	vfio_open(&dev, lab_bdf("edu"));
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	bar = pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0, 4);
	pci_config_write(dev.bdf, PCI_COMMAND, 2, 0);
	pci_config_write(dev.bdf, PCI_BASE_ADDRESS_0, 4, 0);
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0, 4), bar);
	EXPECT_EQ(region_get(&dev, 0, 0, 4) & 0xff, 0xedu);
	vfio_close(&dev);
}
