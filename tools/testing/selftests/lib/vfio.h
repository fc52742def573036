/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VFIO as a program uses it: container, group, device, regions, interrupts,
 * DMA.
 *
 * Functions that return nothing, or the value asked for, end the test when the
 * kernel refuses. Functions named ..._try answer as the system call did, for
 * tests that want to see the refusal.
 */
#ifndef SELFTEST_VFIO_H
#define SELFTEST_VFIO_H

#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct vfio_group - one IOMMU group in a type1 container
 * @container:	its descriptor, shared by groups that were joined
 * @fd:		the group's own
 * @number:	number of the group
 */
struct vfio_group {
	int container;
	int fd;
	unsigned int number;
};

/**
 * struct vfio_dev - an open device
 * @group:	the group it was opened through
 * @fd:		the device's descriptor
 * @bdf:	its address
 * @info:	VFIO_DEVICE_GET_INFO
 */
struct vfio_dev {
	struct vfio_group group;
	int fd;
	const char *bdf;
	struct vfio_device_info info;
};

/* group.c: containers, groups, opening */

void vfio_group_open(struct vfio_group *group, const char *bdf);
/* Open the group of @bdf in the container of @first. */
void vfio_group_join(struct vfio_group *group, const struct vfio_group *first,
		     const char *bdf);
void vfio_group_close(struct vfio_group *group);
bool vfio_group_viable(const struct vfio_group *group);

/* @name is a BDF, or a BDF with " vf_token=...". Descriptor or -1. */
int vfio_fd_try(const struct vfio_group *group, const char *name);

/* Bind @bdf to vfio-pci, or to @driver, where it is not yet, and open it. */
void vfio_open(struct vfio_dev *dev, const char *bdf);
void vfio_open_with(struct vfio_dev *dev, const char *bdf, const char *driver);
/* The same with a VF token; NULL: without. */
void vfio_open_token(struct vfio_dev *dev, const char *bdf, const char *token);
/* Open another device of a group that is open already. */
void vfio_open_in(struct vfio_dev *dev, const struct vfio_group *group,
		  const char *bdf);
/* Close device, group and container; a device opened in a group: only itself. */
void vfio_close(struct vfio_dev *dev);
void vfio_reset(struct vfio_dev *dev);
/* Of the slot or bus, if the group of @dev owns all that is on it. */
int vfio_hot_reset_try(struct vfio_dev *dev);

/* VFIO_DEVICE_FEATURE with @len bytes of payload, copied both ways. */
int vfio_feature_try(struct vfio_dev *dev, uint32_t flags, void *data,
		     size_t len);

/* region.c: regions, configuration space, mappings */

/**
 * struct vfio_region - a region's description with its capability chain
 * @info:	fixed part
 * @chain:	capabilities, at the offsets the chain uses
 */
struct vfio_region {
	struct vfio_region_info info;
	uint8_t chain[512];
};

struct vfio_region vfio_region(struct vfio_dev *dev, uint32_t index);
/* Capability @id of the region, or NULL. */
const struct vfio_info_cap_header *vfio_region_cap(const struct vfio_region *region,
						   uint16_t id);
uint64_t vfio_region_offset(struct vfio_dev *dev, uint32_t index);

ssize_t region_read_try(struct vfio_dev *dev, uint32_t index, uint64_t pos,
			void *data, size_t len);
ssize_t region_write_try(struct vfio_dev *dev, uint32_t index, uint64_t pos,
			 const void *data, size_t len);
/* One little-endian access of @len bytes: 1, 2, 4 or 8. */
uint64_t region_get(struct vfio_dev *dev, uint32_t index, uint64_t pos,
		    size_t len);
void region_put(struct vfio_dev *dev, uint32_t index, uint64_t pos, size_t len,
		uint64_t val);

static inline uint8_t cfg_get8(struct vfio_dev *dev, unsigned int pos)
{
	return region_get(dev, VFIO_PCI_CONFIG_REGION_INDEX, pos, 1);
}

static inline uint16_t cfg_get16(struct vfio_dev *dev, unsigned int pos)
{
	return region_get(dev, VFIO_PCI_CONFIG_REGION_INDEX, pos, 2);
}

static inline uint32_t cfg_get32(struct vfio_dev *dev, unsigned int pos)
{
	return region_get(dev, VFIO_PCI_CONFIG_REGION_INDEX, pos, 4);
}

static inline void cfg_put8(struct vfio_dev *dev, unsigned int pos, uint8_t val)
{
	region_put(dev, VFIO_PCI_CONFIG_REGION_INDEX, pos, 1, val);
}

static inline void cfg_put16(struct vfio_dev *dev, unsigned int pos,
			     uint16_t val)
{
	region_put(dev, VFIO_PCI_CONFIG_REGION_INDEX, pos, 2, val);
}

static inline void cfg_put32(struct vfio_dev *dev, unsigned int pos,
			     uint32_t val)
{
	region_put(dev, VFIO_PCI_CONFIG_REGION_INDEX, pos, 4, val);
}

/* Position of a capability, walking the chain as the device shows it; 0: none. */
unsigned int cfg_find_cap(struct vfio_dev *dev, uint8_t id);
unsigned int cfg_find_ext_cap(struct vfio_dev *dev, uint16_t id);

/* Turn bits of COMMAND on or off. */
void cfg_command(struct vfio_dev *dev, uint16_t set, uint16_t clear);

/* Map all of a BAR, or @len bytes at @pos; NULL and errno if refused. */
void *bar_map_try(struct vfio_dev *dev, uint32_t index, uint64_t pos, size_t len);
void *bar_map(struct vfio_dev *dev, uint32_t index, size_t *len);

/* fault.c: accesses that may end in SIGBUS. true: it did. */

bool load_faults(const volatile void *addr, uint32_t *val);
bool store_faults(volatile void *addr, uint32_t val);

/* irq.c: interrupts */

struct vfio_irq_info vfio_irq(struct vfio_dev *dev, uint32_t index);

/**
 * struct irq_set - VFIO_DEVICE_SET_IRQS
 * @index:	which kind of interrupt
 * @flags:	VFIO_IRQ_SET_DATA_... | VFIO_IRQ_SET_ACTION_...
 * @start:	first one
 * @count:	how many
 * @data:	what follows the header
 * @len:	bytes of it
 */
struct irq_set {
	uint32_t index;
	uint32_t flags;
	uint32_t start;
	uint32_t count;
	const void *data;
	size_t len;
};

int irq_set_call(struct vfio_dev *dev, const struct irq_set *set);

/* irq_set_try(dev, index, flags, start, count, data, len) */
#define irq_set_try(dev, ...)						\
	irq_set_call(dev, &(const struct irq_set){ __VA_ARGS__ })

int irq_eventfds_try(struct vfio_dev *dev, uint32_t index, uint32_t start,
		     uint32_t count, const int32_t *fds);
/* SET_IRQS without data: VFIO_IRQ_SET_ACTION_... on @count interrupts. */
int irq_action_try(struct vfio_dev *dev, uint32_t index, uint32_t action,
		   uint32_t start, uint32_t count);

void irq_enable(struct vfio_dev *dev, uint32_t index, uint32_t start,
		uint32_t count, const int32_t *fds);
void irq_disable(struct vfio_dev *dev, uint32_t index);
void irq_trigger(struct vfio_dev *dev, uint32_t index, uint32_t vector);
void intx_mask(struct vfio_dev *dev);
void intx_unmask(struct vfio_dev *dev);

/* Open device @bdf: it answers, and each kind of its interrupts arrives. Close it. */
void vfio_expect_works(const char *bdf);

int event_new(void);
/* Signals that arrive within @ms, 0 if none. */
uint64_t event_wait(int fd, unsigned int ms);
/* Signals until none has come for 100 ms. */
uint64_t event_total(int fd);
/* Have a line that is no longer asserted unmasked: one that was late masks it again. */
void intx_settle(struct vfio_dev *dev, int fd);
/* Signal @fd, as a program does. */
void event_kick(int fd);
/* How many lines of /proc/interrupts contain @name. */
unsigned int irq_lines(const char *name);

/* dma.c: memory that the device sees */

void *dma_alloc(size_t size);
int dma_map_try(const struct vfio_group *group, void *addr, uint64_t iova,
		size_t size);
void dma_map(const struct vfio_group *group, void *addr, uint64_t iova,
	     size_t size);
void dma_unmap(const struct vfio_group *group, uint64_t iova, size_t size);

#endif
