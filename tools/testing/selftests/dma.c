// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA through the type1 IOMMU, with the data checked: a device that copies on
 * command, and an NVMe controller driven far enough to write and read a block.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/edu.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define PAGE	4096

#define IOVA	0x100000
#define NOWHERE	0x900000

static void fill(uint8_t *data, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		data[i] = (i * 7 + (i >> 8) * 13 + seed) & 0xff;
}

/* ---- edu ---------------------------------------------------------------- */

/**
 * struct copier - an open edu device with a page of memory at IOVA
 * @dev:	the device
 * @page:	the memory
 * @done:	eventfd of its MSI
 */
struct copier {
	struct vfio_dev dev;
	uint8_t *page;
	int32_t done;
};

static void copier_open(struct copier *copier)
{
	edu_open(&copier->dev, "bridge");
	copier->page = dma_alloc(PAGE);
	copier->done = event_new();
	dma_map(&copier->dev.group, copier->page, IOVA, PAGE);
	irq_enable(&copier->dev, MSI, 0, 1, &copier->done);
}

/* Start a copy of @len bytes between @iova and the device's buffer; wait for it. */
static void copy(struct copier *copier, uint64_t iova, size_t len, uint32_t to_ram)
{
	struct vfio_dev *dev = &copier->dev;
	unsigned int tries = test_patience(500);

	region_put(dev, BAR0, EDU_DMA_SRC, 8, to_ram ? EDU_BUFFER : iova);
	region_put(dev, BAR0, EDU_DMA_DST, 8, to_ram ? iova : EDU_BUFFER);
	region_put(dev, BAR0, EDU_DMA_COUNT, 8, len);
	region_put(dev, BAR0, EDU_DMA_CMD, 8, EDU_DMA_START | to_ram);
	while (region_get(dev, BAR0, EDU_DMA_CMD, 8) & EDU_DMA_START && tries--)
		usleep(10000);
	ASSERT_EQ(region_get(dev, BAR0, EDU_DMA_CMD, 8) & EDU_DMA_START, 0);
}

/* Set the device's buffer to a pattern, by way of memory that is mapped. */
static void load_buffer(struct copier *copier, unsigned int seed)
{
	fill(copier->page, PAGE, seed);
	copy(copier, IOVA, PAGE, 0);
}

static void expect_buffer(struct copier *copier, unsigned int seed)
{
	uint8_t want[PAGE];

	fill(want, PAGE, seed);
	memset(copier->page, 0, PAGE);
	copy(copier, IOVA, PAGE, EDU_DMA_TO_RAM);
	EXPECT_MEMEQ(copier->page, want, PAGE);
}

TEST(dma_both_ways)
{
	struct copier copier;

	copier_open(&copier);
	load_buffer(&copier, 1);
	expect_buffer(&copier, 1);
	load_buffer(&copier, 99);
	expect_buffer(&copier, 99);
	vfio_close(&copier.dev);
}

TEST(dma_only_the_bytes_asked_for)
{
	uint8_t want[PAGE];
	struct copier copier;

	copier_open(&copier);
	load_buffer(&copier, 5);
	memset(want, 0x5a, PAGE);
	memcpy(copier.page, want, PAGE);
	fill(want + 100, 17, 5);
	copy(&copier, IOVA + 100, 17, EDU_DMA_TO_RAM);
	EXPECT_MEMEQ(copier.page, want, PAGE);
	vfio_close(&copier.dev);
}

TEST(dma_tells_by_msi_when_done)
{
	struct vfio_dev *dev;
	struct copier copier;

	copier_open(&copier);
	dev = &copier.dev;
	fill(copier.page, PAGE, 3);
	region_put(dev, BAR0, EDU_DMA_SRC, 8, IOVA);
	region_put(dev, BAR0, EDU_DMA_DST, 8, EDU_BUFFER);
	region_put(dev, BAR0, EDU_DMA_COUNT, 8, PAGE);
	region_put(dev, BAR0, EDU_DMA_CMD, 8, EDU_DMA_START | EDU_DMA_IRQ);
	EXPECT_EQ(event_wait(copier.done, 3000), 1);
	EXPECT_EQ(edu_get(dev, EDU_IRQ_STATUS), EDU_IRQ_DMA);
	edu_ack(dev);
	EXPECT_EQ(event_total(copier.done), 0);
	expect_buffer(&copier, 3);
	vfio_close(dev);
}

/* The IOMMU lets nothing through that the program has not mapped. */
TEST(dma_from_unmapped_is_blocked)
{
	uint8_t want[PAGE];
	struct copier copier;

	copier_open(&copier);
	load_buffer(&copier, 11);
	copy(&copier, NOWHERE, PAGE, 0);
	memset(want, 0, PAGE);
	memset(copier.page, 0, PAGE);
	copy(&copier, IOVA, PAGE, EDU_DMA_TO_RAM);
	fill(want, PAGE, 11);
	/* QEMU may leave what it had or nothing, but nobody else's memory. */
	if (memcmp(copier.page, want, PAGE)) {
		memset(want, 0, PAGE);
		EXPECT_MEMEQ(copier.page, want, PAGE);
	}
	vfio_close(&copier.dev);
}

TEST(dma_to_unmapped_is_blocked)
{
	uint8_t want[PAGE], *page;
	struct copier copier;

	copier_open(&copier);
	load_buffer(&copier, 12);
	page = dma_alloc(PAGE);
	memset(page, 0x77, PAGE);
	memset(want, 0x77, PAGE);
	dma_map(&copier.dev.group, page, NOWHERE, PAGE);
	dma_unmap(&copier.dev.group, NOWHERE, PAGE);
	copy(&copier, NOWHERE, PAGE, EDU_DMA_TO_RAM);
	EXPECT_MEMEQ(page, want, PAGE);
	/* The device still works where it may. */
	expect_buffer(&copier, 12);
	vfio_close(&copier.dev);
}

TEST(dma_needs_bus_master)
{
	uint8_t want[PAGE];
	struct copier copier;

	copier_open(&copier);
	load_buffer(&copier, 21);
	cfg_command(&copier.dev, 0, PCI_COMMAND_MASTER);
	memset(copier.page, 0x33, PAGE);
	memset(want, 0x33, PAGE);
	copy(&copier, IOVA, PAGE, EDU_DMA_TO_RAM);
	EXPECT_MEMEQ(copier.page, want, PAGE);
	cfg_command(&copier.dev, PCI_COMMAND_MASTER, 0);
	expect_buffer(&copier, 21);
	vfio_close(&copier.dev);
}

/* Closed in the middle of it: bus mastering is off before the memory is gone. */
TEST(dma_ends_with_close)
{
	uint8_t want[PAGE];
	struct copier copier;
	unsigned int i;

	copier_open(&copier);
	load_buffer(&copier, 31);
	memset(copier.page, 0x44, PAGE);
	memset(want, 0x44, PAGE);
	region_put(&copier.dev, BAR0, EDU_DMA_SRC, 8, EDU_BUFFER);
	region_put(&copier.dev, BAR0, EDU_DMA_DST, 8, IOVA);
	region_put(&copier.dev, BAR0, EDU_DMA_COUNT, 8, PAGE);
	region_put(&copier.dev, BAR0, EDU_DMA_CMD, 8,
		   EDU_DMA_START | EDU_DMA_TO_RAM);
	/* It takes 100 ms; the group stays open, and so do the mappings. */
	close(copier.dev.fd);
	test_pause(300);
	EXPECT_MEMEQ(copier.page, want, PAGE);
	EXPECT(!(pci_config_read(copier.dev.bdf, PCI_COMMAND, 2) &
		 PCI_COMMAND_MASTER));
	vfio_group_close(&copier.dev.group);
	for (i = 0; i < 2; i++) {
		copier_open(&copier);
		load_buffer(&copier, i);
		expect_buffer(&copier, i);
		vfio_close(&copier.dev);
	}
}

/* ---- NVMe: NVM Express base specification, sections 3 to 5 --------------- */

#define NVME_CC		0x14
#define NVME_CSTS	0x1c
#define NVME_AQA	0x24
#define NVME_ASQ	0x28
#define NVME_ACQ	0x30
#define NVME_DOORBELL	0x1000

#define NVME_CC_EN	(6 << 16 | 4 << 20 | 1)	/* 64 byte and 16 byte entries */
#define NVME_DEPTH	8

enum nvme_admin { NVME_CREATE_SQ = 1, NVME_CREATE_CQ = 5, NVME_IDENTIFY = 6 };
enum nvme_io { NVME_WRITE = 1, NVME_READ = 2 };

struct nvme_command {
	uint32_t opcode;	/* and the command's identifier above it */
	uint32_t nsid;
	uint64_t reserved[2];
	uint64_t prp[2];
	uint32_t dword[6];
};

struct nvme_completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head;
	uint16_t sq;
	uint16_t id;
	uint16_t status;	/* bit 0: phase */
};

/**
 * struct nvme_queue - a submission and a completion queue, a page each
 * @sq:		commands
 * @cq:		completions
 * @id:		number of both
 * @tail:	next command
 * @head:	next completion
 * @phase:	what a new completion has in bit 0 of its status
 * @event:	eventfd of the vector
 */
struct nvme_queue {
	struct nvme_command *sq;
	volatile struct nvme_completion *cq;
	unsigned int id;
	unsigned int tail;
	unsigned int head;
	unsigned int phase;
	int32_t event;
};

/**
 * struct nvme - a controller
 * @dev:	open device
 * @admin:	queue 0, vector 0
 * @io:		queue 1, vector 1
 * @data:	two pages for data
 */
struct nvme {
	struct vfio_dev dev;
	struct nvme_queue admin;
	struct nvme_queue io;
	uint8_t *data;
};

#define IOVA_QUEUE(id)	(0x10000 + (id) * 2 * PAGE)
#define IOVA_DATA	0x80000

static void nvme_queue_init(struct nvme *nvme, struct nvme_queue *queue,
			    unsigned int id)
{
	uint8_t *pages = dma_alloc(2 * PAGE);

	dma_map(&nvme->dev.group, pages, IOVA_QUEUE(id), 2 * PAGE);
	queue->sq = (void *)pages;
	queue->cq = (void *)(pages + PAGE);
	queue->id = id;
	queue->tail = 0;
	queue->head = 0;
	queue->phase = 1;
	queue->event = event_new();
	irq_enable(&nvme->dev, MSIX, id, 1, &queue->event);
}

static void nvme_wait_ready(struct vfio_dev *dev, unsigned int ready)
{
	unsigned int tries = test_patience(500);

	while ((region_get(dev, BAR0, NVME_CSTS, 4) & 1) != ready && tries--)
		usleep(10000);
	ASSERT_EQ(region_get(dev, BAR0, NVME_CSTS, 4) & 3, ready);
}

static void nvme_open(struct nvme *nvme)
{
	struct vfio_dev *dev = &nvme->dev;

	vfio_open(dev, lab_bdf("nvme"));
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	region_put(dev, BAR0, NVME_CC, 4, 0);
	nvme_wait_ready(dev, 0);
	nvme_queue_init(nvme, &nvme->admin, 0);
	nvme->data = dma_alloc(2 * PAGE);
	dma_map(&dev->group, nvme->data, IOVA_DATA, 2 * PAGE);

	region_put(dev, BAR0, NVME_AQA, 4, (NVME_DEPTH - 1) << 16 | (NVME_DEPTH - 1));
	region_put(dev, BAR0, NVME_ASQ, 8, IOVA_QUEUE(0));
	region_put(dev, BAR0, NVME_ACQ, 8, IOVA_QUEUE(0) + PAGE);
	region_put(dev, BAR0, NVME_CC, 4, NVME_CC_EN);
	nvme_wait_ready(dev, 1);
}

/* Put a command into the queue; the doorbell is for the caller to ring. */
static void nvme_queue_command(struct nvme_queue *queue,
			       const struct nvme_command *command)
{
	queue->sq[queue->tail] = *command;
	queue->tail = (queue->tail + 1) % NVME_DEPTH;
}

/* Wait for the interrupt, then look for what it announces. */
static void nvme_complete(struct nvme *nvme, struct nvme_queue *queue)
{
	volatile struct nvme_completion *entry = &queue->cq[queue->head];

	EXPECT_GE(event_wait(queue->event, 5000), 1);
	ASSERT_EQ(entry->status & 1, queue->phase);
	EXPECT_EQ(entry->status >> 1, 0);
	EXPECT_EQ(entry->sq, queue->id);
	queue->head = (queue->head + 1) % NVME_DEPTH;
	queue->phase ^= !queue->head;
	region_put(&nvme->dev, BAR0, NVME_DOORBELL + 8 * queue->id + 4, 4,
		   queue->head);
}

static void nvme_run(struct nvme *nvme, struct nvme_queue *queue,
		     const struct nvme_command *command)
{
	nvme_queue_command(queue, command);
	region_put(&nvme->dev, BAR0, NVME_DOORBELL + 8 * queue->id, 4, queue->tail);
	nvme_complete(nvme, queue);
}

static const struct nvme_command identify = {
	.opcode = NVME_IDENTIFY,
	.prp = { IOVA_DATA },
	.dword = { 1 },		/* the controller */
};

static void expect_identity(struct nvme *nvme)
{
	EXPECT_EQ(nvme->data[0] | nvme->data[1] << 8, 0x1b36);
	EXPECT_MEMEQ(nvme->data + 4, "lab-nvme            ", 20);
}

TEST(nvme_identifies_itself)
{
	struct nvme nvme;
	unsigned int i;

	nvme_open(&nvme);
	/* More commands than the queue is deep, so that both ends wrap. */
	for (i = 0; i < 2 * NVME_DEPTH + 1; i++) {
		memset(nvme.data, 0xee, PAGE);
		nvme_run(&nvme, &nvme.admin, &identify);
		expect_identity(&nvme);
	}
	vfio_close(&nvme.dev);
}

static void nvme_open_io(struct nvme *nvme)
{
	struct nvme_command create_cq = {
		.opcode = NVME_CREATE_CQ,
		.prp = { IOVA_QUEUE(1) + PAGE },
		.dword = { (NVME_DEPTH - 1) << 16 | 1, 1 << 16 | 3 },
	};
	struct nvme_command create_sq = {
		.opcode = NVME_CREATE_SQ,
		.prp = { IOVA_QUEUE(1) },
		.dword = { (NVME_DEPTH - 1) << 16 | 1, 1 << 16 | 1 },
	};

	nvme_open(nvme);
	nvme_queue_init(nvme, &nvme->io, 1);
	nvme_run(nvme, &nvme->admin, &create_cq);
	nvme_run(nvme, &nvme->admin, &create_sq);
}

/* A page of the disk at block 8 * @page, 512 bytes each. */
static void nvme_page(struct nvme *nvme, enum nvme_io op, unsigned int page,
		      uint64_t iova)
{
	struct nvme_command command = {
		.opcode = op,
		.nsid = 1,
		.prp = { iova },
		.dword = { page * 8, 0, 7 },
	};

	nvme_run(nvme, &nvme->io, &command);
}

TEST(nvme_writes_and_reads_back)
{
	struct nvme nvme;
	unsigned int i;

	nvme_open_io(&nvme);
	for (i = 0; i < NVME_DEPTH + 2; i++) {
		fill(nvme.data, PAGE, 50 + i);
		nvme_page(&nvme, NVME_WRITE, i, IOVA_DATA);
	}
	for (i = 0; i < NVME_DEPTH + 2; i++) {
		fill(nvme.data, PAGE, 50 + i);
		memset(nvme.data + PAGE, 0, PAGE);
		nvme_page(&nvme, NVME_READ, i, IOVA_DATA + PAGE);
		EXPECT_MEMEQ(nvme.data + PAGE, nvme.data, PAGE);
	}
	EXPECT_EQ(event_total(nvme.admin.event), 0);
	vfio_close(&nvme.dev);
}

TEST(nvme_after_reset)
{
	struct nvme nvme;

	nvme_open(&nvme);
	nvme_run(&nvme, &nvme.admin, &identify);
	vfio_reset(&nvme.dev);
	EXPECT_EQ(region_get(&nvme.dev, BAR0, NVME_CSTS, 4) & 1, 0);
	vfio_close(&nvme.dev);
	nvme_open(&nvme);
	nvme_run(&nvme, &nvme.admin, &identify);
	expect_identity(&nvme);
	vfio_close(&nvme.dev);
}

/* As a virtual machine monitor does it: the doorbell is an eventfd. */
TEST(nvme_doorbell_by_eventfd)
{
	struct vfio_device_ioeventfd bell = {
		.argsz = sizeof(bell),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.data = 1,
	};
	struct nvme nvme;

	nvme_open(&nvme);
	bell.fd = event_new();
	bell.offset = vfio_region_offset(&nvme.dev, BAR0) + NVME_DOORBELL;
	ASSERT_OK(ioctl(nvme.dev.fd, VFIO_DEVICE_IOEVENTFD, &bell));
	nvme_queue_command(&nvme.admin, &identify);
	EXPECT_EQ(event_total(nvme.admin.event), 0);
	event_kick(bell.fd);
	nvme_complete(&nvme, &nvme.admin);
	expect_identity(&nvme);
	vfio_close(&nvme.dev);
}
