/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual config space: what the engine (cfg.c), its tables (cfg_tables.c),
 * the capability walk (cfg_scan.c) and the behaviours (cfg_header.c, cfg_bars.c,
 * cfg_caps.c) share.
 *
 * These six files know nothing of the kernel's devices: facts come in through
 * struct vfio_cfg, and everything they do to the world goes through the
 * vfio_cfg_dev_*() functions at the end. cfg_dev.c implements those for a real
 * device, tools/testing/unit for a simulated one.
 */
#ifndef VFIO_PCI_CFG_H
#define VFIO_PCI_CFG_H

#include <linux/compiler.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#define VFIO_CFG_SIZE		4096
#define VFIO_CFG_MAX_WINDOWS	128
#define VFIO_CFG_NUM_BARS	7	/* BAR0-5 and the expansion ROM */
#define VFIO_CFG_ROM		6

struct vfio_cfg;
struct vfio_cfg_window;

/**
 * struct vfio_cfg_masks - how the bits of an access are treated
 * @virt: bits that live in the virtual image instead of the hardware
 * @write: bits that the user may write, wherever they live
 * @w1c: bits of the hardware that a one clears: of no concern to a write that
 *	is not meant for them, so it must not write back what it read
 */
struct vfio_cfg_masks {
	u32 virt;
	u32 write;
	u32 w1c;
};

/**
 * struct vfio_cfg_access - one access of 1, 2 or 4 aligned bytes
 * @cfg: the config space
 * @win: the window that the access falls in; it never leaves it
 * @pos: position in config space
 * @off: position in the window
 * @len: bytes: 1, 2 or 4
 * @val: value, in host order
 */
struct vfio_cfg_access {
	struct vfio_cfg			*cfg;
	const struct vfio_cfg_window	*win;
	u16				pos;
	u16				off;
	u8				len;
	u32				val;
};

/**
 * struct vfio_cfg_field - a register field that counts the parts of a capability
 * @reg: register, from the capability's start
 * @width: its bytes: 1, 2 or 4; 0 if there is no such field
 * @shift: lowest bit of the field
 * @max: greatest value the field can hold
 * @base: bytes that are there anyway
 * @unit: bytes a part
 */
struct vfio_cfg_field {
	u8	reg;
	u8	width;
	u8	shift;
	u16	max;
	u8	base;
	u8	unit;
};

/**
 * struct vfio_cfg_cap - everything there is to know of a kind of capability
 * @name: for people
 * @len: bytes that must be there; a capability with less room is hidden
 * @nr_bits: bytes, a multiple of four, that @bits tells of
 * @bits: the masks of struct vfio_cfg_masks a byte, from the capability's start
 * @rest: those of any byte past them, repeated; read directly and not writable
 *	unless it says otherwise
 * @field: where the capability's own registers tell its length
 * @variant: picks another descriptor by the registers at @pos; the rest of
 *	this one is then not used
 * @length: computes the length where that takes more than a @field; a negative
 *	errno if the device cannot be read
 * @init: prepares the image when the window was placed
 * @read: replaces the generic read
 * @write: replaces the generic write
 *
 * Whatever the device says of the length is bounded by the config space, and an
 * answer below @len hides the capability. With neither @field nor @length, @len
 * is the length.
 */
struct vfio_cfg_cap {
	const char			*name;
	u16				len;
	u16				nr_bits;
	struct {
		const u8		*virt;
		const u8		*write;
		const u8		*w1c;
	} bits;
	struct vfio_cfg_masks		rest;
	struct vfio_cfg_field		field;
	int				(*variant)(struct vfio_cfg *cfg,
						   unsigned int pos,
						   const struct vfio_cfg_cap **cap);
	int				(*length)(struct vfio_cfg *cfg, unsigned int pos);
	int				(*init)(struct vfio_cfg *cfg,
						const struct vfio_cfg_window *win);
	int				(*read)(struct vfio_cfg_access *acc);
	int				(*write)(struct vfio_cfg_access *acc);
};

/**
 * struct vfio_cfg_window - a run of config space that one capability owns
 * @cap: its kind
 * @start: first byte, on a dword boundary
 * @len: bytes, never past the end of the config space
 */
struct vfio_cfg_window {
	const struct vfio_cfg_cap	*cap;
	u16				start;
	u16				len;
};

/**
 * struct vfio_cfg_facts - what the engine is told of a function
 * @size: bytes of config space, 256 or 4096
 * @vendor: vendor id (a VF reads as 0xffff in hardware)
 * @device: device id
 * @is_vf: SR-IOV virtual function
 * @no_pin: user space must see no interrupt pin
 * @keep_disintx: DisINTx stays set in hardware (devices whose INTx is broken)
 * @mem_always_on: the function has no memory enable bit of its own (a VF)
 * @bar: resource behind each BAR and the ROM
 * @bar.size: bytes, a power of two; 0 if absent
 * @bar.type: the read-only low bits of the register (PCI_BASE_ADDRESS_*)
 */
struct vfio_cfg_facts {
	u16	size;
	u16	vendor;
	u16	device;
	bool	is_vf;
	bool	no_pin;
	bool	keep_disintx;
	bool	mem_always_on;
	struct {
		u64	size;
		u32	type;
	} bar[VFIO_CFG_NUM_BARS];
};

/**
 * struct vfio_cfg - the virtual config space of one open device
 * @facts: about the function; filled in before vfio_cfg_scan()
 * @image: virtual bits, in the byte order of config space
 * @map: window that each dword belongs to, an index into @windows
 * @windows: [0] stands for "no capability": raw access
 * @nr_windows: entries of @windows in use
 * @rbar: real values of BAR0-5 and ROM, to restore after a reset
 *
 * The caller serialises all of it (struct vfio_pci_core_priv.cfg_lock), with
 * one exception: the COMMAND word of @image is written with the memory lock
 * held for writing as well, so that whoever holds that lock for reading may
 * look at it. Of COMMAND, @image holds I/O and memory decode, as the user
 * believes them to be, and the user's INTX_DISABLE; nothing else.
 */
struct vfio_cfg {
	struct vfio_cfg_facts	facts;
	u8			image[VFIO_CFG_SIZE];
	u8			map[VFIO_CFG_SIZE / 4];
	struct vfio_cfg_window	windows[VFIO_CFG_MAX_WINDOWS];
	unsigned int		nr_windows;
	u32			rbar[VFIO_CFG_NUM_BARS];
};

/* @len bytes, 1, 2 or 4, in the order of config space */
static inline u32 vfio_cfg_bytes(const u8 *p, unsigned int len)
{
	return len == 1 ? *p :
	       len == 2 ? get_unaligned_le16(p) : get_unaligned_le32(p);
}

/**
 * vfio_cfg_get() - read the virtual image
 * @cfg: the config space
 * @pos: position, inside the image
 * @len: bytes: 1, 2 or 4
 *
 * Return: the value, in host order.
 */
static inline u32 vfio_cfg_get(const struct vfio_cfg *cfg, unsigned int pos,
			       unsigned int len)
{
	return vfio_cfg_bytes(&cfg->image[pos], len);
}

/**
 * vfio_cfg_set() - write the virtual image
 * @cfg: the config space
 * @pos: position, inside the image
 * @len: bytes: 1, 2 or 4
 * @val: value, in host order
 */
static inline void vfio_cfg_set(struct vfio_cfg *cfg, unsigned int pos,
				unsigned int len, u32 val)
{
	u8 *p = &cfg->image[pos];

	if (len == 1)
		*p = val;
	else if (len == 2)
		put_unaligned_le16(val, p);
	else
		put_unaligned_le32(val, p);
}

/**
 * vfio_cfg_touches() - does an access reach a register
 * @acc: the access
 * @reg: the register, from the start of the window
 * @len: its bytes
 *
 * Return: true if any byte of the register is part of the access.
 */
static inline bool vfio_cfg_touches(const struct vfio_cfg_access *acc,
				    unsigned int reg, unsigned int len)
{
	return acc->off < reg + len && reg < acc->off + acc->len;
}

/* cfg.c: the engine */
struct vfio_cfg_masks vfio_cfg_masks_at(const struct vfio_cfg_cap *cap,
					unsigned int off, unsigned int len);
unsigned int vfio_cfg_chunk(const struct vfio_cfg *cfg, unsigned int pos,
			    size_t count);
int vfio_cfg_read(struct vfio_cfg *cfg, unsigned int pos, size_t count,
		  u32 *val);
int vfio_cfg_write(struct vfio_cfg *cfg, unsigned int pos, size_t count,
		   u32 val);
int vfio_cfg_generic_read(struct vfio_cfg_access *acc);
int vfio_cfg_generic_write(struct vfio_cfg_access *acc);
int vfio_cfg_load(struct vfio_cfg *cfg, unsigned int pos, unsigned int len);

/* cfg_tables.c: constant data only */
extern const struct vfio_cfg_cap vfio_cfg_header;
extern const struct vfio_cfg_cap vfio_cfg_unassigned;
extern const struct vfio_cfg_cap vfio_cfg_virtual;
extern const struct vfio_cfg_cap vfio_cfg_hidden_ecap;
extern const struct vfio_cfg_cap vfio_cfg_msi[4];	/* 64BIT | MASKBIT << 1 */
const struct vfio_cfg_cap *vfio_cfg_std_cap(unsigned int id);
const struct vfio_cfg_cap *vfio_cfg_ext_cap(unsigned int id);

/* cfg_scan.c: walks the capabilities */
int vfio_cfg_scan(struct vfio_cfg *cfg);
int vfio_cfg_virtualize(struct vfio_cfg *cfg, unsigned int pos,
			unsigned int len);
int vfio_cfg_pcix_length(struct vfio_cfg *cfg, unsigned int pos);
int vfio_cfg_ht_length(struct vfio_cfg *cfg, unsigned int pos);
int vfio_cfg_exp_length(struct vfio_cfg *cfg, unsigned int pos);
int vfio_cfg_sata_length(struct vfio_cfg *cfg, unsigned int pos);
int vfio_cfg_vc_length(struct vfio_cfg *cfg, unsigned int pos);
int vfio_cfg_acs_length(struct vfio_cfg *cfg, unsigned int pos);
int vfio_cfg_tph_length(struct vfio_cfg *cfg, unsigned int pos);

/* cfg_bars.c: sizes and real values of BARs */
int vfio_cfg_bar_write(struct vfio_cfg_access *acc, unsigned int bar);
int vfio_cfg_bars_init(struct vfio_cfg *cfg);
int vfio_cfg_bars_restore(struct vfio_cfg *cfg);
int vfio_cfg_rom_restore(struct vfio_cfg *cfg);

/* cfg_header.c: COMMAND */
int vfio_cfg_header_init(struct vfio_cfg *cfg,
			 const struct vfio_cfg_window *win);
int vfio_cfg_header_read(struct vfio_cfg_access *acc);
int vfio_cfg_header_write(struct vfio_cfg_access *acc);

/* cfg_caps.c: what capabilities do beyond storing bits */
int vfio_cfg_pm_write(struct vfio_cfg_access *acc);
int vfio_cfg_vpd_init(struct vfio_cfg *cfg, const struct vfio_cfg_window *win);
int vfio_cfg_vpd_write(struct vfio_cfg_access *acc);
int vfio_cfg_msi_variant(struct vfio_cfg *cfg, unsigned int pos,
			 const struct vfio_cfg_cap **cap);
int vfio_cfg_msi_init(struct vfio_cfg *cfg, const struct vfio_cfg_window *win);
int vfio_cfg_msi_write(struct vfio_cfg_access *acc);
int vfio_cfg_exp_init(struct vfio_cfg *cfg, const struct vfio_cfg_window *win);
int vfio_cfg_exp_write(struct vfio_cfg_access *acc);
int vfio_cfg_af_write(struct vfio_cfg_access *acc);

/*
 * The world, as the engine sees it. Implemented by cfg_dev.c and by the unit
 * tests. Errors are negative errnos.
 */

/* Hardware: the only two accessors. @len is 1, 2 or 4, @pos is aligned. */
int vfio_cfg_dev_read(struct vfio_cfg *cfg, unsigned int pos,
		      unsigned int len, u32 *val);
int vfio_cfg_dev_write(struct vfio_cfg *cfg, unsigned int pos,
		       unsigned int len, u32 val);

/*
 * Around a write to COMMAND: take the memory lock for writing; with @revoke
 * also take away every user mapping of device memory, because decode goes off.
 */
void vfio_cfg_dev_memory_lock(struct vfio_cfg *cfg, bool revoke);
void vfio_cfg_dev_memory_unlock(struct vfio_cfg *cfg);

/* The user's view of COMMAND.INTX_DISABLE changed */
void vfio_cfg_dev_intx_disable(struct vfio_cfg *cfg, bool disable);

/* The user wrote a power state (PCI_PM_CTRL_STATE_MASK) */
int vfio_cfg_dev_power(struct vfio_cfg *cfg, unsigned int state);

/* The user asked for a function level reset through DEVCTL or AF */
int vfio_cfg_dev_flr(struct vfio_cfg *cfg);

/* Vital product data: one dword at @addr; its first byte is @val's lowest */
int vfio_cfg_dev_vpd(struct vfio_cfg *cfg, unsigned int addr, u32 *val,
		     bool write);

/* Maximum read request size in bytes, kept at or above the payload size */
int vfio_cfg_dev_readrq(struct vfio_cfg *cfg, unsigned int bytes);

/*
 * Is MSI the active interrupt; @qmax: log2 of the vectors last enabled. Neither
 * changes until the release.
 */
bool vfio_cfg_dev_msi_hold(struct vfio_cfg *cfg, unsigned int *qmax);
void vfio_cfg_dev_msi_release(struct vfio_cfg *cfg);

/* Something about the device that a person should know */
__printf(2, 3)
void vfio_cfg_dev_note(struct vfio_cfg *cfg, const char *fmt, ...);

#endif /* VFIO_PCI_CFG_H */
