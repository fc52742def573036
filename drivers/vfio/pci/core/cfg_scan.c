// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the capabilities once, when the device is opened, and gives each its
 * window. What the device says of itself is not trusted: every position and
 * length is bounded by the config space, and a list visits a place only once.
 *
 * The user's list is built here too: a capability is linked in when it has got
 * a window, so that whatever is hidden, or lies behind the point where a walk
 * had to stop, is unreachable, and the list always ends.
 *
 * Where capabilities overlap, a start is a fact and a length is a claim: the
 * later one gets the bytes from its own start on, but never the start of one
 * that is already there.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

#include "cfg.h"

/* Where standard capabilities and their one-byte pointers end */
#define STD_LIMIT	256U
#define EXT_FIRST	256U

#define SEEN_BITS	32

/* How far a capability at @pos may reach before it meets another's start */
static int room_at(const struct vfio_cfg *cfg, unsigned int pos,
		   unsigned int limit)
{
	unsigned int i, start, end = limit;

	for (i = 1; i < cfg->nr_windows; i++) {
		start = cfg->windows[i].start;
		if (start > pos)
			end = min(end, start);
	}
	return end - pos;
}

/* What the device says the length is, or an errno */
static int claimed_length(struct vfio_cfg *cfg, const struct vfio_cfg_cap *cap,
			  unsigned int pos)
{
	const struct vfio_cfg_field *field = &cap->field;
	u32 val;
	int ret;

	if (cap->length)
		return cap->length(cfg, pos);
	if (!field->width)
		return cap->len;

	ret = vfio_cfg_dev_read(cfg, pos + field->reg, field->width, &val);
	if (ret)
		return ret;

	return field->base + field->unit * (int)(val >> field->shift & field->max);
}

/* Bytes to give to a capability, 0 if they are too few to show it, or an errno */
static int length_at(struct vfio_cfg *cfg, const struct vfio_cfg_cap *cap,
		     unsigned int pos, unsigned int limit)
{
	int len, room = room_at(cfg, pos, limit);

	if (cap->len > room) {
		vfio_cfg_dev_note(cfg, "%s at %#x: needs %d bytes, has %d; hidden",
				  cap->name, pos, cap->len, room);
		return 0;
	}

	len = claimed_length(cfg, cap, pos);
	if (len < 0)
		return len;
	if (len < cap->len) {
		vfio_cfg_dev_note(cfg, "%s at %#x: needs %d bytes, claims %d; hidden",
				  cap->name, pos, cap->len, len);
		return 0;
	}
	if (len > room)
		vfio_cfg_dev_note(cfg, "%s at %#x: claims %d bytes, cut to %d",
				  cap->name, pos, len, room);

	return min(len, room);
}

static struct vfio_cfg_window *claim(struct vfio_cfg *cfg,
				     const struct vfio_cfg_cap *cap,
				     unsigned int start, unsigned int len)
{
	struct vfio_cfg_window *win;
	unsigned int i;

	if (cfg->nr_windows == VFIO_CFG_MAX_WINDOWS) {
		vfio_cfg_dev_note(cfg, "%s at %#x: too many capabilities; hidden",
				  cap->name, start);
		return NULL;
	}

	if (cfg->map[start / 4])
		vfio_cfg_dev_note(cfg, "%s at %#x: inside %s at %#x",
				  cap->name, start,
				  cfg->windows[cfg->map[start / 4]].cap->name,
				  cfg->windows[cfg->map[start / 4]].start);

	win = &cfg->windows[cfg->nr_windows];
	*win = (struct vfio_cfg_window) { .cap = cap, .start = start, .len = len };
	for (i = start / 4; i < (start + len + 3) / 4; i++)
		cfg->map[i] = cfg->nr_windows;
	cfg->nr_windows++;

	return win;
}

/* Give a capability its window: 1 if done, 0 if it stays hidden, or an errno */
static int place(struct vfio_cfg *cfg, const struct vfio_cfg_cap *cap,
		 unsigned int pos, unsigned int limit)
{
	const struct vfio_cfg_window *win;
	int ret;

	if (cap && cap->variant) {
		ret = cap->variant(cfg, pos, &cap);
		if (ret)
			return ret;
	}
	if (!cap)
		return 0;

	ret = length_at(cfg, cap, pos, limit);
	if (ret <= 0)
		return ret;

	win = claim(cfg, cap, pos, ret);
	if (!win)
		return 0;

	/* It may lie inside another, which left its own virtual bits here */
	memset(&cfg->image[win->start], 0, win->len);
	ret = cap->init ? cap->init(cfg, win) : 0;

	return ret ? ret : 1;
}

/* A list that comes back to a place it has been to would never end */
static bool seen_before(struct vfio_cfg *cfg, u32 *seen, unsigned int pos)
{
	u32 bit = BIT(pos / 4 % SEEN_BITS), *word = &seen[pos / 4 / SEEN_BITS];

	if (*word & bit) {
		vfio_cfg_dev_note(cfg, "capabilities loop at %#x", pos);
		return true;
	}
	*word |= bit;
	return false;
}

static int scan_std_list(struct vfio_cfg *cfg, unsigned int pos)
{
	u32 seen[STD_LIMIT / 4 / SEEN_BITS] = {}, hdr;
	unsigned int link = PCI_CAPABILITY_LIST;
	int ret;

	while (pos >= PCI_STD_HEADER_SIZEOF && !seen_before(cfg, seen, pos)) {
		ret = vfio_cfg_dev_read(cfg, pos, 2, &hdr);
		if (ret)
			return ret;
		if (hdr == 0xffff)
			break;

		ret = place(cfg, vfio_cfg_std_cap(hdr & 0xff), pos, STD_LIMIT);
		if (ret < 0)
			return ret;
		if (ret) {
			vfio_cfg_set(cfg, link, 1, pos);
			link = pos + PCI_CAP_LIST_NEXT;
		}
		pos = (hdr >> 8) & ~3U;
	}
	return 0;
}

static int scan_std(struct vfio_cfg *cfg)
{
	u32 status, ptr;
	int ret;

	ret = vfio_cfg_dev_read(cfg, PCI_STATUS, 2, &status);
	if (ret || !(status & PCI_STATUS_CAP_LIST))
		return ret;

	ret = vfio_cfg_dev_read(cfg, PCI_CAPABILITY_LIST, 1, &ptr);
	if (ret)
		return ret;

	ret = scan_std_list(cfg, ptr & ~3U);
	if (!ret && vfio_cfg_get(cfg, PCI_CAPABILITY_LIST, 1))
		vfio_cfg_set(cfg, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);

	return ret;
}

/*
 * Everybody looks for the list at 0x100. A capability there that is hidden
 * leaves a header without id and version behind, which only says where the
 * list goes on; with nothing behind it, it reads as "no capabilities".
 */
static int place_ext(struct vfio_cfg *cfg, unsigned int pos, u32 *hdr)
{
	int ret;

	ret = place(cfg, vfio_cfg_ext_cap(PCI_EXT_CAP_ID(*hdr)), pos,
		    cfg->facts.size);
	if (!ret && pos == EXT_FIRST) {
		*hdr &= GENMASK(31, 20);
		ret = place(cfg, &vfio_cfg_hidden_ecap, pos, cfg->facts.size);
	}
	return ret;
}

static int scan_ext(struct vfio_cfg *cfg)
{
	u32 seen[VFIO_CFG_SIZE / 4 / SEEN_BITS] = {}, hdr;
	unsigned int pos = EXT_FIRST, link = 0;
	int ret;

	while (pos >= EXT_FIRST && pos < cfg->facts.size &&
	       !seen_before(cfg, seen, pos)) {
		ret = vfio_cfg_dev_read(cfg, pos, 4, &hdr);
		if (ret)
			return ret;
		if (!hdr || hdr == ~0U)
			break;

		ret = place_ext(cfg, pos, &hdr);
		if (ret < 0)
			return ret;
		if (ret) {
			vfio_cfg_set(cfg, pos, 4, hdr & GENMASK(19, 0));
			if (link)
				vfio_cfg_set(cfg, link, 4, vfio_cfg_get(cfg, link, 4) | pos << 20);
			link = pos;
		}
		pos = PCI_EXT_CAP_NEXT(hdr);
	}
	return 0;
}

/**
 * vfio_cfg_scan() - build the virtual config space of a device
 * @cfg: the config space; @cfg->facts tells of the device, all else is
 *	overwritten
 *
 * Context: Process context. The caller serialises.
 * Return: 0, -EINVAL if the size in @cfg->facts is impossible, or the errno of
 * a hardware access; @cfg is then of no use.
 */
int vfio_cfg_scan(struct vfio_cfg *cfg)
{
	int ret;

	if (cfg->facts.size < STD_LIMIT || cfg->facts.size > VFIO_CFG_SIZE ||
	    cfg->facts.size % 4)
		return -EINVAL;

	memset(cfg->image, 0, sizeof(cfg->image));
	memset(cfg->map, 0, sizeof(cfg->map));
	memset(cfg->rbar, 0, sizeof(cfg->rbar));
	cfg->windows[0] = (struct vfio_cfg_window) {
		.cap = &vfio_cfg_unassigned, .len = cfg->facts.size,
	};
	cfg->nr_windows = 1;

	ret = place(cfg, &vfio_cfg_header, 0, PCI_STD_HEADER_SIZEOF);
	if (ret < 0)
		return ret;

	ret = scan_std(cfg);
	if (!ret)
		ret = scan_ext(cfg);

	return ret;
}

/**
 * vfio_cfg_virtualize() - detach registers from the hardware
 * @cfg: the config space, scanned
 * @pos: first byte, on a dword boundary
 * @len: bytes, a multiple of four
 *
 * They start with the values the hardware has; from then on the user reads
 * what the user wrote, or what vfio_cfg_set() put there.
 *
 * Context: Process context. The caller serialises.
 * Return: 0, -EINVAL if the range is not made of dwords of the config space,
 * -ENOSPC if there are too many windows, or the errno of a hardware access.
 */
int vfio_cfg_virtualize(struct vfio_cfg *cfg, unsigned int pos,
			unsigned int len)
{
	unsigned int i;
	int ret;

	if (pos % 4 || len % 4 || !len || pos >= cfg->facts.size ||
	    len > cfg->facts.size - pos)
		return -EINVAL;

	for (i = 0; i < len; i += 4) {
		ret = vfio_cfg_load(cfg, pos + i, 4);
		if (ret)
			return ret;
	}
	return claim(cfg, &vfio_cfg_virtual, pos, len) ? 0 : -ENOSPC;
}

/**
 * vfio_cfg_pcix_length() - PCI-X: version 0 has no ECC registers
 * @cfg: the config space
 * @pos: where the capability starts
 *
 * Return: bytes, or the errno of the hardware access.
 */
int vfio_cfg_pcix_length(struct vfio_cfg *cfg, unsigned int pos)
{
	u32 cmd;
	int ret;

	ret = vfio_cfg_dev_read(cfg, pos + PCI_X_CMD, 2, &cmd);
	if (ret)
		return ret;

	if (!PCI_X_CMD_VERSION(cmd))
		return PCI_CAP_PCIX_SIZEOF_V0;

	return PCI_CAP_PCIX_SIZEOF_V2;
}

/**
 * vfio_cfg_ht_length() - HyperTransport: a slave has two links to tell of
 * @cfg: the config space
 * @pos: where the capability starts
 *
 * Return: bytes, or the errno of the hardware access.
 */
int vfio_cfg_ht_length(struct vfio_cfg *cfg, unsigned int pos)
{
	u32 type;
	int ret;

	ret = vfio_cfg_dev_read(cfg, pos + PCI_CAP_FLAGS + 1, 1, &type);
	if (ret)
		return ret;

	return (type & HT_3BIT_CAP_MASK) == HT_CAPTYPE_SLAVE ?
	       HT_CAP_SIZEOF_LONG : HT_CAP_SIZEOF_SHORT;
}

/**
 * vfio_cfg_exp_length() - PCI Express: by version, and whether there is a link
 * @cfg: the config space
 * @pos: where the capability starts
 *
 * Version 2 has all registers of its kind of function; version 1 ends after
 * the last register that the function needs (PCIe 1.1 and 2.0, section 7.8).
 *
 * Return: bytes, or the errno of the hardware access.
 */
int vfio_cfg_exp_length(struct vfio_cfg *cfg, unsigned int pos)
{
	bool link;
	u32 flags;
	int ret;

	ret = vfio_cfg_dev_read(cfg, pos + PCI_EXP_FLAGS, 2, &flags);
	if (ret)
		return ret;

	link = (flags & PCI_EXP_FLAGS_TYPE) >> 4 != PCI_EXP_TYPE_RC_END;
	if ((flags & PCI_EXP_FLAGS_VERS) < 2)
		return link ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V1 :
			      PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1;

	return link ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V2 :
		      PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V2;
}

/**
 * vfio_cfg_sata_length() - SATA: index and data may follow in config space
 * @cfg: the config space
 * @pos: where the capability starts
 *
 * Return: bytes, or the errno of the hardware access.
 */
int vfio_cfg_sata_length(struct vfio_cfg *cfg, unsigned int pos)
{
	u32 regs;
	int ret;

	ret = vfio_cfg_dev_read(cfg, pos + PCI_SATA_REGS, 1, &regs);
	if (ret)
		return ret;

	return (regs & PCI_SATA_REGS_MASK) == PCI_SATA_REGS_INLINE ?
	       PCI_SATA_SIZEOF_LONG : PCI_SATA_SIZEOF_SHORT;
}

/* Where the arbitration table of the channels ends; 0 if there is none */
static unsigned int vc_table_end(u32 cap2)
{
	static const u16 phases[][2] = {
		{ PCI_VC_CAP2_128_PHASE, 128 },
		{ PCI_VC_CAP2_64_PHASE, 64 },
		{ PCI_VC_CAP2_32_PHASE, 32 },
	};
	unsigned int i, off = (cap2 & PCI_VC_CAP2_ARB_OFF) >> 24;

	for (i = 0; off && i < 3; i++)
		if (cap2 & phases[i][0])
			return off * 16 + phases[i][1] / 2;

	return 0;
}

/**
 * vfio_cfg_vc_length() - virtual channels: their registers and their table
 * @cfg: the config space
 * @pos: where the capability starts
 *
 * The table has four bits a phase, at an offset in units of 16 bytes (PCIe
 * 4.0, section 7.9.1). Functions we serve have one port: no table a channel.
 *
 * Return: bytes, or the errno of the hardware access.
 */
int vfio_cfg_vc_length(struct vfio_cfg *cfg, unsigned int pos)
{
	u32 cap1, cap2;
	int ret;

	ret = vfio_cfg_dev_read(cfg, pos + PCI_VC_PORT_CAP1, 4, &cap1);
	if (!ret)
		ret = vfio_cfg_dev_read(cfg, pos + PCI_VC_PORT_CAP2, 4, &cap2);
	if (ret)
		return ret;

	return max(PCI_CAP_VC_BASE_SIZEOF + PCI_CAP_VC_PER_VC_SIZEOF *
		   ((cap1 & PCI_VC_CAP1_EVCC) + 1), vc_table_end(cap2));
}

/**
 * vfio_cfg_acs_length() - access control: a vector if there is egress control
 * @cfg: the config space
 * @pos: where the capability starts
 *
 * Return: bytes, or the errno of the hardware access.
 */
int vfio_cfg_acs_length(struct vfio_cfg *cfg, unsigned int pos)
{
	unsigned int bits;
	u32 cap;
	int ret;

	ret = vfio_cfg_dev_read(cfg, pos + PCI_ACS_CAP, 2, &cap);
	if (ret)
		return ret;
	if (!(cap & PCI_ACS_EC))
		return PCI_ACS_EGRESS_CTL_V;

	/* A size of 0 stands for 256 (PCIe 4.0, section 7.7.8.2) */
	bits = cap >> 8 ? cap >> 8 : 256;

	return PCI_ACS_EGRESS_CTL_V + (bits + 31) / 32 * 4;
}

/**
 * vfio_cfg_tph_length() - processing hints: the steering table may be inside
 * @cfg: the config space
 * @pos: where the capability starts
 *
 * Return: bytes, or the errno of the hardware access.
 */
int vfio_cfg_tph_length(struct vfio_cfg *cfg, unsigned int pos)
{
	unsigned int entries;
	u32 cap;
	int ret;

	ret = vfio_cfg_dev_read(cfg, pos + PCI_TPH_CAP, 4, &cap);
	if (ret)
		return ret;
	if ((cap & PCI_TPH_CAP_LOC_MASK) != PCI_TPH_LOC_CAP)
		return PCI_TPH_BASE_SIZEOF;

	entries = ((cap & PCI_TPH_CAP_ST_MASK) >> PCI_TPH_CAP_ST_SHIFT) + 1;

	return PCI_TPH_BASE_SIZEOF + (entries + 1) / 2 * 4;
}
