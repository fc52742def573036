// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening, closing, resetting, binding and unloading, in every order.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/calls.h"
#include "lib/lab.h"
#include "lib/mark.h"
#include "lib/race.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX

struct card {
	const char *name;
	unsigned int times;
};

static const struct card cards[] = {
	{ "edu", 100 }, { "e1000e", 10 }, { "igb", 10 }, { "nvme", 10 },
	{ "ivshmem", 100 }, { "vga", 20 },
};

static const struct card resettable[] = {
	{ "igb", 0 }, { "nvme", 0 }, { "testdev", 0 },
};

TEST_EACH(reset_resets, resettable)
{
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	ASSERT(dev.info.flags & VFIO_DEVICE_FLAGS_RESET);
	EXPECT(!mark_there(&dev));
	mark_leave(&dev);
	vfio_reset(&dev);
	EXPECT(!mark_there(&dev));
	vfio_close(&dev);
}

/* What a user left in the device is gone when the next one opens it. */
TEST_EACH(close_resets, resettable)
{
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	mark_leave(&dev);
	vfio_close(&dev);

	vfio_open(&dev, lab_bdf(it->name));
	EXPECT(!mark_there(&dev));
	vfio_close(&dev);
}

TEST(reset_without_a_way_is_refused)
{
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("bridge"));
	if (dev.info.flags & VFIO_DEVICE_FLAGS_RESET)
		SKIP("this device can be reset on its own");
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_RESET), EINVAL);
	vfio_close(&dev);
}

/* The header as the user and as the hardware has it. */
struct state {
	uint8_t user[64];
	uint8_t real[64];
	char runtime[32];
};

static void state_read(struct vfio_dev *dev, struct state *state)
{
	unsigned int pos;

	memset(state, 0, sizeof(*state));
	ASSERT_EQ(region_read_try(dev, CONFIG, 0, state->user, 64), 64);
	for (pos = 0; pos < 64; pos++)
		state->real[pos] = pci_config_read(dev->bdf, pos, 1);
	pci_attr_read(dev->bdf, "power/runtime_usage", state->runtime,
		      sizeof(state->runtime));
}

static void open_and_spoil(struct vfio_dev *dev, const char *bdf)
{
	vfio_open(dev, bdf);
	cfg_put8(dev, PCI_INTERRUPT_LINE, 0x77);
	cfg_put32(dev, PCI_BASE_ADDRESS_0, 0xfff00000);
	cfg_command(dev, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE,
		    PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	vfio_close(dev);
}

TEST_EACH_LIMIT(reopened_device_is_as_new, cards, 180)
{
	const char *bdf = lab_bdf(it->name);
	struct state first, now;
	struct vfio_dev dev;
	unsigned int i;

	vfio_open(&dev, bdf);
	state_read(&dev, &first);
	vfio_close(&dev);
	for (i = 0; i < it->times; i++)
		open_and_spoil(&dev, bdf);
	vfio_open(&dev, bdf);
	state_read(&dev, &now);
	EXPECT_MEMEQ(now.user, first.user, sizeof(now.user));
	EXPECT_MEMEQ(now.real, first.real, sizeof(now.real));
	EXPECT_STREQ(now.runtime, first.runtime);
	vfio_close(&dev);
}

/* A closed device must not be able to write to memory. */
TEST_EACH(closed_device_is_no_bus_master, cards)
{
	const char *bdf = lab_bdf(it->name);
	struct vfio_dev dev;

	vfio_open(&dev, bdf);
	EXPECT_EQ(cfg_get16(&dev, PCI_COMMAND) & PCI_COMMAND_MASTER, 0);
	cfg_command(&dev, PCI_COMMAND_MASTER, 0);
	vfio_close(&dev);
	EXPECT_EQ(pci_config_read(bdf, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0u);
}

/* A child without the descriptors of its parent, which would keep devices open. */
static pid_t fork_bare(void)
{
	pid_t pid = fork();

	ASSERT_OK(pid);
	if (!pid)
		close_range(3, ~0u, 0);
	return pid;
}

/* A process that unbinds @bdf; that takes until the device is closed. */
static pid_t start_unbind(const char *bdf)
{
	pid_t pid = fork_bare();

	if (!pid)
		_exit(pci_attr_write(bdf, "driver/unbind", bdf) ? 1 : 0);
	return pid;
}

static const struct card unbound[] = { { "edu", 0 }, { "e1000e", 0 },
				       { "nvme", 0 } };

TEST_EACH_LIMIT(unbind_waits_for_close, unbound, 60)
{
	int32_t event = event_new();
	struct vfio_dev dev;
	int status;
	pid_t pid;

	vfio_open(&dev, lab_bdf(it->name));
	irq_enable(&dev, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, &event);
	EXPECT_EQ(event_wait(event, 50), 0u);
	pid = start_unbind(dev.bdf);
	EXPECT_GE(event_wait(event, 5000), 1u);
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	/* Until then it works as ever. */
	EXPECT_NE(cfg_get16(&dev, PCI_VENDOR_ID), 0xffff);

	vfio_close(&dev);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT(pci_driver_is(dev.bdf, ""));
	pci_bind(dev.bdf, "vfio-pci");
	vfio_open(&dev, dev.bdf);
	vfio_close(&dev);
}

TEST_LIMIT(unbind_without_request_event, 60)
{
	struct vfio_dev dev;
	int status;
	pid_t pid;

	vfio_open(&dev, lab_bdf("edu"));
	pid = start_unbind(dev.bdf);
	test_pause(300);
	EXPECT_EQ(waitpid(pid, &status, WNOHANG), 0);
	vfio_close(&dev);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	pci_bind(dev.bdf, "vfio-pci");
}

/* The group is one user's; the device may be opened twice by that user. */
TEST(group_has_one_user)
{
	struct vfio_dev dev, second;
	char path[64];

	vfio_open(&dev, lab_bdf("edu"));
	snprintf(path, sizeof(path), "/dev/vfio/%u", dev.group.number);
	EXPECT_ERRNO(open(path, O_RDWR | O_CLOEXEC), EBUSY);

	vfio_open_in(&second, &dev.group, dev.bdf);
	cfg_command(&second, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(region_get(&dev, 0, 0, 4), region_get(&second, 0, 0, 4));
	vfio_close(&second);
	/* The first still has what it had. */
	EXPECT_EQ(region_get(&dev, 0, 0, 4) & 0xff, 0xedu);
	cfg_put8(&dev, PCI_INTERRUPT_LINE, 0x42);
	EXPECT_EQ(cfg_get8(&dev, PCI_INTERRUPT_LINE), 0x42);
	vfio_close(&dev);
}

TEST(names_that_mean_no_device)
{
	static const char *const suffixes[] = {
		" ", "  ", " vf_token=", " vf_token=0-0", " token=1", ".", "0",
		" vf_token=00000000-0000-0000-0000-000000000000",
	};
	struct vfio_group group;
	const char *bdf = lab_bdf("edu");
	char name[128];
	size_t i;
	int fd;

	pci_bind(bdf, "vfio-pci");
	vfio_group_open(&group, bdf);
	EXPECT_ERRNO(vfio_fd_try(&group, ""), ENODEV);
	EXPECT_ERRNO(vfio_fd_try(&group, "0000:01:00"), ENODEV);
	EXPECT_ERRNO(vfio_fd_try(&group, "0000:ff:1f.7"), ENODEV);
	for (i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", bdf, suffixes[i]);
		fd = vfio_fd_try(&group, name);
		test_note("'%s': %s", suffixes[i], fd < 0 ? strerror(errno) : "ok");
		if (i < 2) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		EXPECT_EQ(fd, -1);
		EXPECT_EQ(errno, i == 5 || i == 6 ? ENODEV : EINVAL);
	}
	vfio_group_close(&group);
}

static void open_and_close(void *arg)
{
	struct vfio_dev *dev = arg;

	vfio_open(dev, dev->bdf);
	vfio_close(dev);
}

/* "Parallelize device open and release": their buses are reset side by side. */
TEST_LIMIT(devices_of_two_buses_open_in_parallel, 60)
{
	struct vfio_dev edu = { .bdf = lab_bdf("edu") };
	struct vfio_dev testdev = { .bdf = lab_bdf("testdev") };
	struct race race = { 0 };
	struct calls resets;

	pci_bind(edu.bdf, "vfio-pci");
	pci_bind(testdev.bdf, "vfio-pci");
	calls_watch("__pci_reset_function_locked");
	race_add(&race, "edu", open_and_close, &edu);
	race_add(&race, "testdev", open_and_close, &testdev);
	race_run(&race, 2000);
	resets = calls_seen();
	EXPECT_GE(resets.count, 2u);
	EXPECT_EQ(resets.at_once, 2u);
}

/* Somebody resets the function all the time: its lock is often taken. */
static pid_t start_resetting(const char *bdf)
{
	pid_t pid = fork_bare();

	while (!pid)
		pci_attr_write(bdf, "reset", "1");
	return pid;
}

TEST_LIMIT(open_that_fails_leaves_the_device_alone, 90)
{
	const char *bdf = lab_bdf("nvme");
	unsigned int i, failed = 0;
	struct state before, after;
	struct vfio_dev dev;
	pid_t pid;
	int fd;

	vfio_open(&dev, bdf);
	state_read(&dev, &before);
	vfio_close(&dev);

	vfio_group_open(&dev.group, bdf);
	pid = start_resetting(bdf);
	for (i = 0; i < 60 && failed < 5; i++) {
		fd = vfio_fd_try(&dev.group, bdf);
		if (fd >= 0) {
			close(fd);
			continue;
		}
		EXPECT_EQ(errno, EAGAIN);
		failed++;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	vfio_group_close(&dev.group);
	test_note("%u of %u refused", failed, i);
	if (!failed)
		SKIP("the lock was never taken at the right time");

	vfio_open(&dev, bdf);
	state_read(&dev, &after);
	EXPECT_MEMEQ(after.user, before.user, sizeof(after.user));
	EXPECT_MEMEQ(after.real, before.real, sizeof(after.real));
	EXPECT_STREQ(after.runtime, before.runtime);
	vfio_close(&dev);
}

/* First megabyte of the disk, read by the host's own driver. */
static void disk_read(uint8_t *data, size_t len)
{
	unsigned int tries = test_patience(100);
	int fd;

	while (access("/dev/nvme0n1", F_OK) && tries--)
		usleep(50000);
	fd = open("/dev/nvme0n1", O_RDONLY | O_CLOEXEC);
	ASSERT_OK(fd);
	ASSERT_EQ(pread(fd, data, len, 0), (ssize_t)len);
	close(fd);
}

static void disk_write(const uint8_t *data, size_t len)
{
	int fd = open("/dev/nvme0n1", O_WRONLY | O_SYNC | O_CLOEXEC);

	ASSERT_OK(fd);
	ASSERT_EQ(pwrite(fd, data, len, 0), (ssize_t)len);
	close(fd);
}

TEST_LIMIT(nvme_goes_to_its_own_driver_and_back, 90)
{
	const char *bdf = lab_bdf("nvme");
	uint8_t data[4096], seen[4096];
	struct vfio_dev dev;
	unsigned int i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 31 + (i >> 8);
	ASSERT_EQ(module_load("nvme", NULL), 0);
	pci_bind(bdf, "nvme");
	disk_read(seen, sizeof(seen));
	disk_write(data, sizeof(data));

	vfio_open(&dev, bdf);
	mark_leave(&dev);
	vfio_close(&dev);

	pci_bind(bdf, "nvme");
	disk_read(seen, sizeof(seen));
	EXPECT_MEMEQ(seen, data, sizeof(data));
	pci_bind(bdf, "vfio-pci");
	EXPECT_EQ(module_unload("nvme"), 0);
}

TEST_LIMIT(e1000e_goes_to_its_own_driver_and_back, 60)
{
	const char *bdf = lab_bdf("e1000e");
	struct vfio_dev dev;
	char mac[32] = "";

	vfio_open(&dev, bdf);
	vfio_close(&dev);
	ASSERT_EQ(module_load("e1000e", NULL), 0);
	pci_bind(bdf, "e1000e");
	EXPECT_EQ(lab_command("cat /sys/bus/pci/devices/%s/net/*/address > /tmp/mac",
			      bdf), 0);
	file_read("/tmp/mac", mac, sizeof(mac));
	EXPECT_STREQ(mac, "52:54:00:00:00:02");
	EXPECT_EQ(lab_command("ip link set $(ls /sys/bus/pci/devices/%s/net) up",
			      bdf), 0);
	pci_bind(bdf, "vfio-pci");
	EXPECT_EQ(module_unload("e1000e"), 0);
	vfio_open(&dev, bdf);
	vfio_close(&dev);
}

TEST(module_stays_while_a_device_is_open)
{
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("edu"));
	EXPECT_NE(module_unload("vfio_pci"), 0);
	EXPECT_NE(module_unload("vfio_pci_core"), 0);
	EXPECT(module_loaded("vfio_pci"));
	EXPECT_EQ(cfg_get16(&dev, PCI_VENDOR_ID), 0x1234);
	vfio_close(&dev);
}

TEST_LIMIT(module_goes_and_comes_back, 60)
{
	const char *bdf = lab_bdf("edu");
	struct vfio_dev dev;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		pci_bind(bdf, "vfio-pci");
		ASSERT_EQ(module_unload("vfio_pci"), 0);
		EXPECT(pci_driver_is(bdf, ""));
		ASSERT_EQ(module_unload("vfio_pci_core"), 0);
		EXPECT(!module_loaded("vfio_pci_core"));
		ASSERT_EQ(module_load("vfio-pci", NULL), 0);
	}
	vfio_open(&dev, bdf);
	vfio_close(&dev);
}
