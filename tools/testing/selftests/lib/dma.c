// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a device reaches through the type1 IOMMU.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "tap.h"
#include "vfio.h"

void *dma_alloc(size_t size)
{
	void *addr;

	addr = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT(addr != MAP_FAILED);
	return addr;
}

int dma_map_try(const struct vfio_group *group, void *addr, uint64_t iova,
		size_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)addr,
		.iova = iova,
		.size = size,
	};

	return ioctl(group->container, VFIO_IOMMU_MAP_DMA, &map);
}

void dma_map(const struct vfio_group *group, void *addr, uint64_t iova,
	     size_t size)
{
	ASSERT_OK(dma_map_try(group, addr, iova, size));
}

void dma_unmap(const struct vfio_group *group, uint64_t iova, size_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};

	ASSERT_OK(ioctl(group->container, VFIO_IOMMU_UNMAP_DMA, &unmap));
	ASSERT_EQ(unmap.size, size);
}
