// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine of the virtual config space: which window a byte belongs to, how
 * much of a request one access may carry, and the access that every register
 * without a behaviour of its own gets: virtual bits from the image, all others
 * from the hardware.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include "cfg.h"

static u32 ones(unsigned int len)
{
	return ~0U >> (32 - 8 * len);
}

/*
 * Windows start on a dword but may end anywhere; the bytes behind the end, up
 * to the next dword, belong to no capability.
 */
static const struct vfio_cfg_window *window_at(const struct vfio_cfg *cfg,
					       unsigned int pos)
{
	const struct vfio_cfg_window *win = &cfg->windows[cfg->map[pos / 4]];

	return pos - win->start < win->len ? win : &cfg->windows[0];
}

static unsigned int chunk_in(const struct vfio_cfg_window *win,
			     unsigned int pos, size_t count)
{
	count = min3(count, (size_t)(4 - pos % 4),
		     (size_t)(win->start + win->len - pos));
	if (count >= 4)
		return 4;
	if (count >= 2 && pos % 2 == 0)
		return 2;
	return count ? 1 : 0;
}

/**
 * vfio_cfg_chunk() - how much of a request one access may carry
 * @cfg: the config space
 * @pos: where the request starts
 * @count: bytes of the request
 *
 * Return: 1, 2 or 4: the widest aligned access that stays in one window; 0 if
 * there is nothing to access.
 */
unsigned int vfio_cfg_chunk(const struct vfio_cfg *cfg, unsigned int pos,
			    size_t count)
{
	if (pos >= cfg->facts.size)
		return 0;

	return chunk_in(window_at(cfg, pos), pos, count);
}

/* Returns the bytes of the access, or -EFAULT */
static int access_init(struct vfio_cfg_access *acc, struct vfio_cfg *cfg,
		       unsigned int pos, size_t count)
{
	const struct vfio_cfg_window *win;

	if (pos >= cfg->facts.size)
		return -EFAULT;

	win = window_at(cfg, pos);
	acc->cfg = cfg;
	acc->win = win;
	acc->pos = pos;
	acc->off = pos - win->start;
	acc->len = chunk_in(win, pos, count);
	return acc->len;
}

/**
 * vfio_cfg_read() - read the config space as the user sees it
 * @cfg: the config space
 * @pos: where
 * @count: bytes of the request, of which one access is done
 * @val: the value, in host order; untouched on failure
 *
 * Context: Process context, may sleep. The caller serialises.
 * Return: the bytes read, which vfio_cfg_chunk() tells as well; -EFAULT outside
 * the config space, or the errno of the hardware access.
 */
int vfio_cfg_read(struct vfio_cfg *cfg, unsigned int pos, size_t count,
		  u32 *val)
{
	struct vfio_cfg_access acc;
	int ret, len;

	len = access_init(&acc, cfg, pos, count);
	if (len <= 0)
		return len;

	if (acc.win->cap->read)
		ret = acc.win->cap->read(&acc);
	else
		ret = vfio_cfg_generic_read(&acc);
	if (ret)
		return ret;

	*val = acc.val;
	return len;
}

/**
 * vfio_cfg_write() - write the config space the way the user may
 * @cfg: the config space
 * @pos: where
 * @count: bytes of the request, of which one access is done
 * @val: the value, in host order; what the access does not reach is ignored
 *
 * What the user may not write is dropped silently, as hardware drops writes to
 * read-only bits.
 *
 * Context: Process context, may sleep; takes the locks of the behaviours: the
 * interrupt lock and the memory lock. The caller serialises.
 * Return: the bytes written, which vfio_cfg_chunk() tells as well; -EFAULT
 * outside the config space, or the errno of the hardware access.
 */
int vfio_cfg_write(struct vfio_cfg *cfg, unsigned int pos, size_t count,
		   u32 val)
{
	struct vfio_cfg_access acc;
	int ret, len;

	len = access_init(&acc, cfg, pos, count);
	if (len <= 0)
		return len;

	acc.val = val & ones(len);
	if (acc.win->cap->write)
		ret = acc.win->cap->write(&acc);
	else
		ret = vfio_cfg_generic_write(&acc);

	return ret ? ret : len;
}

/* One of the masks of some bytes of a capability: aligned, 1, 2 or 4 of them */
static u32 mask_at(const struct vfio_cfg_cap *cap, const u8 *bits, u32 rest,
		   unsigned int off, unsigned int len)
{
	return off < cap->nr_bits ? vfio_cfg_bytes(&bits[off], len) :
				    rest & ones(len);
}

/**
 * vfio_cfg_masks_at() - how some bytes of a capability are treated
 * @cap: the kind of capability
 * @off: the first, from the capability's start; aligned
 * @len: bytes: 1, 2 or 4
 *
 * Return: the virtual, the writable and the write-one-to-clear bits.
 */
struct vfio_cfg_masks vfio_cfg_masks_at(const struct vfio_cfg_cap *cap,
					unsigned int off, unsigned int len)
{
	return (struct vfio_cfg_masks) {
		.virt = mask_at(cap, cap->bits.virt, cap->rest.virt, off, len),
		.write = mask_at(cap, cap->bits.write, cap->rest.write, off, len),
		.w1c = mask_at(cap, cap->bits.w1c, cap->rest.w1c, off, len),
	};
}

/**
 * vfio_cfg_generic_read() - virtual bits from the image, others from hardware
 * @acc: the access; its @val is the result
 *
 * A register that is entirely virtual costs no hardware access.
 *
 * Context: Process context. The caller serialises.
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_generic_read(struct vfio_cfg_access *acc)
{
	const struct vfio_cfg_cap *cap = acc->win->cap;
	u32 virt, hw = 0;
	int ret;

	virt = mask_at(cap, cap->bits.virt, cap->rest.virt, acc->off, acc->len);
	if (virt != ones(acc->len)) {
		ret = vfio_cfg_dev_read(acc->cfg, acc->pos, acc->len, &hw);
		if (ret)
			return ret;
	}
	acc->val = (hw & ~virt) |
		   (vfio_cfg_get(acc->cfg, acc->pos, acc->len) & virt);

	return 0;
}

/*
 * Write the bits of @mask to the hardware, as narrowly as possible, so that
 * neighbours with bits that a one clears are left alone (STATUS next to
 * COMMAND, DEVSTA next to DEVCTL). Such bits in the register itself, @w1c, are
 * written as zero. Only a unit with other bits to keep is read first.
 */
static int hw_write(const struct vfio_cfg_access *acc, u32 mask, u32 w1c)
{
	unsigned int pos = acc->pos, len = acc->len, half;
	u32 val = acc->val & mask, hw;
	int ret;

	for (half = len / 2; half; half /= 2) {
		if (!(mask & ones(half))) {
			pos += half;
			mask >>= 8 * half;
			w1c >>= 8 * half;
			val >>= 8 * half;
		} else if (mask & ~ones(half)) {
			break;
		}
		len = half;
	}

	if (ones(len) & ~(mask | w1c)) {
		ret = vfio_cfg_dev_read(acc->cfg, pos, len, &hw);
		if (ret)
			return ret;
		val |= hw & ~(mask | w1c);
	}
	return vfio_cfg_dev_write(acc->cfg, pos, len, val);
}

/**
 * vfio_cfg_generic_write() - writable bits, each to where it lives
 * @acc: the access
 *
 * Context: Process context. The caller serialises.
 * Return: 0, or the errno of the hardware access; the image is then unchanged.
 */
int vfio_cfg_generic_write(struct vfio_cfg_access *acc)
{
	struct vfio_cfg_masks masks = vfio_cfg_masks_at(acc->win->cap, acc->off,
							acc->len);
	u32 image;
	int ret;

	if (masks.write & ~masks.virt) {
		ret = hw_write(acc, masks.write & ~masks.virt, masks.w1c);
		if (ret)
			return ret;
	}

	masks.write &= masks.virt;
	if (masks.write) {
		image = vfio_cfg_get(acc->cfg, acc->pos, acc->len);
		image = (image & ~masks.write) | (acc->val & masks.write);
		vfio_cfg_set(acc->cfg, acc->pos, acc->len, image);
	}
	return 0;
}

/**
 * vfio_cfg_load() - copy a register of the hardware into the image
 * @cfg: the config space
 * @pos: where, aligned
 * @len: bytes: 1, 2 or 4
 *
 * Context: Process context. The caller serialises.
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_load(struct vfio_cfg *cfg, unsigned int pos, unsigned int len)
{
	u32 val;
	int ret;

	ret = vfio_cfg_dev_read(cfg, pos, len, &val);
	if (!ret)
		vfio_cfg_set(cfg, pos, len, val);

	return ret;
}
