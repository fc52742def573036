// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets of a whole slot or bus, and the proof of ownership they need.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/mark.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define E1000_VET	0x38	/* VLAN Ether type, 0x8100 from reset */

struct info {
	struct vfio_pci_hot_reset_info head;
	struct vfio_pci_dependent_device devices[32];
};

struct request {
	struct vfio_pci_hot_reset head;
	int32_t fds[32];
};

static int info_try(struct vfio_dev *dev, struct info *info, unsigned int room)
{
	memset(info, 0xa5, sizeof(*info));
	info->head.argsz = sizeof(info->head) + room * sizeof(info->devices[0]);
	return ioctl(dev->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info);
}

static int reset_try(struct vfio_dev *dev, const int32_t *fds, unsigned int count)
{
	struct request request = { 0 };

	request.head.argsz = sizeof(request.head) + count * sizeof(*fds);
	request.head.count = count;
	if (fds)
		memcpy(request.fds, fds, count * sizeof(*fds));
	return ioctl(dev->fd, VFIO_DEVICE_PCI_HOT_RESET, &request);
}

/* Both functions of the card that has two. */
struct pair {
	struct vfio_dev first;
	char bdf[BDF_LEN];
};

static void pair_open(struct pair *pair)
{
	const char *bdf = lab_bdf("multi");

	lab_neighbour(pair->bdf, bdf, 0, 1);
	pci_bind(pair->bdf, "vfio-pci");
	vfio_open(&pair->first, bdf);
	cfg_command(&pair->first, PCI_COMMAND_MEMORY, 0);
}

TEST(info_lists_all_that_is_reset)
{
	unsigned int i, devfns = 0;
	struct pair pair;
	struct info info;

	pair_open(&pair);
	ASSERT_OK(info_try(&pair.first, &info, 32));
	EXPECT_EQ(info.head.flags, 0u);
	ASSERT_EQ(info.head.count, 2u);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(info.devices[i].group_id, pair.first.group.number);
		EXPECT_EQ(info.devices[i].segment, 0);
		EXPECT_EQ(info.devices[i].bus, strtoul(pair.bdf + 5, NULL, 16));
		devfns |= 1u << info.devices[i].devfn;
	}
	EXPECT_EQ(devfns, 3u);
	EXPECT_EQ(info.devices[2].group_id, 0xa5a5a5a5u);
	vfio_close(&pair.first);
}

TEST(info_of_exact_short_and_no_room)
{
	struct pair pair;
	struct info info;

	pair_open(&pair);
	EXPECT_OK(info_try(&pair.first, &info, 2));
	EXPECT_EQ(info.head.count, 2u);
	EXPECT_EQ(info.devices[2].group_id, 0xa5a5a5a5u);

	EXPECT_ERRNO(info_try(&pair.first, &info, 1), ENOSPC);
	EXPECT_EQ(info.head.count, 2u);
	EXPECT_EQ(info.devices[0].group_id, 0xa5a5a5a5u);
	EXPECT_ERRNO(info_try(&pair.first, &info, 0), ENOSPC);
	EXPECT_EQ(info.head.count, 2u);

	info.head.argsz = sizeof(info.head) - 1;
	EXPECT_ERRNO(ioctl(pair.first.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
			   &info), EINVAL);
	EXPECT_ERRNO(ioctl(pair.first.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
			   NULL), EFAULT);
	vfio_close(&pair.first);
}

/* Any number may stand there: it is not memory that the user promised. */
TEST(info_with_garbage_for_a_size)
{
	struct pair pair;
	struct info info;

	pair_open(&pair);
	memset(&info, 0, sizeof(info));
	info.head.argsz = UINT32_MAX;
	EXPECT_OK(ioctl(pair.first.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	EXPECT_EQ(info.head.count, 2u);
	vfio_close(&pair.first);
}

TEST_LIMIT(reset_resets_both, 60)
{
	struct vfio_dev second;
	struct pair pair;

	pair_open(&pair);
	vfio_open_in(&second, &pair.first.group, pair.bdf);
	mark_leave(&pair.first);
	mark_leave(&second);
	ASSERT_OK(reset_try(&pair.first, &pair.first.group.fd, 1));
	EXPECT(!mark_there(&pair.first));
	EXPECT(!mark_there(&second));
	vfio_close(&second);
	vfio_close(&pair.first);
}

/* Mappings are taken away for the reset, not for good. */
TEST_LIMIT(mappings_survive_a_reset, 60)
{
	struct vfio_dev second;
	struct pair pair;
	uint32_t val;
	uint8_t *map;

	pair_open(&pair);
	vfio_open_in(&second, &pair.first.group, pair.bdf);
	mark_leave(&second);
	map = bar_map(&second, 0, NULL);
	ASSERT(!load_faults(map + E1000_VET, &val));
	ASSERT_OK(reset_try(&pair.first, &pair.first.group.fd, 1));
	EXPECT(!load_faults(map + E1000_VET, &val));
	EXPECT_EQ(val, 0x8100u);
	vfio_close(&second);
	vfio_close(&pair.first);
}

TEST(reset_with_wrong_descriptors)
{
	struct vfio_group other;
	int32_t fds[32];
	struct pair pair;
	unsigned int i;

	pair_open(&pair);
	fds[0] = -1;
	EXPECT_ERRNO(reset_try(&pair.first, fds, 1), EBADF);
	fds[0] = 999;
	EXPECT_ERRNO(reset_try(&pair.first, fds, 1), EBADF);
	fds[0] = pair.first.fd;
	EXPECT_ERRNO(reset_try(&pair.first, fds, 1), EINVAL);
	fds[0] = pair.first.group.container;
	EXPECT_ERRNO(reset_try(&pair.first, fds, 1), EINVAL);
	fds[0] = event_new();
	EXPECT_ERRNO(reset_try(&pair.first, fds, 1), EINVAL);

	/* One good, one bad; and more than there are devices. */
	fds[0] = pair.first.group.fd;
	fds[1] = 999;
	EXPECT_ERRNO(reset_try(&pair.first, fds, 2), EBADF);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = pair.first.group.fd;
	EXPECT_ERRNO(reset_try(&pair.first, fds, 3), EINVAL);
	EXPECT_ERRNO(reset_try(&pair.first, fds, 32), EINVAL);
	EXPECT_ERRNO(reset_try(&pair.first, NULL, 0), EINVAL);

	/* A group, but not the one that is reset. */
	pci_bind(lab_bdf("edu"), "vfio-pci");
	vfio_group_open(&other, lab_bdf("edu"));
	EXPECT_ERRNO(reset_try(&pair.first, &other.fd, 1), EINVAL);
	vfio_group_close(&other);
	vfio_close(&pair.first);
}

TEST(reset_with_a_malformed_request)
{
	struct request request = { 0 };
	struct pair pair;

	pair_open(&pair);
	request.head.argsz = sizeof(request.head) - 1;
	request.head.count = 1;
	EXPECT_ERRNO(ioctl(pair.first.fd, VFIO_DEVICE_PCI_HOT_RESET, &request),
		     EINVAL);
	request.head.argsz = sizeof(request);
	request.head.flags = 1;
	request.fds[0] = pair.first.group.fd;
	EXPECT_ERRNO(ioctl(pair.first.fd, VFIO_DEVICE_PCI_HOT_RESET, &request),
		     EINVAL);
	request.head.flags = 0;
	request.head.count = UINT32_MAX;
	EXPECT_ERRNO(ioctl(pair.first.fd, VFIO_DEVICE_PCI_HOT_RESET, &request),
		     EINVAL);
	EXPECT_ERRNO(ioctl(pair.first.fd, VFIO_DEVICE_PCI_HOT_RESET, NULL), EFAULT);
	vfio_close(&pair.first);
}

/* A neighbour that no VFIO driver has could be anybody's. */
TEST(reset_of_a_neighbour_without_driver)
{
	struct pair pair;

	pair_open(&pair);
	pci_unbind(pair.bdf);
	EXPECT_ERRNO(reset_try(&pair.first, &pair.first.group.fd, 1), EINVAL);
	pci_bind(pair.bdf, "vfio-pci");
	EXPECT_OK(reset_try(&pair.first, &pair.first.group.fd, 1));
	vfio_close(&pair.first);
}

/* Closing the last of a set resets devices that cannot be on their own. */
TEST_LIMIT(last_close_resets_the_set, 60)
{
	const char *bdf = lab_bdf("bridge");
	char other[BDF_LEN];
	struct vfio_dev dev;

	pci_bind(bdf, "vfio-pci");
	lab_neighbour(other, bdf, 2, 0);
	vfio_open(&dev, other);
	EXPECT(!(dev.info.flags & VFIO_DEVICE_FLAGS_RESET));
	mark_leave(&dev);
	vfio_close(&dev);

	vfio_open(&dev, other);
	EXPECT(!mark_there(&dev));
	vfio_close(&dev);
}

/* As long as one is open, the set is somebody's: nothing is reset under it. */
TEST_LIMIT(close_of_one_leaves_the_others_alone, 60)
{
	const char *bdf = lab_bdf("bridge");
	struct vfio_dev first, second;
	char other[BDF_LEN];

	lab_neighbour(other, bdf, 2, 0);
	vfio_open(&second, other);
	mark_leave(&second);
	vfio_open_in(&first, &second.group, bdf);
	vfio_close(&first);
	EXPECT(mark_there(&second));
	vfio_close(&second);
}

/* Behind a bridge: the slot of a conventional bus is no unit, the bus is. */
TEST_LIMIT(reset_of_a_conventional_bus, 60)
{
	const char *bdf = lab_bdf("bridge");
	char other[BDF_LEN];
	struct vfio_dev dev;
	struct info info;

	lab_neighbour(other, bdf, 2, 0);
	pci_bind(other, "vfio-pci");
	vfio_open(&dev, bdf);
	ASSERT_OK(info_try(&dev, &info, 32));
	EXPECT_EQ(info.head.count, 2u);
	EXPECT_OK(reset_try(&dev, &dev.group.fd, 1));
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(region_get(&dev, 0, 0, 4) & 0xff, 0xedu);
	vfio_close(&dev);
}

static void expect_power(const char *bdf, const char *status, const char *state)
{
	char text[32];

	pci_expect_status(bdf, status);
	ASSERT_EQ(pci_attr_read(bdf, "power_state", text, sizeof(text)), 0);
	EXPECT_STREQ(text, state);
}

static void low_power(struct vfio_dev *dev, uint32_t feature)
{
	ASSERT_OK(vfio_feature_try(dev, VFIO_DEVICE_FEATURE_SET | feature, NULL, 0));
}

/* Its user put it to sleep: it is woken for the reset, and goes on sleeping. */
TEST_LIMIT(reset_with_a_neighbour_in_low_power, 60)
{
	struct vfio_dev second;
	struct pair pair;

	pair_open(&pair);
	vfio_open_in(&second, &pair.first.group, pair.bdf);
	mark_leave(&second);
	low_power(&second, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY);
	expect_power(pair.bdf, "suspended", "D3hot");
	ASSERT_OK(reset_try(&pair.first, &pair.first.group.fd, 1));
	expect_power(pair.bdf, "suspended", "D3hot");
	low_power(&second, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT);
	expect_power(pair.bdf, "active", "D0");
	EXPECT_EQ(pci_attr_number(pair.bdf, "power/runtime_usage"), 1u);
	EXPECT(!mark_there(&second));
	vfio_close(&second);
	vfio_close(&pair.first);
}

/*
 * "disable_idle_d3" of the one that is reset says nothing of its neighbour, which
 * sleeps because nobody uses it.
 */
TEST_LIMIT(reset_with_a_neighbour_that_is_idle, 60)
{
	const char *param = "/sys/module/vfio_pci/parameters/disable_idle_d3";
	struct pair pair;

	pci_unbind(lab_bdf("multi"));
	ASSERT_EQ(file_write(param, "Y"), 0);
	pci_bind(lab_bdf("multi"), "vfio-pci");
	ASSERT_EQ(file_write(param, "N"), 0);
	lab_neighbour(pair.bdf, lab_bdf("multi"), 0, 1);
	pci_unbind(pair.bdf);
	pair_open(&pair);
	expect_power(pair.bdf, "suspended", "D3hot");
	ASSERT_OK(reset_try(&pair.first, &pair.first.group.fd, 1));
	expect_power(pair.bdf, "suspended", "D3hot");
	expect_power(pair.first.bdf, "active", "D0");
	vfio_close(&pair.first);
	pci_unbind(lab_bdf("multi"));
}
