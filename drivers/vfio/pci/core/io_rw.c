// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of accesses to device memory and I/O ports, from and to user space.
 */
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>
#include <linux/vgaarb.h>

#include "io.h"

/* Bytes moved per round trip of memory_lock; lives on the stack */
#define BOUNCE_SIZE	256UL

static int xfer_begin(const struct vfio_pci_io_xfer *x)
{
	if (x->vga_rsrc)
		return vga_get_interruptible(x->vdev->pdev, x->vga_rsrc);
	return access_begin(x->vdev, x->test_mem);
}

static void xfer_end(const struct vfio_pci_io_xfer *x)
{
	if (x->vga_rsrc)
		vga_put(x->vdev->pdev, x->vga_rsrc);
	else
		access_end(x->vdev, x->test_mem);
}

/*
 * run: bytes in accesses of one width, everything aligned to it.
 * word: the same for a single access, which is what registers get; copying a
 * constant number of bytes is a third cheaper all in all.
 */
#define DEFINE_MOVES(bits, type)					\
static void run##bits(void *buf, void __iomem *io, size_t len,		\
		      bool iswrite)					\
{									\
	void __iomem *end = io + len;					\
	type *p = buf;							\
									\
	for (; io < end; io += sizeof(*p), p++)				\
		if (iswrite)						\
			io_write##bits(*p, io);				\
		else							\
			*p = io_read##bits(io);				\
}									\
									\
static ssize_t word##bits(const struct vfio_pci_io_xfer *x)			\
{									\
	type val = 0;							\
	int ret;							\
									\
	if (x->iswrite && copy_from_user(&val, x->user, sizeof(val)))	\
		return -EFAULT;						\
	ret = xfer_begin(x);						\
	if (ret)							\
		return ret;						\
	run##bits(&val, x->io + x->off, sizeof(val), x->iswrite);	\
	xfer_end(x);							\
	if (!x->iswrite && copy_to_user(x->user, &val, sizeof(val)))	\
		return -EFAULT;						\
	return sizeof(val);						\
}

DEFINE_MOVES(8, u8)
DEFINE_MOVES(16, u16)
DEFINE_MOVES(32, u32)
DEFINE_MOVES(64, u64)

static void run(void *buf, void __iomem *io, size_t len, unsigned int unit,
		bool iswrite)
{
	switch (unit) {
	case 8:
		return run64(buf, io, len, iswrite);
	case 4:
		return run32(buf, io, len, iswrite);
	case 2:
		return run16(buf, io, len, iswrite);
	default:
		return run8(buf, io, len, iswrite);
	}
}

/* Widest access that starts at @off, is naturally aligned and fits */
static unsigned int unit_at(u64 off, size_t len, unsigned int width)
{
	while (width > len || (off & (width - 1)))
		width /= 2;
	return width;
}

static int access_chunk(const struct vfio_pci_io_xfer *x, void *buf, u64 off, size_t len)
{
	int ret = xfer_begin(x);

	if (ret)
		return ret;
	while (len) {
		unsigned int unit = unit_at(off, len, x->width);
		size_t bytes = unit;

		if (unit == x->width)
			bytes = len & ~((size_t)unit - 1);
		run(buf, x->io + off, bytes, unit, x->iswrite);
		buf += bytes;
		off += bytes;
		len -= bytes;
	}
	xfer_end(x);
	return 0;
}

/* User memory may fault, which takes memory_lock, or may take for ever */
static int move_chunk(const struct vfio_pci_io_xfer *x, void *buf, size_t done, size_t len)
{
	int ret;

	if (x->iswrite && copy_from_user(buf, x->user + done, len))
		return -EFAULT;
	ret = access_chunk(x, buf, x->off + done, len);
	if (ret)
		return ret;
	if (!x->iswrite && copy_to_user(x->user + done, buf, len))
		return -EFAULT;
	return 0;
}

static int skip_chunk(const struct vfio_pci_io_xfer *x, void *buf, size_t done, size_t len)
{
	if (x->iswrite)
		return 0;
	memset(buf, 0xff, len);
	return copy_to_user(x->user + done, buf, len) ? -EFAULT : 0;
}

/*
 * Chunks end where the offset is a multiple of BOUNCE_SIZE, so that no access
 * that could be wide is split, and the bounce buffer is aligned like the window.
 */
static noinline ssize_t xfer_bulk(const struct vfio_pci_io_xfer *x)
{
	u64 bounce[BOUNCE_SIZE / sizeof(u64)];
	size_t done = 0;
	int ret = 0;

	while (done < x->count) {
		u64 off = x->off + done;
		bool skip = off >= x->hole && off < x->hole_end;
		size_t at = off % BOUNCE_SIZE;
		size_t len = min(x->count - done, BOUNCE_SIZE - at);
		void *buf = (void *)bounce + at;

		if (skip) {
			len = min_t(u64, len, x->hole_end - off);
			ret = skip_chunk(x, buf, done, len);
		} else {
			if (off < x->hole)
				len = min_t(u64, len, x->hole - off);
			ret = move_chunk(x, buf, done, len);
		}
		if (ret)
			break;
		done += len;
	}
	return done ?: ret;
}

static bool is_word(const struct vfio_pci_io_xfer *x)
{
	return is_power_of_2(x->count) && x->count <= x->width &&
	       IS_ALIGNED(x->off, x->count) &&
	       (x->off + x->count <= x->hole || x->off >= x->hole_end);
}

static ssize_t xfer_word(const struct vfio_pci_io_xfer *x)
{
	switch (x->count) {
	case 8:
		return word64(x);
	case 4:
		return word32(x);
	case 2:
		return word16(x);
	default:
		return word8(x);
	}
}

/* What vfio_pci_core_do_io_rw() does and says; @x tells what it moves */
ssize_t vfio_pci_io_xfer(const struct vfio_pci_io_xfer *x)
{
	return is_word(x) ? xfer_word(x) : xfer_bulk(x);
}

/**
 * vfio_pci_core_do_io_rw() - move bytes between user space and a device window
 * @vdev: device
 * @test_mem: the window is memory: fail while the user has it disabled
 * @io: mapping of the window
 * @buf: the user's buffer, read from if @iswrite
 * @off: where in the window to start
 * @count: bytes; the caller bounded them by the window
 * @x_start: start of a part of the window that must not be touched
 * @x_end: end of that part; @x_start if there is none
 * @iswrite: true to write to the device
 * @max_width: widest single access that the window takes
 *
 * Each access is as wide as its alignment, the bytes left and @max_width allow.
 * The excluded part reads as all ones; what is written to it is dropped.
 *
 * What was done before something goes wrong counts: it did reach the device.
 *
 * Context: process context, no memory_lock held; sleeps.
 * Return: bytes done, at least one unless @count is 0; else -EIO if memory is
 * disabled, -EFAULT if @buf is bad.
 */
ssize_t vfio_pci_core_do_io_rw(struct vfio_pci_core_device *vdev, bool test_mem,
			       void __iomem *io, char __user *buf, loff_t off,
			       size_t count, size_t x_start, size_t x_end,
			       bool iswrite, enum vfio_pci_io_width max_width)
{
	struct vfio_pci_io_xfer x = {
		.vdev = vdev,
		.io = io,
		.user = buf,
		.off = off,
		.count = count,
		.hole = x_start,
		.hole_end = x_end,
		.width = max_width,
		.test_mem = test_mem,
		.iswrite = iswrite,
	};

	return vfio_pci_io_xfer(&x);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_do_io_rw);

/**
 * vfio_pci_core_range_intersect_range() - where a buffer and a register meet
 * @buf_start: position of the buffer's first byte
 * @buf_cnt: bytes in the buffer
 * @reg_start: position of the register's first byte
 * @reg_cnt: bytes in the register
 * @buf_offset: out: first common byte, counted from @buf_start
 * @intersect_count: out: common bytes
 * @register_offset: out: first common byte, counted from @reg_start
 *
 * Context: any.
 * Return: true if there is a common byte; otherwise the outputs are unchanged.
 */
bool vfio_pci_core_range_intersect_range(loff_t buf_start, size_t buf_cnt,
					 loff_t reg_start, size_t reg_cnt,
					 loff_t *buf_offset,
					 size_t *intersect_count,
					 size_t *register_offset)
{
	/* Distances instead of ends: those cannot overflow */
	u64 into_reg = buf_start > reg_start ? (u64)buf_start - reg_start : 0;
	u64 into_buf = reg_start > buf_start ? (u64)reg_start - buf_start : 0;

	if (into_reg >= reg_cnt || into_buf >= buf_cnt)
		return false;

	*buf_offset = into_buf;
	*register_offset = into_reg;
	*intersect_count = min_t(u64, buf_cnt - into_buf, reg_cnt - into_reg);
	return true;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_range_intersect_range);
