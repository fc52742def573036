// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several threads at one device.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define THREADS		8
#define BAR		2	/* of ivshmem: plain memory */

struct crew {
	struct vfio_dev *dev;
	pthread_barrier_t start;
	atomic_bool stop;
	atomic_int failed;	/* errno, or -1 for wrong data */
	atomic_int next;	/* number for the next thread */
	atomic_ulong rounds;
};

static void crew_init(struct crew *crew, struct vfio_dev *dev, unsigned int size)
{
	memset(crew, 0, sizeof(*crew));
	crew->dev = dev;
	ASSERT_EQ(pthread_barrier_init(&crew->start, NULL, size), 0);
}

static void crew_run(struct crew *crew, void *(*const fn[])(void *),
		     unsigned int count, unsigned int ms)
{
	pthread_t threads[THREADS];
	unsigned int i;

	for (i = 0; i < count; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, fn[i], crew), 0);
	if (ms)
		usleep(ms * 1000 * test_soak());
	crew->stop = true;
	for (i = 0; i < count; i++)
		ASSERT_EQ(pthread_join(threads[i], NULL), 0);
	if (ms)
		test_note("%lu rounds", (unsigned long)crew->rounds);
}

static void crew_fail(struct crew *crew, int why)
{
	crew->failed = why ? why : -1;
}

static void *first_read(void *arg)
{
	struct crew *crew = arg;
	uint32_t val;

	pthread_barrier_wait(&crew->start);
	if (pread(crew->dev->fd, &val, 4, (uint64_t)BAR << 40) != 4)
		crew_fail(crew, errno);
	return NULL;
}

static void *first_map(void *arg)
{
	struct crew *crew = arg;
	void *map;

	pthread_barrier_wait(&crew->start);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, crew->dev->fd,
		   (uint64_t)BAR << 40);
	if (map == MAP_FAILED)
		crew_fail(crew, errno);
	else
		munmap(map, 4096);
	return NULL;
}

static void *first_ioeventfd(void *arg)
{
	struct crew *crew = arg;
	struct vfio_device_ioeventfd io = {
		.argsz = sizeof(io),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = ((uint64_t)BAR << 40) + 0x1000 * ++crew->next,
		.data = 1,
		.fd = event_new(),
	};

	pthread_barrier_wait(&crew->start);
	if (ioctl(crew->dev->fd, VFIO_DEVICE_IOEVENTFD, &io))
		crew_fail(crew, errno);
	return NULL;
}

/*
 * Two that find a BAR unclaimed must not both claim it. Fails on the
 * distribution's 6.12.117: BARs are claimed by whoever comes first, without a
 * lock, and in some of the rounds the second is told EBUSY.
 */
TEST_LIMIT(barmap_race_at_first_touch, 60)
{
	static void *(*const fn[THREADS])(void *) = {
		first_read, first_map, first_ioeventfd, first_read,
		first_map, first_ioeventfd, first_read, first_map,
	};
	struct vfio_dev dev;
	struct crew crew;
	unsigned int i;

	if (lab_stock())
		SKIP("claims BARs without a lock");
	for (i = 0; i < 40; i++) {
		vfio_open(&dev, lab_bdf("ivshmem"));
		cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
		crew_init(&crew, &dev, THREADS);
		crew_run(&crew, fn, THREADS, 0);
		EXPECT_EQ((int)crew.failed, 0);
		vfio_close(&dev);
	}
}

/* A word is written at once and read at once: never half old, half new. */
static void *write_bar_register(void *arg)
{
	const uint64_t pos = ((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) +
			     PCI_BASE_ADDRESS_0;
	struct crew *crew = arg;
	uint32_t val = ++crew->next & 1 ? 0x11100000 : 0xeee00000;

	while (!crew->stop) {
		if (pwrite(crew->dev->fd, &val, 4, pos) != 4)
			crew_fail(crew, errno);
		crew->rounds++;
	}
	return NULL;
}

static void *read_bar_register(void *arg)
{
	const uint64_t pos = ((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) +
			     PCI_BASE_ADDRESS_0;
	struct crew *crew = arg;
	uint32_t val;

	while (!crew->stop) {
		if (pread(crew->dev->fd, &val, 4, pos) != 4)
			crew_fail(crew, errno);
		else if (val != 0x11100000 && val != 0xeee00000)
			crew_fail(crew, -1);
		crew->rounds++;
	}
	return NULL;
}

TEST_LIMIT(config_registers_do_not_tear, 60)
{
	static void *(*const fn[4])(void *) = {
		write_bar_register, write_bar_register, read_bar_register,
		read_bar_register,
	};
	struct vfio_dev dev;
	struct crew crew;

	vfio_open(&dev, lab_bdf("edu"));
	cfg_put32(&dev, PCI_BASE_ADDRESS_0, 0x11100000);
	crew_init(&crew, &dev, 1);
	crew_run(&crew, fn, 4, 3000);
	EXPECT_EQ((int)crew.failed, 0);
	vfio_close(&dev);
}

/* A byte for each thread, two of them in one register; 128 KiB: bit 0 reads 0. */
static const unsigned int own_bytes[] = {
	PCI_BASE_ADDRESS_0 + 3, PCI_BASE_ADDRESS_0 + 2, PCI_INTERRUPT_LINE,
};

static void *own_byte(void *arg)
{
	uint64_t pos = (uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40;
	struct crew *crew = arg;
	uint8_t val = 0, seen;

	pos += own_bytes[crew->next++];
	while (!crew->stop) {
		val += 34;
		if (pwrite(crew->dev->fd, &val, 1, pos) != 1 ||
		    pread(crew->dev->fd, &seen, 1, pos) != 1)
			crew_fail(crew, errno);
		else if (seen != val)
			crew_fail(crew, -1);
		crew->rounds++;
	}
	return NULL;
}

static void *toggle_memory(void *arg)
{
	const uint64_t pos = ((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) +
			     PCI_COMMAND;
	struct crew *crew = arg;
	uint16_t off = 0, on = PCI_COMMAND_MEMORY;

	while (!crew->stop) {
		if (pwrite(crew->dev->fd, &off, 2, pos) != 2 ||
		    pwrite(crew->dev->fd, &on, 2, pos) != 2)
			crew_fail(crew, errno);
		crew->rounds++;
	}
	return NULL;
}

TEST_LIMIT(config_writes_do_not_undo_each_other, 60)
{
	static void *(*const fn[4])(void *) = {
		own_byte, own_byte, own_byte, toggle_memory,
	};
	struct vfio_dev dev;
	struct crew crew;

	vfio_open(&dev, lab_bdf("e1000e"));
	crew_init(&crew, &dev, 1);
	crew_run(&crew, fn, 4, 3000);
	EXPECT_EQ((int)crew.failed, 0);
	vfio_close(&dev);
}

static void *map_and_touch(void *arg)
{
	struct crew *crew = arg;
	uint8_t *map;
	uint32_t val;

	while (!crew->stop) {
		map = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_SHARED,
			   crew->dev->fd, (uint64_t)BAR << 40);
		if (map == MAP_FAILED) {
			crew_fail(crew, errno);
			break;
		}
		/* With memory off a fault is right; wrong data never is. */
		if (!load_faults(map + 0x3000, &val) && val != 0x5afe)
			crew_fail(crew, -1);
		store_faults(map + 0x5000, 1);
		if (munmap(map, 4 << 20))
			crew_fail(crew, errno);
		crew->rounds++;
	}
	return NULL;
}

static void *read_memory(void *arg)
{
	struct crew *crew = arg;
	uint32_t val;
	ssize_t ret;

	while (!crew->stop) {
		ret = pread(crew->dev->fd, &val, 4, ((uint64_t)BAR << 40) + 0x3000);
		if (ret == 4 ? val != 0x5afe : errno != EIO)
			crew_fail(crew, ret == 4 ? -1 : errno);
		crew->rounds++;
	}
	return NULL;
}

static void *reset_often(void *arg)
{
	struct crew *crew = arg;

	while (!crew->stop) {
		if (vfio_hot_reset_try(crew->dev))
			crew_fail(crew, errno);
		crew->rounds++;
		usleep(20000);
	}
	return NULL;
}

/* load_faults() has one handler for all threads: it must stay installed. */
static void keep_handler(struct vfio_dev *dev, uint8_t **map)
{
	*map = bar_map_try(dev, BAR, 0, 4096);
	ASSERT(*map);
}

TEST_LIMIT(munmap_against_fault_against_memory_off, 60)
{
	static void *(*const fn[4])(void *) = {
		map_and_touch, toggle_memory, read_memory, toggle_memory,
	};
	struct vfio_dev dev;
	struct crew crew;
	uint8_t *map;

	vfio_open(&dev, lab_bdf("ivshmem"));
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	region_put(&dev, BAR, 0x3000, 4, 0x5afe);
	keep_handler(&dev, &map);
	crew_init(&crew, &dev, 1);
	crew_run(&crew, fn, 4, 4000);
	EXPECT_EQ((int)crew.failed, 0);
	vfio_close(&dev);
}

/*
 * A hot reset waits for those who are in the device's memory. Fails on the
 * distribution's 6.12.117: it only tries the lock and says EBUSY.
 */
TEST_LIMIT(hot_reset_against_faults_is_never_busy, 60)
{
	static void *(*const fn[4])(void *) = {
		reset_often, map_and_touch, read_memory, read_memory,
	};
	struct vfio_dev dev;
	struct crew crew;
	uint8_t *map;

	if (lab_stock())
		SKIP("hot reset only tries memory_lock");
	vfio_open(&dev, lab_bdf("ivshmem"));
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	region_put(&dev, BAR, 0x3000, 4, 0x5afe);
	keep_handler(&dev, &map);
	crew_init(&crew, &dev, 1);
	crew_run(&crew, fn, 4, 4000);
	EXPECT_EQ((int)crew.failed, 0);
	vfio_close(&dev);
}
