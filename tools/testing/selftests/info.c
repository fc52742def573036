// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device tells about itself, and how the ioctls that tell it take argsz.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

/* All of these structures start with argsz and flags; index follows, if any. */
struct query {
	const char *name;
	unsigned int cmd;
	uint32_t minsz;
	uint32_t index;
	uint32_t size;
};

static const struct query queries[] = {
	{ "device", VFIO_DEVICE_GET_INFO,
	  offsetof(struct vfio_device_info, cap_offset), 0,
	  sizeof(struct vfio_device_info) },
	{ "region", VFIO_DEVICE_GET_REGION_INFO, sizeof(struct vfio_region_info),
	  VFIO_PCI_CONFIG_REGION_INDEX, sizeof(struct vfio_region_info) },
	{ "irq", VFIO_DEVICE_GET_IRQ_INFO, sizeof(struct vfio_irq_info),
	  VFIO_PCI_MSIX_IRQ_INDEX, sizeof(struct vfio_irq_info) },
};

struct function {
	const char *name;
	bool express;
	uint32_t intx;
	uint32_t msi;
	uint32_t msix;
};

static const struct function functions[] = {
	{ "edu", false, 1, 1, 0 },
	{ "e1000e", true, 1, 1, 5 },
	{ "igb", true, 1, 1, 10 },
	{ "nvme", true, 1, 0, 3 },
	{ "testdev", false, 0, 0, 0 },
	{ "ivshmem", false, 0, 0, 0 },
	{ "vga", false, 0, 0, 0 },
};

union answer {
	struct {
		uint32_t argsz;
		uint32_t flags;
		uint32_t index;
	};
	uint8_t bytes[4096];
};

static int ask(struct vfio_dev *dev, const struct query *it,
	       union answer *answer, uint32_t argsz)
{
	memset(answer, 0xa5, sizeof(*answer));
	answer->argsz = argsz;
	if (it->cmd != VFIO_DEVICE_GET_INFO)
		answer->index = it->index;
	return ioctl(dev->fd, it->cmd, answer);
}

/* Nothing may be written at or past @from. */
static void expect_untouched(const union answer *answer, size_t from)
{
	size_t i;

	for (i = from; i < sizeof(*answer); i++) {
		if (answer->bytes[i] == 0xa5)
			continue;
		FAIL("byte %zu was written", i);
	}
}

TEST_EACH(argsz_too_short_is_refused, queries)
{
	union answer answer;
	struct vfio_dev dev;
	uint32_t argsz;

	vfio_open(&dev, lab_bdf("e1000e"));
	for (argsz = 0; argsz < it->minsz; argsz++) {
		EXPECT_ERRNO(ask(&dev, it, &answer, argsz), EINVAL);
		expect_untouched(&answer, 12);
	}
	vfio_close(&dev);
}

TEST_EACH(argsz_bounds_what_is_written, queries)
{
	union answer answer;
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("e1000e"));
	ASSERT_OK(ask(&dev, it, &answer, it->minsz));
	expect_untouched(&answer, it->minsz);
	ASSERT_OK(ask(&dev, it, &answer, it->size));
	expect_untouched(&answer, it->size);
	ASSERT_OK(ask(&dev, it, &answer, sizeof(answer)));
	expect_untouched(&answer, it->size);
	vfio_close(&dev);
}

/* The structure ends where the mapping does: any byte too many is a fault. */
TEST_EACH(argsz_of_garbage_is_no_promise_of_memory, queries)
{
	uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t *head;
	struct vfio_dev dev;

	ASSERT(pages != MAP_FAILED);
	ASSERT_OK(munmap(pages + 4096, 4096));
	head = (uint32_t *)(pages + 4096 - it->size);
	vfio_open(&dev, lab_bdf("e1000e"));
	head[0] = UINT32_MAX;
	head[2] = it->index;
	EXPECT_OK(ioctl(dev.fd, it->cmd, head));
	EXPECT_ERRNO(ioctl(dev.fd, it->cmd, pages + 4096 - 4), EFAULT);
	EXPECT_ERRNO(ioctl(dev.fd, it->cmd, NULL), EFAULT);
	vfio_close(&dev);
}

TEST_EACH(device_info, functions)
{
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	EXPECT(dev.info.flags & VFIO_DEVICE_FLAGS_PCI);
	EXPECT_EQ(dev.info.flags & ~(VFIO_DEVICE_FLAGS_PCI |
				     VFIO_DEVICE_FLAGS_RESET |
				     VFIO_DEVICE_FLAGS_CAPS), 0u);
	EXPECT_EQ(dev.info.num_regions, VFIO_PCI_NUM_REGIONS);
	EXPECT_EQ(dev.info.num_irqs, VFIO_PCI_NUM_IRQS);
	vfio_close(&dev);
}

static void check_region(struct vfio_dev *dev, uint32_t index)
{
	struct vfio_region region = vfio_region(dev, index);
	const uint32_t rw = VFIO_REGION_INFO_FLAG_READ |
			    VFIO_REGION_INFO_FLAG_WRITE;

	EXPECT_EQ(region.info.index, index);
	EXPECT_EQ(region.info.offset, (uint64_t)index << 40);
	if (!region.info.size) {
		EXPECT_EQ(region.info.flags, 0u);
		return;
	}
	if (index == VFIO_PCI_ROM_REGION_INDEX)
		EXPECT_EQ(region.info.flags, VFIO_REGION_INFO_FLAG_READ);
	else
		EXPECT_EQ(region.info.flags & rw, rw);
	if (!(region.info.flags & VFIO_REGION_INFO_FLAG_CAPS))
		EXPECT_EQ(region.info.cap_offset, 0u);
}

TEST_EACH(region_info, functions)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };
	struct vfio_dev dev;
	uint32_t i;

	vfio_open(&dev, lab_bdf(it->name));
	for (i = 0; i < VFIO_PCI_VGA_REGION_INDEX; i++)
		check_region(&dev, i);
	EXPECT_EQ(vfio_region(&dev, VFIO_PCI_CONFIG_REGION_INDEX).info.size,
		  it->express ? 4096u : 256u);

	info.index = VFIO_PCI_VGA_REGION_INDEX;
	if (strcmp(it->name, "vga"))
		EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_REGION_INFO, &info),
			     EINVAL);
	for (i = 0; i < 32; i++) {
		info.index = VFIO_PCI_NUM_REGIONS | 1u << i;
		EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_REGION_INFO, &info),
			     EINVAL);
	}
	vfio_close(&dev);
}

/* Only a BAR that can be mapped and holds the MSI-X table has a chain here. */
TEST(region_info_chain_of_the_msix_bar)
{
	struct vfio_region_info *info;
	struct vfio_region region;
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("e1000e"));
	region = vfio_region(&dev, 3);
	ASSERT(region.info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	EXPECT_EQ(region.info.cap_offset, sizeof(region.info));
	ASSERT(vfio_region_cap(&region, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE));
	EXPECT_EQ(vfio_region_cap(&region, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE)->version, 1);
	EXPECT(!vfio_region_cap(&region, VFIO_REGION_INFO_CAP_SPARSE_MMAP));
	EXPECT(!vfio_region_cap(&region, VFIO_REGION_INFO_CAP_TYPE));

	/* Too short for the chain: told how much, given none of it. */
	info = &region.info;
	info->argsz = sizeof(*info);
	info->cap_offset = 0;
	ASSERT_OK(ioctl(dev.fd, VFIO_DEVICE_GET_REGION_INFO, info));
	EXPECT(info->flags & VFIO_REGION_INFO_FLAG_CAPS);
	EXPECT_EQ(info->argsz, sizeof(*info) + sizeof(struct vfio_info_cap_header));
	EXPECT_EQ(info->cap_offset, 0u);

	info->argsz--;
	EXPECT_OK(ioctl(dev.fd, VFIO_DEVICE_GET_REGION_INFO, info));
	EXPECT_EQ(info->cap_offset, 0u);
	vfio_close(&dev);
}

static void check_count(struct vfio_dev *dev, uint32_t index, uint32_t count,
			uint32_t flags)
{
	struct vfio_irq_info irq = vfio_irq(dev, index);

	EXPECT_EQ(irq.count, count);
	EXPECT_EQ(irq.flags & ~(index == VFIO_PCI_MSIX_IRQ_INDEX ?
				VFIO_IRQ_INFO_NORESIZE : 0u), flags);
}

TEST_EACH(irq_info, functions)
{
	const uint32_t fixed = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
	struct vfio_irq_info info = { .argsz = sizeof(info) };
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	check_count(&dev, VFIO_PCI_INTX_IRQ_INDEX, it->intx,
		    VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
		    VFIO_IRQ_INFO_AUTOMASKED);
	check_count(&dev, VFIO_PCI_MSI_IRQ_INDEX, it->msi, fixed);
	check_count(&dev, VFIO_PCI_MSIX_IRQ_INDEX, it->msix,
		    VFIO_IRQ_INFO_EVENTFD);
	check_count(&dev, VFIO_PCI_REQ_IRQ_INDEX, 1, fixed);

	info.index = VFIO_PCI_ERR_IRQ_INDEX;
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info),
		     it->express ? 0 : EINVAL);
	info.index = VFIO_PCI_NUM_IRQS;
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
	info.index = UINT32_MAX;
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
	vfio_close(&dev);
}

TEST(unknown_ioctls_are_not_for_us)
{
	uint8_t data[256] = { 0 };
	struct vfio_dev dev;
	unsigned int nr;

	data[0] = sizeof(data) - 1;
	vfio_open(&dev, lab_bdf("edu"));
	for (nr = 21; nr < 120; nr++)
		EXPECT_ERRNO(ioctl(dev.fd, _IO(VFIO_TYPE, VFIO_BASE + nr), data),
			     ENOTTY);
	/* Graphics planes belong to mediated devices. */
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, data), ENOTTY);
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_GFX_DMABUF, data), ENOTTY);
	EXPECT_ERRNO(ioctl(dev.fd, _IO('v', 1), data), ENOTTY);
	vfio_close(&dev);
}

/* Features are 16-bit numbers: only some exist, and which is no secret. */
TEST(unknown_features_are_not_for_us)
{
	uint8_t data[64] = { 0 };
	struct vfio_dev dev;
	uint32_t feature;

	vfio_open(&dev, lab_bdf("e1000e"));
	for (feature = 16; feature < 0x10000; feature = feature * 2 + 1) {
		EXPECT_ERRNO(vfio_feature_try(&dev, VFIO_DEVICE_FEATURE_GET |
					      feature, data, sizeof(data)), ENOTTY);
		EXPECT_ERRNO(vfio_feature_try(&dev, VFIO_DEVICE_FEATURE_PROBE |
					      VFIO_DEVICE_FEATURE_SET | feature,
					      data, sizeof(data)), ENOTTY);
	}
	/* No SR-IOV, no migration. */
	EXPECT_ERRNO(vfio_feature_try(&dev, VFIO_DEVICE_FEATURE_SET |
				      VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, data, 16),
		     ENOTTY);
	EXPECT_ERRNO(vfio_feature_try(&dev, VFIO_DEVICE_FEATURE_GET |
				      VFIO_DEVICE_FEATURE_MIGRATION, data, 8),
		     ENOTTY);
	EXPECT_ERRNO(vfio_feature_try(&dev, VFIO_DEVICE_FEATURE_SET | 0x80000000 |
				      VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0),
		     EINVAL);
	vfio_close(&dev);
}

/*
 * Exporting BARs as DMA-buf is of newer kernels, and the way back from a failure
 * of it freed twice. Here there is none.
 */
TEST(cve_2026_31468_no_dma_buf_is_exported)
{
	const uint32_t dma_buf = 11;	/* VFIO_DEVICE_FEATURE_DMA_BUF */
	uint8_t data[64] = { 0 };
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("ivshmem"));
	EXPECT_ERRNO(vfio_feature_try(&dev, VFIO_DEVICE_FEATURE_GET | dma_buf, data,
				      sizeof(data)), ENOTTY);
	EXPECT_ERRNO(vfio_feature_try(&dev, VFIO_DEVICE_FEATURE_PROBE |
				      VFIO_DEVICE_FEATURE_GET | dma_buf, data,
				      sizeof(data)), ENOTTY);
	vfio_close(&dev);
}
