// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices opened by themselves, with an iommufd in place of group and container:
 * access only once bound, all of the device after that, and hot reset by
 * identities instead of group descriptors.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/cdev.h"
#include "lib/edu.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define IOVA		0x100000
#define UNKNOWN_FLAG	0x80000000u

struct card {
	const char *name;
};

static const struct card cards[] = {
	{ "edu" }, { "e1000e" }, { "igb" }, { "nvme" }, { "testdev" }, { "vga" },
};

/* ---- opening -------------------------------------------------------------- */

TEST_EACH(opens, cards)
{
	int iommufd = iommufd_open();
	struct vfio_dev dev;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		cdev_open(&dev, lab_bdf(it->name));
		EXPECT_NE(cdev_bind(&dev, iommufd), 0u);
		EXPECT_OK(cdev_attach_try(&dev, iommufd_space(iommufd)));
		EXPECT(dev.info.flags & VFIO_DEVICE_FLAGS_PCI);
		EXPECT_EQ(cfg_get16(&dev, PCI_VENDOR_ID),
			  pci_config_read(dev.bdf, PCI_VENDOR_ID, 2));
		vfio_close(&dev);
	}
}

/* Before it is bound, a device lets nobody in. */
TEST(unbound_device_is_shut)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int iommufd = iommufd_open();
	struct vfio_dev dev;
	uint32_t val;

	cdev_open(&dev, lab_bdf("edu"));
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_INFO, &info), EINVAL);
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_RESET), EINVAL);
	EXPECT_ERRNO(pread(dev.fd, &val, 4, 7ULL << 40), EINVAL);
	EXPECT(mmap(NULL, 4096, PROT_READ, MAP_SHARED, dev.fd, 0) == MAP_FAILED);
	cdev_bind(&dev, iommufd);
	EXPECT_ERRNO(cdev_bind_try(&dev, iommufd), EINVAL);
	vfio_close(&dev);
}

TEST(bind_refuses_nonsense)
{
	struct cdev_bind bind = { .argsz = sizeof(bind) };
	int iommufd = iommufd_open();
	struct vfio_dev dev;

	cdev_open(&dev, lab_bdf("edu"));
	EXPECT_ERRNO(cdev_bind_try(&dev, -1), EINVAL);
	EXPECT_ERRNO(cdev_bind_try(&dev, 1000), EBADF);
	EXPECT_ERRNO(cdev_bind_try(&dev, event_new()), EBADFD);
	bind.iommufd = iommufd;
	bind.flags = UNKNOWN_FLAG;
	EXPECT_ERRNO(ioctl(dev.fd, CDEV_BIND, &bind), EINVAL);
	bind.flags = 0;
	bind.argsz = sizeof(bind) - 1;
	EXPECT_ERRNO(ioctl(dev.fd, CDEV_BIND, &bind), EINVAL);

	/* None of these left anything behind. */
	cdev_bind(&dev, iommufd);
	vfio_close(&dev);
}

/* A function without SR-IOV has no token to set; a PF has one, write-only. */
TEST(tokens)
{
	uint8_t uuid[16] = { 0xaa, 0xbb };
	const uint32_t set = VFIO_DEVICE_FEATURE_SET |
			     VFIO_DEVICE_FEATURE_PCI_VF_TOKEN;
	const uint32_t get = VFIO_DEVICE_FEATURE_GET |
			     VFIO_DEVICE_FEATURE_PCI_VF_TOKEN;
	int iommufd = iommufd_open();
	struct vfio_dev edu, igb;

	cdev_open(&edu, lab_bdf("edu"));
	cdev_bind(&edu, iommufd);
	EXPECT_ERRNO(vfio_feature_try(&edu, set, uuid, sizeof(uuid)), ENOTTY);
	vfio_close(&edu);

	cdev_open(&igb, lab_bdf("igb"));
	cdev_bind(&igb, iommufd);
	EXPECT_OK(vfio_feature_try(&igb, set, uuid, sizeof(uuid)));
	EXPECT_ERRNO(vfio_feature_try(&igb, set, uuid, sizeof(uuid) - 1), EINVAL);
	EXPECT_ERRNO(vfio_feature_try(&igb, get, uuid, sizeof(uuid)), EINVAL);
	vfio_close(&igb);
}

/* Whoever came by the group keeps out who comes by the device, and back. */
TEST(group_and_device_exclude_each_other)
{
	const char *bdf = lab_bdf("edu");
	int iommufd = iommufd_open();
	struct vfio_dev by_group, by_device;

	vfio_open(&by_group, bdf);
	cdev_open(&by_device, bdf);
	EXPECT_ERRNO(cdev_bind_try(&by_device, iommufd), EBUSY);
	vfio_close(&by_group);

	cdev_bind(&by_device, iommufd);
	vfio_close(&by_device);
	vfio_open(&by_group, bdf);
	EXPECT_NE(edu_get(&by_group, EDU_ID), 0u);
	vfio_close(&by_group);
}

/* ---- using it ------------------------------------------------------------- */

static void open_edu(struct vfio_dev *dev, int iommufd)
{
	cdev_open(dev, lab_bdf("edu"));
	cdev_bind(dev, iommufd);
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	edu_ack(dev);
}

static const struct irq_kind {
	const char *name;
	uint32_t index;
} kinds[] = {
	{ "intx", VFIO_PCI_INTX_IRQ_INDEX },
	{ "msi", VFIO_PCI_MSI_IRQ_INDEX },
};

TEST_EACH(interrupts_arrive, kinds)
{
	int iommufd = iommufd_open();
	struct vfio_dev dev;
	int event;

	open_edu(&dev, iommufd);
	ASSERT_OK(cdev_attach_try(&dev, iommufd_space(iommufd)));
	event = event_new();
	irq_enable(&dev, it->index, 0, 1, &event);
	edu_raise(&dev);
	EXPECT_EQ(event_wait(event, 2000), 1);
	edu_ack(&dev);
	vfio_close(&dev);
}

static void edu_copy(struct vfio_dev *dev, uint64_t src, uint64_t dst,
		     uint32_t command)
{
	unsigned int tries = test_patience(500);

	region_put(dev, VFIO_PCI_BAR0_REGION_INDEX, EDU_DMA_SRC, 8, src);
	region_put(dev, VFIO_PCI_BAR0_REGION_INDEX, EDU_DMA_DST, 8, dst);
	region_put(dev, VFIO_PCI_BAR0_REGION_INDEX, EDU_DMA_COUNT, 8, 256);
	region_put(dev, VFIO_PCI_BAR0_REGION_INDEX, EDU_DMA_CMD, 8,
		   command | EDU_DMA_START);
	while (edu_get(dev, EDU_DMA_CMD) & EDU_DMA_START && tries--)
		usleep(10000);
}

TEST(dma_reaches_mapped_memory)
{
	int iommufd = iommufd_open();
	uint8_t *memory = dma_alloc(8192);
	struct vfio_dev dev;
	uint32_t space;

	memset(memory, 0x5a, 256);
	open_edu(&dev, iommufd);
	space = iommufd_space(iommufd);
	ASSERT_OK(cdev_attach_try(&dev, space));
	iommufd_map(iommufd, space, memory, IOVA, 8192);
	edu_copy(&dev, IOVA, EDU_BUFFER, 0);
	edu_copy(&dev, EDU_BUFFER, IOVA + 4096, EDU_DMA_TO_RAM);
	EXPECT_MEMEQ(memory + 4096, memory, 256);
	vfio_close(&dev);
}

TEST(address_spaces_are_checked)
{
	int iommufd = iommufd_open();
	struct vfio_dev dev;
	uint32_t space;

	open_edu(&dev, iommufd);
	space = iommufd_space(iommufd);
	EXPECT_ERRNO(cdev_attach_try(&dev, 0xffff), ENOENT);
	EXPECT_OK(cdev_attach_try(&dev, space));
	EXPECT_OK(cdev_attach_try(&dev, iommufd_space(iommufd)));
	cdev_detach(&dev);
	EXPECT_OK(cdev_attach_try(&dev, space));
	vfio_close(&dev);
}

/* ---- hot reset: two functions that only reset together --------------------- */

struct hot_info {
	struct vfio_pci_hot_reset_info hdr;
	struct vfio_pci_dependent_device devices[8];
};

static struct hot_info hot_info(struct vfio_dev *dev)
{
	struct hot_info info = { .hdr.argsz = sizeof(info) };

	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	EXPECT_EQ(info.hdr.count, 2);
	return info;
}

/* The identity of function @fn, which shares its storage with the group's. */
static uint32_t identity(const struct hot_info *info, unsigned int fn)
{
	unsigned int i;

	for (i = 0; i < info->hdr.count; i++) {
		if ((info->devices[i].devfn & 7) == fn)
			return info->devices[i].group_id;
	}
	FAIL("function %u is not listed", fn);
	return 0;
}

static int hot_reset_try(struct vfio_dev *dev, unsigned int count, int fd)
{
	struct {
		struct vfio_pci_hot_reset hdr;
		int32_t fds[1];
	} reset = {
		.hdr.argsz = sizeof(reset),
		.hdr.count = count,
		.fds = { fd },
	};

	return ioctl(dev->fd, VFIO_DEVICE_PCI_HOT_RESET, &reset);
}

struct pair {
	char bdf[2][BDF_LEN];
	struct vfio_dev dev[2];
};

/* Both functions bound to vfio-pci, the first one opened. */
static uint32_t pair_open(struct pair *pair, int iommufd)
{
	const char *bdf = lab_bdf("multi");

	lab_neighbour(pair->bdf[0], bdf, 0, 0);
	lab_neighbour(pair->bdf[1], bdf, 0, 1);
	pci_bind(pair->bdf[1], "vfio-pci");
	cdev_open(&pair->dev[0], pair->bdf[0]);
	return cdev_bind(&pair->dev[0], iommufd);
}

/* A register of the network card in which a reset shows: VLAN Ether Type. */
#define VET		0x38
#define VET_AFTER_RESET	0x8100

static uint32_t vet(struct vfio_dev *dev)
{
	cfg_command(dev, PCI_COMMAND_MEMORY, 0);
	return region_get(dev, VFIO_PCI_BAR0_REGION_INDEX, VET, 4);
}

static void set_vet(struct vfio_dev *dev)
{
	cfg_command(dev, PCI_COMMAND_MEMORY, 0);
	region_put(dev, VFIO_PCI_BAR0_REGION_INDEX, VET, 4, 0x1234);
	EXPECT_EQ(vet(dev), 0x1234);
}

TEST(hot_reset_of_two_opened_functions)
{
	int iommufd = iommufd_open();
	struct hot_info info;
	uint32_t devid[2];
	struct pair pair;

	devid[0] = pair_open(&pair, iommufd);
	cdev_open(&pair.dev[1], pair.bdf[1]);
	devid[1] = cdev_bind(&pair.dev[1], iommufd);

	info = hot_info(&pair.dev[0]);
	EXPECT_EQ(info.hdr.flags, HOT_DEV_ID | HOT_OWNED);
	EXPECT_EQ(identity(&info, 0), devid[0]);
	EXPECT_EQ(identity(&info, 1), devid[1]);

	set_vet(&pair.dev[0]);
	set_vet(&pair.dev[1]);
	EXPECT_OK(hot_reset_try(&pair.dev[0], 0, -1));
	EXPECT_EQ(vet(&pair.dev[0]), VET_AFTER_RESET);
	EXPECT_EQ(vet(&pair.dev[1]), VET_AFTER_RESET);
	vfio_close(&pair.dev[1]);
	vfio_close(&pair.dev[0]);
}

/* Its neighbour is not opened, but nobody else can get at it: same group. */
TEST(hot_reset_with_neighbour_in_the_group)
{
	int iommufd = iommufd_open();
	struct hot_info info;
	struct pair pair;
	uint32_t devid;

	devid = pair_open(&pair, iommufd);
	info = hot_info(&pair.dev[0]);
	EXPECT_EQ(info.hdr.flags, HOT_DEV_ID | HOT_OWNED);
	EXPECT_EQ(identity(&info, 0), devid);
	EXPECT_EQ(identity(&info, 1), DEVID_OWNED);
	EXPECT_OK(hot_reset_try(&pair.dev[0], 0, -1));
	vfio_close(&pair.dev[0]);
}

TEST(hot_reset_needs_neighbour_bound)
{
	int iommufd = iommufd_open();
	struct hot_info info;
	struct pair pair;

	pair_open(&pair, iommufd);
	pci_unbind(pair.bdf[1]);
	info = hot_info(&pair.dev[0]);
	EXPECT_EQ(info.hdr.flags, HOT_DEV_ID);
	EXPECT_EQ(identity(&info, 1), DEVID_NOT_OWNED);
	EXPECT_ERRNO(hot_reset_try(&pair.dev[0], 0, -1), EINVAL);
	vfio_close(&pair.dev[0]);
}

/* Groups are the proof of who opened a group; who opened a device has none. */
TEST(hot_reset_takes_one_kind_of_proof)
{
	int iommufd = iommufd_open();
	struct vfio_dev by_group;
	struct pair pair;

	pair_open(&pair, iommufd);
	EXPECT_ERRNO(hot_reset_try(&pair.dev[0], 1, -1), EINVAL);
	EXPECT_ERRNO(hot_reset_try(&pair.dev[0], 1, iommufd), EINVAL);
	vfio_close(&pair.dev[0]);

	vfio_open(&by_group, lab_bdf("e1000e"));
	EXPECT_ERRNO(hot_reset_try(&by_group, 0, -1), EINVAL);
	EXPECT_OK(hot_reset_try(&by_group, 1, by_group.group.fd));
	vfio_close(&by_group);
}

/* A device in another user's iommufd is that user's. */
TEST(hot_reset_respects_other_iommufd)
{
	int mine = iommufd_open(), other = iommufd_open();
	struct vfio_dev edu, bridged;
	char neighbour[BDF_LEN];
	struct hot_info info;

	/* One reset domain and one group: the kernel keeps the other one out. */
	lab_neighbour(neighbour, lab_bdf("bridge"), 2, 0);
	cdev_open(&edu, lab_bdf("bridge"));
	cdev_bind(&edu, mine);
	cdev_open(&bridged, neighbour);
	EXPECT(cdev_bind_try(&bridged, other) < 0);
	info = hot_info(&edu);
	EXPECT_EQ(info.hdr.flags, HOT_DEV_ID | HOT_OWNED);
	EXPECT_OK(hot_reset_try(&edu, 0, -1));
	vfio_close(&bridged);
	vfio_close(&edu);
}
