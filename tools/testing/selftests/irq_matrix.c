// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_SET_IRQS, every combination: index, action, data type, start,
 * count and size, in each state of the device, against what the interface
 * promises. The promise is written down once, in want().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define ERR	VFIO_PCI_ERR_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD	VFIO_IRQ_SET_DATA_EVENTFD
#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER

#define OFF	VFIO_PCI_NUM_IRQS	/* no interrupt type is enabled */
#define FDS	8

/**
 * struct rig - a device, and eventfds for it
 * @dev:	open device
 * @counts:	vectors of each index, as the device says
 * @active:	index that is enabled, or OFF
 * @events:	eventfds of ERR and REQ are set
 * @fds:	eventfds
 */
struct rig {
	struct vfio_dev dev;
	uint32_t counts[VFIO_PCI_NUM_IRQS];
	uint32_t active;
	bool events;
	int32_t fds[FDS];
};

/**
 * struct request - one SET_IRQS
 * @index:	VFIO_PCI_*_IRQ_INDEX, or one past the last
 * @type:	VFIO_IRQ_SET_DATA_*, any number of them
 * @action:	VFIO_IRQ_SET_ACTION_*, any number of them
 * @start:	first vector
 * @count:	vectors
 * @room:	bytes of data that argsz claims
 */
struct request {
	uint32_t index;
	uint32_t type;
	uint32_t action;
	uint32_t start;
	uint32_t count;
	uint32_t room;
};

/* Bytes that the data of @request takes. */
static uint64_t data_size(const struct request *request)
{
	uint64_t size = request->type == EVENTFD ? 4 : request->type == BOOL;

	return size * request->count;
}

static int want_intx(const struct rig *rig, const struct request *request)
{
	if (request->action == TRIGGER && request->type == EVENTFD) {
		if (rig->active != OFF && rig->active != INTX)
			return -EINVAL;
		return request->count == 1 && !request->start ? 0 : -EINVAL;
	}
	if (rig->active != INTX)
		return -EINVAL;
	if (request->action == TRIGGER && request->type == NONE && !request->count)
		return 0;
	if (request->start || request->count != 1)
		return -EINVAL;
	if (request->type == EVENTFD && request->action == MASK)
		return -ENOTTY;
	return 0;
}

static int want_msi(const struct rig *rig, const struct request *request)
{
	if (request->action != TRIGGER)
		return -ENOTTY;
	if (rig->active == request->index)
		return 0;
	return rig->active == OFF && request->type == EVENTFD ? 0 : -EINVAL;
}

static int want_event(const struct rig *rig, const struct request *request)
{
	if (request->action != TRIGGER)
		return -ENOTTY;
	if (request->type == NONE)
		return rig->events ? 0 : -EINVAL;
	return request->count ? 0 : -EINVAL;
}

/* What the interface promises: 0 or -errno. */
static int want(const struct rig *rig, const struct request *request)
{
	uint32_t max;

	/* vfio.ko looks at these, before the driver does. */
	if (request->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	max = rig->counts[request->index];
	if (request->start >= max || request->count > max - request->start)
		return -EINVAL;
	if (__builtin_popcount(request->type) != 1)
		return -EINVAL;
	if (data_size(request) > request->room)
		return -EINVAL;

	if (__builtin_popcount(request->action) != 1)
		return -ENOTTY;
	switch (request->index) {
	case INTX:
		return want_intx(rig, request);
	case MSI:
	case MSIX:
		return want_msi(rig, request);
	default:
		return want_event(rig, request);
	}
}

/*
 * No vectors, but eventfds of them: whether that enables nothing or is refused
 * is for the interrupt core to say.
 */
static bool undefined(const struct rig *rig, const struct request *request)
{
	return request->index != INTX && request->type == EVENTFD &&
	       !request->count && rig->active == OFF;
}

static int submit(struct rig *rig, const struct request *request)
{
	struct {
		struct vfio_irq_set set;
		uint8_t data[FDS * 4];
	} arg = {
		.set.argsz = sizeof(arg.set) + request->room,
		.set.flags = request->type | request->action,
		.set.index = request->index,
		.set.start = request->start,
		.set.count = request->count,
	};

	if (request->type == EVENTFD)
		memcpy(arg.data, rig->fds, sizeof(arg.data));
	else
		memset(arg.data, 1, sizeof(arg.data));
	return ioctl(rig->dev.fd, VFIO_DEVICE_SET_IRQS, &arg) < 0 ? -errno : 0;
}

static void clear(struct rig *rig)
{
	uint32_t i;

	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		irq_action_try(&rig->dev, i, TRIGGER, 0, 0);
}

/* Bring it into the state that it is to be tried in. */
static void prepare(struct rig *rig)
{
	clear(rig);
	if (rig->active != OFF)
		irq_enable(&rig->dev, rig->active, 0, 1, rig->fds);
	if (rig->events) {
		irq_enable(&rig->dev, REQ, 0, 1, rig->fds);
		if (rig->counts[ERR])
			irq_enable(&rig->dev, ERR, 0, 1, rig->fds);
	}
}

static void check(struct rig *rig, const struct request *request)
{
	static unsigned int told;
	int got, wanted = want(rig, request);

	got = submit(rig, request);
	if (got != wanted && !undefined(rig, request) && told++ < 20)
		test_fail(TEST_AT("", false),
			  "%s: active %u events %d: index %u action %#x type %#x start %#x count %#x room %u: %s, expected %s",
			  rig->dev.bdf, rig->active, rig->events, request->index,
			  request->action, request->type, request->start,
			  request->count, request->room, strerror(-got),
			  strerror(-wanted));
	/* What had an effect is undone. */
	if (!got)
		prepare(rig);
}

static void try_ranges(struct rig *rig, struct request request)
{
	uint32_t max = request.index < OFF ? rig->counts[request.index] : 1;
	const uint32_t starts[] = {
		0, 1, max - 1, max, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};
	const uint32_t counts[] = {
		0, 1, 2, max, max + 1, 0x3fffffff, 0x40000000, 0x40000001,
		0x80000000, 0xfffffffe, 0xffffffff,
	};
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		for (k = 0; k < ARRAY_SIZE(counts); k++) {
			if (counts[k] > FDS && counts[k] <= max)
				continue;
			request.start = starts[i];
			request.count = counts[k];
			request.room = FDS * 4;
			check(rig, &request);
		}
	}
}

static void try_flags(struct rig *rig, uint32_t index)
{
	struct request request = { .index = index };
	uint32_t flags;

	for (flags = 0; flags < 1 << 6; flags++) {
		request.type = flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
		request.action = flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
		try_ranges(rig, request);
	}
}

/* As many bytes as there have to be, and one less. */
static void try_sizes(struct rig *rig, uint32_t index)
{
	struct request request = { .index = index, .action = TRIGGER };
	uint32_t max = rig->counts[index] < FDS ? rig->counts[index] : FDS;

	for (request.type = BOOL; request.type <= EVENTFD; request.type <<= 1) {
		for (request.count = 1; request.count <= max; request.count++) {
			request.room = data_size(&request);
			check(rig, &request);
			request.room--;
			check(rig, &request);
			request.room = 0;
			check(rig, &request);
		}
	}
}

struct state {
	const char *name;
	const char *device;
	uint32_t active;
	bool events;
};

static const struct state states[] = {
	{ "nothing without interrupts", "testdev", OFF, false },
	{ "edu off", "bridge", OFF, false },
	{ "edu INTx", "bridge", INTX, true },
	{ "edu MSI", "bridge", MSI, false },
	{ "e1000e off", "e1000e", OFF, true },
	{ "e1000e INTx", "e1000e", INTX, false },
	{ "e1000e MSI", "e1000e", MSI, false },
	{ "e1000e MSI-X", "e1000e", MSIX, true },
	{ "nvme off", "nvme", OFF, false },
	{ "nvme MSI-X", "nvme", MSIX, false },
};

static void rig_open(struct rig *rig, const struct state *state)
{
	uint32_t i;

	vfio_open(&rig->dev, lab_bdf(state->device));
	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
		struct vfio_irq_info info = { .argsz = sizeof(info), .index = i };

		/* ERR of a device that is not PCI Express */
		if (ioctl(rig->dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info))
			info.count = 0;
		rig->counts[i] = info.count;
	}
	for (i = 0; i < FDS; i++)
		rig->fds[i] = event_new();
	rig->active = state->active;
	rig->events = state->events;
	prepare(rig);
}

TEST_EACH_LIMIT(set_irqs, states, 60)
{
	struct rig rig = { 0 };
	uint32_t index;

	rig_open(&rig, it);
	for (index = 0; index <= VFIO_PCI_NUM_IRQS; index++) {
		try_flags(&rig, index);
		if (index < VFIO_PCI_NUM_IRQS)
			try_sizes(&rig, index);
	}
	clear(&rig);
	vfio_close(&rig.dev);
}

/* Two kinds of data at once got past the comparison of count and size. */
TEST(cve_2016_9083_more_than_one_kind_of_data)
{
	static const uint32_t types[] = {
		0, NONE | BOOL, NONE | EVENTFD, BOOL | EVENTFD, NONE | BOOL | EVENTFD,
	};
	static const uint32_t counts[] = { 0, 1, 6, 0x7fffffff, 0xffffffff };
	struct vfio_dev dev;
	int32_t fds[FDS];
	uint32_t index;
	size_t i, k;

	memset(fds, 0xff, sizeof(fds));
	vfio_open(&dev, lab_bdf("e1000e"));
	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		for (i = 0; i < ARRAY_SIZE(types); i++) {
			for (k = 0; k < ARRAY_SIZE(counts); k++)
				EXPECT_ERRNO(irq_set_try(&dev, index, types[i] | TRIGGER,
							 0, counts[k], fds, sizeof(fds)),
					     EINVAL);
		}
	}
	vfio_close(&dev);
}

/* So many vectors that the last one's number, or their size, is small again. */
TEST(cve_2016_9084_size_of_vectors_overflows)
{
	unsigned int bit;
	struct vfio_dev dev;
	int32_t fds[FDS];
	uint32_t index;

	memset(fds, 0xff, sizeof(fds));
	vfio_open(&dev, lab_bdf("e1000e"));
	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		for (bit = 4; bit < 32; bit++) {
			EXPECT_ERRNO(irq_set_try(&dev, index, NONE | TRIGGER, 0,
						 1u << bit, NULL, 0), EINVAL);
			EXPECT_ERRNO(irq_set_try(&dev, index, EVENTFD | TRIGGER, 1,
						 -1u << bit, fds, sizeof(fds)), EINVAL);
			EXPECT_ERRNO(irq_set_try(&dev, index, EVENTFD | TRIGGER,
						 1u << bit, -1u << bit, fds,
						 sizeof(fds)), EINVAL);
		}
	}
	vfio_close(&dev);
}

/* Bits beyond those that are defined, one at a time. */
TEST(unknown_flags)
{
	int32_t fd = event_new();
	struct vfio_dev dev;
	unsigned int bit;

	vfio_open(&dev, lab_bdf("e1000e"));
	for (bit = 6; bit < 32; bit++)
		EXPECT_ERRNO(irq_set_try(&dev, MSIX, EVENTFD | TRIGGER | 1u << bit,
					 0, 1, &fd, 4), EINVAL);
	vfio_close(&dev);
}

TEST(argsz_short)
{
	struct vfio_irq_set set = { .flags = NONE | TRIGGER, .index = REQ };
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("e1000e"));
	for (set.argsz = 0; set.argsz < sizeof(set); set.argsz++)
		EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_SET_IRQS, &set), EINVAL);
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_SET_IRQS, NULL), EFAULT);
	vfio_close(&dev);
}

/* The size is right, the memory is not there. */
TEST(data_not_readable)
{
	struct vfio_dev dev;
	char *page, *end;

	vfio_open(&dev, lab_bdf("e1000e"));
	page = dma_alloc(8192);
	end = page + 4096;
	ASSERT_OK(munmap(end, 4096));
	*(struct vfio_irq_set *)(end - sizeof(struct vfio_irq_set)) =
		(struct vfio_irq_set){
			.argsz = sizeof(struct vfio_irq_set) + 4,
			.flags = EVENTFD | TRIGGER,
			.index = MSIX,
			.count = 1,
		};
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_SET_IRQS,
			   end - sizeof(struct vfio_irq_set)), EFAULT);
	vfio_close(&dev);
}

struct bad_fd {
	const char *name;
	int32_t fd;	/* 0: standard output */
	int want;
};

static const struct bad_fd bad_fds[] = {
	{ "not open", 9999, EBADF },
	{ "huge", INT32_MAX, EBADF },
	{ "no eventfd", 0, EINVAL },
};

TEST_EACH(bad_eventfd, bad_fds)
{
	static const uint32_t indices[] = { INTX, MSI, MSIX, ERR, REQ };
	int32_t fd = it->fd ? it->fd : STDOUT_FILENO;
	struct vfio_dev dev;
	size_t i;

	vfio_open(&dev, lab_bdf("e1000e"));
	for (i = 0; i < ARRAY_SIZE(indices); i++) {
		EXPECT_ERRNO(irq_eventfds_try(&dev, indices[i], 0, 1, &fd),
			     it->want);
		/* It enabled nothing. */
		EXPECT_ERRNO(irq_action_try(&dev, indices[i], TRIGGER, 0, 1),
			     EINVAL);
	}
	vfio_close(&dev);
}

TEST_EACH(bad_unmask_eventfd, bad_fds)
{
	int32_t fd = it->fd ? it->fd : STDOUT_FILENO, good = event_new();
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf("bridge"));
	irq_enable(&dev, INTX, 0, 1, &good);
	EXPECT_ERRNO(irq_set_try(&dev, INTX, EVENTFD | UNMASK, 0, 1, &fd, 4),
		     it->want);
	EXPECT_OK(irq_set_try(&dev, INTX, EVENTFD | UNMASK, 0, 1, &good, 4));
	vfio_close(&dev);
}

struct info {
	const char *name;
	uint32_t counts[VFIO_PCI_NUM_IRQS];
};

static const struct info infos[] = {
	{ "bridge", { 1, 1, 0, 0, 1 } },
	{ "e1000e", { 1, 1, 5, 1, 1 } },
	{ "igb", { 1, 1, 10, 1, 1 } },
	{ "testdev", { 0, 0, 0, 0, 1 } },
	{ "ivshmem", { 0, 0, 0, 0, 1 } },
};

TEST_EACH(irq_info, infos)
{
	static const uint32_t flags[] = { 0x7, 0x9, 0x1, 0x9, 0x9 };
	struct vfio_irq_info info = { .argsz = sizeof(info) };
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	for (info.index = 0; info.index < VFIO_PCI_NUM_IRQS; info.index++) {
		if (info.index == ERR && !it->counts[ERR]) {
			EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info),
				     EINVAL);
			continue;
		}
		EXPECT_OK(ioctl(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info));
		EXPECT_EQ(info.count, it->counts[info.index]);
		/* MSI-X may or may not be resizable. */
		EXPECT_EQ(info.flags & ~(info.index == MSIX ? 8 : 0),
			  flags[info.index]);
	}
	info.index = VFIO_PCI_NUM_IRQS;
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
	info.index = ~0u;
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
	info.index = INTX;
	info.argsz--;
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
	vfio_close(&dev);
}
