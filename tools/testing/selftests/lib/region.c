// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions of a VFIO device: description, reads and writes, mappings, and the
 * configuration space on top of them.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "vfio.h"

struct vfio_region vfio_region(struct vfio_dev *dev, uint32_t index)
{
	struct vfio_region region = { 0 };

	region.info.argsz = sizeof(region);
	region.info.index = index;
	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &region.info));
	ASSERT_LE(region.info.argsz, sizeof(region));
	return region;
}

const struct vfio_info_cap_header *vfio_region_cap(const struct vfio_region *region,
						   uint16_t id)
{
	const struct vfio_info_cap_header *cap;
	uint32_t pos = region->info.cap_offset;

	while (pos >= sizeof(region->info) && pos < sizeof(*region)) {
		cap = (const void *)((const uint8_t *)region + pos);
		if (cap->id == id)
			return cap;
		pos = cap->next;
	}
	return NULL;
}

uint64_t vfio_region_offset(struct vfio_dev *dev, uint32_t index)
{
	return vfio_region(dev, index).info.offset;
}

ssize_t region_read_try(struct vfio_dev *dev, uint32_t index, uint64_t pos,
			void *data, size_t len)
{
	return pread(dev->fd, data, len, vfio_region_offset(dev, index) + pos);
}

ssize_t region_write_try(struct vfio_dev *dev, uint32_t index, uint64_t pos,
			 const void *data, size_t len)
{
	return pwrite(dev->fd, data, len, vfio_region_offset(dev, index) + pos);
}

uint64_t region_get(struct vfio_dev *dev, uint32_t index, uint64_t pos,
		    size_t len)
{
	uint64_t val = 0;
	ssize_t ret = region_read_try(dev, index, pos, &val, len);

	if (ret != (ssize_t)len)
		FAIL("reading %zu at %#llx of region %u of %s: %s", len,
		     (unsigned long long)pos, index, dev->bdf,
		     ret < 0 ? strerror(errno) : "short");
	return le64toh(val);
}

void region_put(struct vfio_dev *dev, uint32_t index, uint64_t pos, size_t len,
		uint64_t val)
{
	uint64_t raw = htole64(val);
	ssize_t ret = region_write_try(dev, index, pos, &raw, len);

	if (ret != (ssize_t)len)
		FAIL("writing %zu at %#llx of region %u of %s: %s", len,
		     (unsigned long long)pos, index, dev->bdf,
		     ret < 0 ? strerror(errno) : "short");
}

/* Chains that loop end after as many steps as there is room for. */
unsigned int cfg_find_cap(struct vfio_dev *dev, uint8_t id)
{
	unsigned int steps = 48, pos;

	if (!(cfg_get16(dev, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	pos = cfg_get8(dev, PCI_CAPABILITY_LIST) & ~3;
	while (pos && steps--) {
		if (cfg_get8(dev, pos + PCI_CAP_LIST_ID) == id)
			return pos;
		pos = cfg_get8(dev, pos + PCI_CAP_LIST_NEXT) & ~3;
	}
	return 0;
}

unsigned int cfg_find_ext_cap(struct vfio_dev *dev, uint16_t id)
{
	unsigned int steps = 960, pos = PCI_CFG_SPACE_SIZE;
	struct vfio_region config;
	uint32_t header;

	config = vfio_region(dev, VFIO_PCI_CONFIG_REGION_INDEX);
	while (pos && pos + 4 <= config.info.size && steps--) {
		header = cfg_get32(dev, pos);
		if (header && PCI_EXT_CAP_ID(header) == id)
			return pos;
		pos = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

void cfg_command(struct vfio_dev *dev, uint16_t set, uint16_t clear)
{
	uint16_t command = cfg_get16(dev, PCI_COMMAND);

	cfg_put16(dev, PCI_COMMAND, (command & ~clear) | set);
}

void *bar_map_try(struct vfio_dev *dev, uint32_t index, uint64_t pos, size_t len)
{
	void *addr;

	addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
		    vfio_region_offset(dev, index) + pos);
	return addr == MAP_FAILED ? NULL : addr;
}

void *bar_map(struct vfio_dev *dev, uint32_t index, size_t *len)
{
	struct vfio_region region = vfio_region(dev, index);
	void *addr;

	ASSERT(region.info.flags & VFIO_REGION_INFO_FLAG_MMAP);
	addr = bar_map_try(dev, index, 0, region.info.size);
	if (!addr)
		FAIL("mapping BAR %u of %s: %s", index, dev->bdf,
		     strerror(errno));
	if (len)
		*len = region.info.size;
	return addr;
}
