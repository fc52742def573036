// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of BARs: content, huge pages, bounds, and what becomes of them when
 * the device stops answering.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define BAR	2			/* of ivshmem: plain memory */
#define PAGE	4096ull
#define MIB	(1ull << 20)
#define GIB	(1ull << 30)

static void open_awake(struct vfio_dev *dev, const char *name)
{
	vfio_open(dev, lab_bdf(name));
	cfg_command(dev, PCI_COMMAND_MEMORY, 0);
}

static unsigned long faults(void)
{
	struct rusage usage;

	ASSERT_OK(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt + usage.ru_majflt;
}

/* Map @len bytes at @pos to an address that is @skew past a gigabyte's edge. */
static uint8_t *map_at(struct vfio_dev *dev, uint64_t pos, size_t len,
		       size_t skew)
{
	uint8_t *room, *addr;

	room = mmap(NULL, len + skew + GIB, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT(room != MAP_FAILED);
	addr = (uint8_t *)(((uintptr_t)room + GIB - 1) & ~(GIB - 1)) + skew;
	addr = mmap(addr, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    dev->fd, vfio_region_offset(dev, BAR) + pos);
	ASSERT(addr != MAP_FAILED);
	return addr;
}

static uint64_t mark(uint64_t pos)
{
	return (pos + 1) * 0x9e3779b97f4a7c15ull;
}

static void write_marks(uint8_t *map, uint64_t len)
{
	uint64_t pos;

	for (pos = 0; pos < len; pos += PAGE)
		*(volatile uint64_t *)(map + pos) = mark(pos);
}

TEST_LIMIT(every_page_is_the_right_one, 120)
{
	unsigned long before, taken;
	struct vfio_dev dev;
	uint64_t pos, size;
	uint8_t *map;

	open_awake(&dev, "ivshmem");
	size = vfio_region(&dev, BAR).info.size;
	ASSERT_EQ(size, GIB);
	map = map_at(&dev, 0, size, 0);
	before = faults();
	write_marks(map, size);
	taken = faults() - before;
	test_note("%lu faults for %llu pages", taken,
		  (unsigned long long)(size / PAGE));
	EXPECT_LE(taken, 64u);

	for (pos = 0; pos < size; pos += PAGE * 16 - (pos / PAGE) % 7 * PAGE)
		ASSERT_EQ(region_get(&dev, BAR, pos, 8), mark(pos));
	ASSERT_OK(munmap(map, size));

	/* Once more through a mapping of which no page is huge by luck. */
	map = map_at(&dev, 0, size, 2 * MIB);
	before = faults();
	for (pos = 0; pos < size; pos += PAGE)
		ASSERT_EQ(*(volatile uint64_t *)(map + pos), mark(pos));
	taken = faults() - before;
	test_note("%lu faults two megabytes off", taken);
	EXPECT_LE(taken, 2048u);
	vfio_close(&dev);
}

struct window {
	const char *name;
	uint64_t pos;
	uint64_t len;
	uint64_t skew;
	unsigned int most;	/* faults, at most */
};

/* Virtual and physical address differ in alignment, or the ends are ragged. */
static const struct window windows[] = {
	{ "one-page", 0x5000, PAGE, 0, 1 },
	{ "five-pages", 0x3000, 5 * PAGE, 0, 5 },
	{ "aligned", 64 * MIB, 8 * MIB, 0, 8 },
	{ "address-off-by-a-page", 0, 4 * MIB, PAGE, 1024 },
	{ "offset-off-by-a-page", 2 * MIB + PAGE, 4 * MIB, 0, 1024 },
	{ "both-off-by-a-page", 2 * MIB + PAGE, 6 * MIB, PAGE, 1030 },
	{ "ragged-ends", 2 * MIB - PAGE, 4 * MIB + 2 * PAGE, 2 * MIB - PAGE, 8 },
	{ "last-pages", GIB - 3 * PAGE, 3 * PAGE, 0, 3 },
};

TEST_EACH_LIMIT(windows_show_the_right_pages, windows, 60)
{
	unsigned long before, taken;
	struct vfio_dev dev;
	uint64_t pos;
	uint8_t *map;

	open_awake(&dev, "ivshmem");
	for (pos = 0; pos < it->len; pos += PAGE)
		region_put(&dev, BAR, it->pos + pos, 8, mark(it->pos + pos));
	map = map_at(&dev, it->pos, it->len, it->skew);
	before = faults();
	for (pos = 0; pos < it->len; pos += PAGE)
		ASSERT_EQ(*(volatile uint64_t *)(map + pos), mark(it->pos + pos));
	taken = faults() - before;
	test_note("%lu faults", taken);
	EXPECT_LE(taken, it->most);
	vfio_close(&dev);
}

struct bad_map {
	const char *name;
	uint32_t index;
	uint64_t pos;
	uint64_t len;
	int flags;
};

static const struct bad_map bad_maps[] = {
	{ "a-page-too-long", BAR, 0, GIB + PAGE, MAP_SHARED },
	{ "past-the-end", BAR, GIB, PAGE, MAP_SHARED },
	{ "across-the-end", BAR, GIB - PAGE, 2 * PAGE, MAP_SHARED },
	{ "far-past-the-end", BAR, (1ull << 40) - PAGE, PAGE, MAP_SHARED },
	{ "into-the-next-region", BAR, (1ull << 40) - PAGE, 2 * PAGE, MAP_SHARED },
	{ "private", BAR, 0, PAGE, MAP_PRIVATE },
	{ "missing-bar", 3, 0, PAGE, MAP_SHARED },
	{ "rom", VFIO_PCI_ROM_REGION_INDEX, 0, PAGE, MAP_SHARED },
	{ "config", VFIO_PCI_CONFIG_REGION_INDEX, 0, PAGE, MAP_SHARED },
	{ "vga", VFIO_PCI_VGA_REGION_INDEX, 0xa0000, PAGE, MAP_SHARED },
	{ "no-such-region", VFIO_PCI_NUM_REGIONS, 0, PAGE, MAP_SHARED },
	{ "region-far-away", 1u << 22, 0, PAGE, MAP_SHARED },
};

TEST_EACH(maps_that_are_refused, bad_maps)
{
	struct vfio_dev dev;
	void *addr;

	open_awake(&dev, "ivshmem");
	addr = mmap(NULL, it->len, PROT_READ, it->flags, dev.fd,
		    ((uint64_t)it->index << 40) + it->pos);
	EXPECT(addr == MAP_FAILED);
	EXPECT_EQ(errno, EINVAL);
	vfio_close(&dev);
}

/* The page offset of mmap2-style callers wraps around when made into bytes. */
TEST(page_offset_overflow_is_refused)
{
	struct vfio_dev dev;
	unsigned int shift;
	void *addr;

	open_awake(&dev, "ivshmem");
	for (shift = 43; shift < 64; shift++) {
		addr = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, dev.fd,
			    1ull << shift | 2ull << 40);
		EXPECT(addr == MAP_FAILED);
	}
	addr = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, dev.fd, -PAGE);
	EXPECT(addr == MAP_FAILED);
	vfio_close(&dev);
}

/* BARs smaller than a page may be mapped with the page they have for themselves. */
TEST(bar_smaller_than_a_page)
{
	struct vfio_region region;
	volatile uint32_t *map;
	struct vfio_dev dev;

	open_awake(&dev, "ivshmem");
	region = vfio_region(&dev, 0);
	ASSERT_EQ(region.info.size, 256u);
	if (!(region.info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		SKIP("the page is shared with another BAR");
	map = bar_map_try(&dev, 0, 0, PAGE);
	ASSERT(map);
	map[0] = 0x55aa;	/* interrupt mask */
	EXPECT_EQ(map[0], 0x55aau);
	EXPECT_EQ(region_get(&dev, 0, 0, 4), 0x55aau);
	EXPECT(!bar_map_try(&dev, 0, 0, 2 * PAGE));
	vfio_close(&dev);
}

static void memory_off(struct vfio_dev *dev)
{
	cfg_command(dev, 0, PCI_COMMAND_MEMORY);
}

static void memory_on(struct vfio_dev *dev)
{
	cfg_command(dev, PCI_COMMAND_MEMORY, 0);
}

TEST(cve_2020_12888_memory_off_is_a_bus_error)
{
	uint32_t val = 0;
	struct vfio_dev dev;
	uint8_t *map;

	open_awake(&dev, "ivshmem");
	map = map_at(&dev, 0, 4 * MIB, 0);
	ASSERT(!store_faults(map, 0x600d));
	memory_off(&dev);
	EXPECT(load_faults(map, &val));
	EXPECT(store_faults(map + 2 * MIB, 1));
	EXPECT_ERRNO(region_read_try(&dev, BAR, 0, &val, 4), EIO);
	EXPECT_ERRNO(region_write_try(&dev, BAR, 0, &val, 4), EIO);
	EXPECT_ERRNO(region_read_try(&dev, BAR, 0, &val, 1), EIO);
	memory_on(&dev);
	EXPECT(!load_faults(map, &val));
	EXPECT_EQ(val, 0x600du);
	EXPECT_EQ(region_get(&dev, BAR, 0, 4), 0x600du);
	vfio_close(&dev);
}

/* A byte write of COMMAND is as good as a word. */
TEST(cve_2020_12888_by_a_byte_and_a_dword)
{
	struct vfio_dev dev;
	uint32_t val;
	uint8_t *map;

	open_awake(&dev, "ivshmem");
	map = map_at(&dev, 0, 4 * MIB, 0);
	ASSERT(!load_faults(map, &val));
	cfg_put8(&dev, PCI_COMMAND, 0);
	EXPECT(load_faults(map, &val));
	memory_on(&dev);
	EXPECT(!load_faults(map, &val));
	cfg_put32(&dev, PCI_COMMAND, 0);
	EXPECT(load_faults(map, &val));
	memory_on(&dev);
	EXPECT(!load_faults(map, &val));
	vfio_close(&dev);
}

struct process {
	pid_t pid;
	int go;		/* write a byte here ... */
	int done;	/* ... and read one here */
};

/* A child that says whether touching @addr faults, each time it is asked. */
static void ask_loop(int go, int done, const void *addr)
{
	uint32_t val;
	char answer;

	while (read(go, &answer, 1) == 1) {
		answer = load_faults(addr, &val) ? 'F' : '.';
		if (write(done, &answer, 1) != 1)
			break;
	}
	_exit(0);
}

static char ask(const struct process *process)
{
	char answer = '?';

	ASSERT_EQ(write(process->go, "?", 1), 1);
	ASSERT_EQ(read(process->done, &answer, 1), 1);
	return answer;
}

static void fork_toucher(struct process *process, const void *addr)
{
	int go[2], done[2];

	ASSERT_OK(pipe(go));
	ASSERT_OK(pipe(done));
	process->pid = fork();
	ASSERT_OK(process->pid);
	if (!process->pid) {
		close(go[1]);
		ask_loop(go[0], done[1], addr);
	}
	close(go[0]);
	close(done[1]);
	process->go = go[1];
	process->done = done[0];
}

/* CVE-2024-27022's backport left the child its page tables. */
TEST(cve_2020_12888_in_a_forked_child)
{
	struct process touched, untouched;
	struct vfio_dev dev;
	uint8_t *map;

	open_awake(&dev, "ivshmem");
	map = map_at(&dev, 0, 4 * MIB, PAGE);
	ASSERT(!store_faults(map, 1));
	fork_toucher(&touched, map);
	fork_toucher(&untouched, map + PAGE);
	EXPECT_EQ(ask(&touched), '.');
	memory_off(&dev);
	EXPECT_EQ(ask(&touched), 'F');
	EXPECT_EQ(ask(&untouched), 'F');
	memory_on(&dev);
	EXPECT_EQ(ask(&touched), '.');
	EXPECT_EQ(ask(&untouched), '.');
	vfio_close(&dev);
}

TEST(cve_2020_12888_after_mremap_and_munmap)
{
	uint8_t *map, *moved, *room;
	struct vfio_dev dev;
	uint32_t val;

	open_awake(&dev, "ivshmem");
	map = map_at(&dev, 0, 8 * PAGE, PAGE);
	ASSERT(!store_faults(map + 6 * PAGE, 0xabc));
	ASSERT_OK(munmap(map, 2 * PAGE));
	ASSERT(!load_faults(map + 6 * PAGE, &val));

	room = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(room != MAP_FAILED);
	moved = mremap(map + 6 * PAGE, 2 * PAGE, 2 * PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, room);
	ASSERT(moved == room);
	ASSERT(!load_faults(moved, &val));
	EXPECT_EQ(val, 0xabcu);
	ASSERT(!load_faults(map + 3 * PAGE, &val));

	memory_off(&dev);
	EXPECT(load_faults(moved, &val));
	EXPECT(load_faults(moved + PAGE, &val));
	EXPECT(load_faults(map + 3 * PAGE, &val));
	memory_on(&dev);
	EXPECT(!load_faults(moved, &val));
	EXPECT_EQ(val, 0xabcu);
	vfio_close(&dev);
}

static void send_fd(int sock, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	ASSERT_EQ(sendmsg(sock, &msg, 0), 1);
}

static int receive_fd(int sock)
{
	char space[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		_exit(1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* The other process has no memory in common with us, only the descriptor. */
static void stranger(int sock)
{
	void *map;
	int fd;

	fd = receive_fd(sock);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   (uint64_t)BAR << 40);
	if (map == MAP_FAILED)
		_exit(1);
	ask_loop(sock, sock, map);
}

TEST(cve_2020_12888_in_a_process_that_got_the_descriptor)
{
	struct process other;
	struct vfio_dev dev;
	int sock[2];

	ASSERT_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	other.pid = fork();
	ASSERT_OK(other.pid);
	if (!other.pid) {
		close(sock[0]);
		stranger(sock[1]);
	}
	close(sock[1]);
	other.go = sock[0];
	other.done = sock[0];
	open_awake(&dev, "ivshmem");
	send_fd(sock[0], dev.fd);
	EXPECT_EQ(ask(&other), '.');
	memory_off(&dev);
	EXPECT_EQ(ask(&other), 'F');
	memory_on(&dev);
	EXPECT_EQ(ask(&other), '.');
	vfio_reset(&dev);
	memory_on(&dev);
	EXPECT_EQ(ask(&other), '.');
	vfio_close(&dev);
}

/* The mapping outlives every descriptor; the device stays open for it. */
TEST(mapping_keeps_the_device_open)
{
	struct vfio_dev dev, again;
	uint32_t val;
	uint8_t *map;

	open_awake(&dev, "ivshmem");
	map = map_at(&dev, 0, 4 * MIB, 0);
	ASSERT(!store_faults(map, 77));
	close(dev.fd);
	EXPECT(!load_faults(map + 2 * MIB, &val));
	EXPECT(!load_faults(map, &val));
	EXPECT_EQ(val, 77u);
	ASSERT_OK(munmap(map, 4 * MIB));
	vfio_group_close(&dev.group);
	vfio_open(&again, lab_bdf("ivshmem"));
	vfio_close(&again);
}
