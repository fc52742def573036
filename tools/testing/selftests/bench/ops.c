// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations that a virtual machine's monitor or a driver in user space does,
 * from the most frequent to the rarest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define BAR(n)		(VFIO_PCI_BAR0_REGION_INDEX + (n))
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define ROM		VFIO_PCI_ROM_REGION_INDEX
#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define MSI		VFIO_PCI_MSI_IRQ_INDEX
#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX

#define VECTORS		10	/* igb has as many */
#define IGB_MSIX_BAR	3
#define KICKS		500
#define KICK_POS	0x4	/* edu's liveness register: nothing happens */

static char buffer[64 << 10];

/* Regions' offsets without asking: asking is what others measure */
static off_t at(unsigned int region, off_t pos)
{
	return ((off_t)region << 40) + pos;
}

static void get(struct vfio_dev *dev, off_t offset, size_t len)
{
	ASSERT_EQ(pread(dev->fd, buffer, len, offset), len);
}

static void put(struct vfio_dev *dev, off_t offset, size_t len)
{
	ASSERT_EQ(pwrite(dev->fd, buffer, len, offset), len);
}

void base_ioctl(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	ioctl(dev->fd, _IO(VFIO_TYPE, VFIO_BASE + 99));
}

void base_pread(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	pread(dev->fd, buffer, 0, at(CONFIG, 0));
}

/* ---- config space -------------------------------------------------------- */

static void cfg_read(struct vfio_dev *dev, unsigned int pos)
{
	get(dev, at(CONFIG, pos), 4);
}

static void cfg_write(struct vfio_dev *dev, unsigned int pos)
{
	put(dev, at(CONFIG, pos), pos == PCI_CACHE_LINE_SIZE ? 1 : 4);
}

static void command_write(struct vfio_dev *dev, unsigned int val)
{
	uint16_t command = val;

	ASSERT_EQ(pwrite(dev->fd, &command, 2, at(CONFIG, PCI_COMMAND)), 2);
}

static void memory_off_and_on(struct vfio_dev *dev, unsigned int val)
{
	command_write(dev, val & ~PCI_COMMAND_MEMORY);
	command_write(dev, val);
}

/* ---- device memory ------------------------------------------------------- */

static void bar2_read(struct vfio_dev *dev, unsigned int len)
{
	get(dev, at(BAR(2), 0), len);
}

static void bar2_write(struct vfio_dev *dev, unsigned int len)
{
	put(dev, at(BAR(2), 0), len);
}

static void msix_table_read(struct vfio_dev *dev, unsigned int len)
{
	get(dev, at(BAR(IGB_MSIX_BAR), 0), len);
}

static void rom_read(struct vfio_dev *dev, unsigned int len)
{
	get(dev, at(ROM, 0), len);
}

static void *window;
static size_t window_size;

static void window_map(struct vfio_dev *dev, size_t align_off, size_t len)
{
	char *space = mmap(NULL, len + (2UL << 30), PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t where;

	ASSERT_NE((intptr_t)space, -1);
	where = ((uintptr_t)space + (1UL << 30) - 1) & ~((1UL << 30) - 1);
	munmap(space, len + (2UL << 30));
	window_size = len;
	window = mmap((char *)where + align_off, len, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_FIXED_NOREPLACE, dev->fd, at(BAR(2), 0));
	ASSERT_NE((intptr_t)window, -1);
}

static void map_one_page(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	window_map(dev, 0, 4096);
}

static void map_all_aligned(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	window_map(dev, 0, 1UL << 30);
}

static void map_misaligned(struct vfio_dev *dev, unsigned int mib)
{
	window_map(dev, 4096, (size_t)mib << 20);
}

static void unmap(struct vfio_dev *dev, unsigned int arg)
{
	(void)dev;
	(void)arg;
	munmap(window, window_size);
}

static void touch_first(struct vfio_dev *dev, unsigned int arg)
{
	(void)dev;
	(void)arg;
	*(volatile char *)window;
}

static void touch_all(struct vfio_dev *dev, unsigned int arg)
{
	size_t pos;

	(void)dev;
	(void)arg;
	for (pos = 0; pos < window_size; pos += 4096)
		((volatile char *)window)[pos];
}

/* ---- information --------------------------------------------------------- */

static void get_info(struct vfio_dev *dev, unsigned int arg)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	(void)arg;
	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info));
}

static void region_info(struct vfio_dev *dev, unsigned int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info));
}

static void irq_info(struct vfio_dev *dev, unsigned int index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, &info));
}

/* ---- interrupts ---------------------------------------------------------- */

static int32_t fds[VECTORS];

static void events(void)
{
	unsigned int i;

	for (i = 0; i < VECTORS && !fds[i]; i++)
		fds[i] = event_new();
}

static void events_ready(struct vfio_dev *dev, unsigned int arg)
{
	(void)dev;
	(void)arg;
	events();
}

static void msix_enable(struct vfio_dev *dev, unsigned int count)
{
	irq_enable(dev, MSIX, 0, count, fds);
}

static void msix_enable_singly(struct vfio_dev *dev, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		irq_enable(dev, MSIX, i, 1, fds + i);
}

static void msix_ready(struct vfio_dev *dev, unsigned int count)
{
	events();
	msix_enable(dev, count);
}

static void msix_disable(struct vfio_dev *dev, unsigned int count)
{
	(void)count;
	irq_disable(dev, MSIX);
}

static void msix_loopback(struct vfio_dev *dev, unsigned int count)
{
	(void)count;
	irq_trigger(dev, MSIX, 0);
}

static void edu_msi_ready(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	events();
	cfg_command(dev, PCI_COMMAND_MASTER, 0);
	irq_enable(dev, MSI, 0, 1, fds);
}

static void edu_msi(struct vfio_dev *dev, unsigned int arg)
{
	uint32_t raise = 2;
	uint64_t count;

	(void)arg;
	pwrite(dev->fd, &raise, 4, at(BAR(0), EDU_IRQ_RAISE));
	read(fds[0], &count, sizeof(count));
}

static void edu_msi_done(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	edu_ack(dev);
	irq_disable(dev, MSI);
}

static void intx_enable(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	irq_enable(dev, INTX, 0, 1, fds);
}

static void intx_ready(struct vfio_dev *dev, unsigned int arg)
{
	events();
	intx_enable(dev, arg);
}

static void intx_disable(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	irq_disable(dev, INTX);
}

static void intx_mask_now(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	intx_mask(dev);
}

static void intx_ready_masked(struct vfio_dev *dev, unsigned int arg)
{
	intx_ready(dev, arg);
	intx_mask(dev);
}

static void intx_unmask_now(struct vfio_dev *dev, unsigned int arg)
{
	(void)arg;
	intx_unmask(dev);
}

/* ---- ioeventfds ---------------------------------------------------------- */

static void kick_set(struct vfio_dev *dev, uint64_t data, int fd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = at(BAR(0), KICK_POS),
		.data = data,
		.fd = fd,
	};

	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_IOEVENTFD, &arg));
}

/* @count of them are there already */
static void kicks_ready(struct vfio_dev *dev, unsigned int count)
{
	events();
	while (count--)
		kick_set(dev, count, fds[0]);
}

static void kick_add(struct vfio_dev *dev, unsigned int count)
{
	kick_set(dev, count, fds[1]);
}

static void kicks_done(struct vfio_dev *dev, unsigned int count)
{
	do
		kick_set(dev, count, -1);
	while (count--);
}

static void kick_ready(struct vfio_dev *dev, unsigned int arg)
{
	events();
	kick_add(dev, arg);
}

static void kick(struct vfio_dev *dev, unsigned int arg)
{
	(void)dev;
	(void)arg;
	event_kick(fds[1]);
}

/* ---- life ---------------------------------------------------------------- */

static struct vfio_group group;
static int opened;

static const char *const names[] = { "edu", "e1000e", "nvme", "igb" };

/* igb stands for its first virtual function */
static const char *bdf_of(unsigned int arg)
{
	static char vf[BDF_LEN];

	if (arg != 3)
		return lab_bdf(names[arg]);
	if (!vf[0]) {
		module_load("igb", NULL);
		pci_bind(lab_bdf("igb"), "igb");
		pci_attr_write(lab_bdf("igb"), "sriov_numvfs", "1");
		lab_neighbour(vf, lab_bdf("igb"), 0x10, 0);
		pci_bind(vf, "vfio-pci");
	}
	return vf;
}

static void open_ready(struct vfio_dev *dev, unsigned int arg)
{
	(void)dev;
	if (!pci_driver_is(bdf_of(arg), "vfio-pci"))
		pci_bind(bdf_of(arg), "vfio-pci");
	vfio_group_open(&group, bdf_of(arg));
}

static void open_now(struct vfio_dev *dev, unsigned int arg)
{
	(void)dev;
	opened = vfio_fd_try(&group, bdf_of(arg));
	ASSERT_GE(opened, 0);
}

static void close_now(struct vfio_dev *dev, unsigned int arg)
{
	(void)dev;
	(void)arg;
	close(opened);
}

static void close_done(struct vfio_dev *dev, unsigned int arg)
{
	(void)dev;
	(void)arg;
	vfio_group_close(&group);
}

static void open_done(struct vfio_dev *dev, unsigned int arg)
{
	close_now(dev, arg);
	close_done(dev, arg);
}

static void close_ready(struct vfio_dev *dev, unsigned int arg)
{
	open_ready(dev, arg);
	open_now(dev, arg);
}

static void reset_now(struct vfio_dev *dev, unsigned int arg)
{
	(void)dev;
	(void)arg;
	ASSERT_OK(ioctl(opened, VFIO_DEVICE_RESET));
}

#define COMMAND_ON	(PCI_COMMAND_MEMORY | PCI_COMMAND_IO)

#define OP(label, dev_name, from, call, number, ...)			\
	{ .name = label, .device = dev_name, .base = BASE_##from,	\
	  .run = call, .arg = number, ##__VA_ARGS__ }
#define LIFE(label, call, which, ready, done)				\
	{ .name = label, .sleeps = true, .prepare = ready,		\
	  .run = call, .undo = done, .arg = which }

const struct op ops[] = {
	OP("config read, ids", "e1000e", PREAD, cfg_read, PCI_VENDOR_ID),
	OP("config read, a BAR", "e1000e", PREAD, cfg_read, PCI_BASE_ADDRESS_0),
	OP("config write, a BAR", "e1000e", PREAD, cfg_write, PCI_BASE_ADDRESS_0,
	   .prepare = cfg_read),
	OP("config write, cache line", "e1000e", PREAD, cfg_write,
	   PCI_CACHE_LINE_SIZE, .prepare = cfg_read),
	OP("COMMAND write, no change", "e1000e", PREAD, command_write, COMMAND_ON,
	   .prepare = command_write),
	OP("COMMAND write, memory off and on", "e1000e", PREAD,
	   memory_off_and_on, COMMAND_ON),

	OP("BAR read, 4 bytes", "ivshmem", PREAD, bar2_read, 4),
	OP("BAR write, 4 bytes", "ivshmem", PREAD, bar2_write, 4),
	OP("BAR read, 4 KiB", "ivshmem", PREAD, bar2_read, 4 << 10),
	OP("BAR read, 64 KiB", "ivshmem", PREAD, bar2_read, 64 << 10),
	OP("BAR write, 64 KiB", "ivshmem", PREAD, bar2_write, 64 << 10),
	OP("MSI-X table read, 160 bytes", "igb", PREAD, msix_table_read, 160),
	OP("ROM read, 4 KiB", "e1000e", PREAD, rom_read, 4 << 10),
	OP("page fault", "ivshmem", NONE, touch_first, 0,
	   .prepare = map_one_page, .undo = unmap),
	OP("first touch of 1 GiB", "ivshmem", NONE, touch_first, 0,
	   .prepare = map_all_aligned, .undo = unmap),
	OP("touch of 32 MiB, misaligned", "ivshmem", NONE, touch_all, 32,
	   .prepare = map_misaligned, .undo = unmap),

	OP("device info", "e1000e", IOCTL, get_info, 0),
	OP("region info, BAR 0", "e1000e", IOCTL, region_info, BAR(0)),
	OP("region info, MSI-X BAR", "igb", IOCTL, region_info, BAR(IGB_MSIX_BAR)),
	OP("region info, ROM", "e1000e", IOCTL, region_info, ROM),
	OP("irq info, INTx", "e1000e", IOCTL, irq_info, INTX),
	OP("irq info, MSI-X", "e1000e", IOCTL, irq_info, MSIX),

	OP("MSI to eventfd and read", "edu", NONE, edu_msi, 0,
	   .prepare = edu_msi_ready, .undo = edu_msi_done),
	OP("MSI-X loopback", "igb", IOCTL, msix_loopback, 1,
	   .prepare = msix_ready, .undo = msix_disable),
	OP("MSI-X enable, 1 vector", "igb", IOCTL, msix_enable, 1,
	   .prepare = events_ready, .undo = msix_disable),
	OP("MSI-X enable, 10 vectors", "igb", IOCTL, msix_enable, VECTORS,
	   .prepare = events_ready, .undo = msix_disable),
	OP("MSI-X enable, 10 one by one", "igb", NONE, msix_enable_singly, VECTORS,
	   .prepare = events_ready, .undo = msix_disable),
	OP("MSI-X disable, 10 vectors", "igb", IOCTL, msix_disable, VECTORS,
	   .prepare = msix_ready),
	OP("INTx enable", "e1000e", IOCTL, intx_enable, 0,
	   .prepare = events_ready, .undo = intx_disable),
	OP("INTx mask", "e1000e", IOCTL, intx_mask_now, 0,
	   .prepare = intx_ready, .undo = intx_disable),
	OP("INTx unmask", "e1000e", IOCTL, intx_unmask_now, 0,
	   .prepare = intx_ready_masked, .undo = intx_disable),
	OP("ioeventfd add, the first", "edu", IOCTL, kick_add, 0,
	   .prepare = kicks_ready, .undo = kicks_done),
	OP("ioeventfd add, the 500th", "edu", IOCTL, kick_add, KICKS,
	   .prepare = kicks_ready, .undo = kicks_done),
	OP("ioeventfd kick", "edu", NONE, kick, 0,
	   .prepare = kick_ready, .undo = kicks_done),

	LIFE("open edu", open_now, 0, open_ready, open_done),
	LIFE("open e1000e", open_now, 1, open_ready, open_done),
	LIFE("open nvme", open_now, 2, open_ready, open_done),
	LIFE("open igb VF", open_now, 3, open_ready, open_done),
	LIFE("close edu", close_now, 0, close_ready, close_done),
	LIFE("close e1000e", close_now, 1, close_ready, close_done),
	LIFE("close nvme", close_now, 2, close_ready, close_done),
	LIFE("close igb VF", close_now, 3, close_ready, close_done),
	LIFE("reset e1000e", reset_now, 1, close_ready, open_done),
	LIFE("reset nvme", reset_now, 2, close_ready, open_done),
	LIFE("reset igb VF", reset_now, 3, close_ready, open_done),
};

const unsigned int op_count = ARRAY_SIZE(ops);
