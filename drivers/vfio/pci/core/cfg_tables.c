// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which bits of config space are virtual and which the user may write, one
 * descriptor a capability. Constant data only. The layouts are those of the
 * PCI Local Bus, PCI-X, PCI Power Management and PCI Express specifications.
 *
 * A row is CFG8/16/32(register, virtual bits, writable bits), or CFG32_W1C with
 * the bits that a one clears as well. Rows are byte initialisers: a register
 * past the end of its table does not compile, nor do two rows that claim the
 * same byte (-Woverride-init is an error here).
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/types.h>

#include "cfg.h"

#define NONE	0U
#define ALL	0xffffffffU

#define CFG_PART(bits, nr)	((u32)(bits) >> 8 * (nr) & 0xff)
#define CFG_BYTE(reg, _virt, _write, _w1c, nr)				\
	.virt[(reg) + (nr)] = CFG_PART(_virt, nr),			\
	.write[(reg) + (nr)] = CFG_PART(_write, nr),			\
	.w1c[(reg) + (nr)] = CFG_PART(_w1c, nr)

#define CFG8(reg, virt, write)						\
	CFG_BYTE(reg, virt, write, NONE, 0)
#define CFG16(reg, virt, write)						\
	CFG_BYTE(reg, virt, write, NONE, 0),				\
	CFG_BYTE(reg, virt, write, NONE, 1)
#define CFG32_W1C(reg, virt, write, w1c)				\
	CFG_BYTE(reg, virt, write, w1c, 0),				\
	CFG_BYTE(reg, virt, write, w1c, 1),				\
	CFG_BYTE(reg, virt, write, w1c, 2),				\
	CFG_BYTE(reg, virt, write, w1c, 3)
#define CFG32(reg, virt, write)	CFG32_W1C(reg, virt, write, NONE)

/* Whole dwords, which no access crosses: it is in the table or past its end */
#define CFG_TABLE(name, size)						\
	static const struct {						\
		u8 virt[ALIGN(size, 4)];				\
		u8 write[ALIGN(size, 4)];				\
		u8 w1c[ALIGN(size, 4)];					\
	} name

#define CFG_BITS(table)							\
	.bits = { (table).virt, (table).write, (table).w1c },		\
	.nr_bits = sizeof((table).virt)

/* The links of the lists are virtual everywhere: hidden ones are unlinked */
#define STD_NEXT	CFG8(PCI_CAP_LIST_NEXT, ALL, NONE)
#define EXT_HEADER	CFG32(0, ALL, NONE)

CFG_TABLE(header_bits, PCI_STD_HEADER_SIZEOF) = {
	CFG16(PCI_VENDOR_ID,		ALL, NONE),
	CFG16(PCI_DEVICE_ID,		ALL, NONE),
	CFG16(PCI_COMMAND,		PCI_COMMAND_INTX_DISABLE, ALL),
	CFG16(PCI_STATUS,		PCI_STATUS_CAP_LIST, NONE),
	CFG8(PCI_CACHE_LINE_SIZE,	NONE, ALL),
	CFG8(PCI_LATENCY_TIMER,		NONE, ALL),
	CFG8(PCI_BIST,			NONE, ALL),
	CFG32(PCI_BASE_ADDRESS_0,	ALL, ALL),
	CFG32(PCI_BASE_ADDRESS_1,	ALL, ALL),
	CFG32(PCI_BASE_ADDRESS_2,	ALL, ALL),
	CFG32(PCI_BASE_ADDRESS_3,	ALL, ALL),
	CFG32(PCI_BASE_ADDRESS_4,	ALL, ALL),
	CFG32(PCI_BASE_ADDRESS_5,	ALL, ALL),
	CFG32(PCI_ROM_ADDRESS,		ALL, ALL),
	CFG8(PCI_CAPABILITY_LIST,	ALL, NONE),
	CFG8(PCI_INTERRUPT_LINE,	ALL, ALL),
	CFG8(PCI_INTERRUPT_PIN,		ALL, NONE),
};

/* Standard capabilities with nothing but the link to virtualise */
CFG_TABLE(std_bits, sizeof(u32)) = {
	STD_NEXT,
};

/* PME belongs to the host: the function claims not to have it */
#define PM_PME	(PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS)

CFG_TABLE(pm_bits, PCI_PM_SIZEOF) = {
	STD_NEXT,
	CFG16(PCI_PM_PMC,	PCI_PM_CAP_PME_MASK, NONE),
	CFG32_W1C(PCI_PM_CTRL,	PM_PME, ~(PM_PME | PCI_PM_CTRL_STATE_MASK),
		  PCI_PM_CTRL_PME_STATUS),
};

CFG_TABLE(vpd_bits, PCI_CAP_VPD_SIZEOF) = {
	STD_NEXT,
	CFG16(PCI_VPD_ADDR,	ALL, ALL),
	CFG32(PCI_VPD_DATA,	ALL, ALL),
};

/*
 * The low byte of the flags is virtual, but what the device can do in it (the
 * number of messages, 64 bit) is not the user's to change.
 */
#define MSI_USER	(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE)

CFG_TABLE(msi32_bits, 10) = {
	STD_NEXT,
	CFG8(PCI_MSI_FLAGS,		ALL, MSI_USER),
	CFG32(PCI_MSI_ADDRESS_LO,	ALL, ALL),
	CFG16(PCI_MSI_DATA_32,		ALL, ALL),
};

CFG_TABLE(msi64_bits, 14) = {
	STD_NEXT,
	CFG8(PCI_MSI_FLAGS,		ALL, MSI_USER),
	CFG32(PCI_MSI_ADDRESS_LO,	ALL, ALL),
	CFG32(PCI_MSI_ADDRESS_HI,	ALL, ALL),
	CFG16(PCI_MSI_DATA_64,		ALL, ALL),
};

CFG_TABLE(msi32_mask_bits, 20) = {
	STD_NEXT,
	CFG8(PCI_MSI_FLAGS,		ALL, MSI_USER),
	CFG32(PCI_MSI_ADDRESS_LO,	ALL, ALL),
	CFG16(PCI_MSI_DATA_32,		ALL, ALL),
	CFG32(PCI_MSI_MASK_32,		NONE, ALL),
	CFG32(PCI_MSI_PENDING_32,	NONE, ALL),
};

CFG_TABLE(msi64_mask_bits, 24) = {
	STD_NEXT,
	CFG8(PCI_MSI_FLAGS,		ALL, MSI_USER),
	CFG32(PCI_MSI_ADDRESS_LO,	ALL, ALL),
	CFG32(PCI_MSI_ADDRESS_HI,	ALL, ALL),
	CFG16(PCI_MSI_DATA_64,		ALL, ALL),
	CFG32(PCI_MSI_MASK_64,		NONE, ALL),
	CFG32(PCI_MSI_PENDING_64,	NONE, ALL),
};

CFG_TABLE(pcix_bits, PCI_CAP_PCIX_SIZEOF_V2) = {
	STD_NEXT,
	CFG16(PCI_X_CMD,	NONE, ALL),
	CFG32(PCI_X_ECC_CSR,	NONE, ALL),
};

CFG_TABLE(vndr_bits, sizeof(u32)) = {
	STD_NEXT,
	CFG8(PCI_CAP_FLAGS + 1,	NONE, ALL),
};

/* Payload size is the host's: all below one root must agree on it */
CFG_TABLE(exp_bits, PCI_CAP_EXP_ENDPOINT_SIZEOF_V2) = {
	STD_NEXT,
	CFG16(PCI_EXP_DEVCTL,
	      PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_PAYLOAD |
	      PCI_EXP_DEVCTL_READRQ, ~PCI_EXP_DEVCTL_PHANTOM),
	CFG16(PCI_EXP_DEVCTL2,	NONE, ~PCI_EXP_DEVCTL2_ARI),
};

CFG_TABLE(af_bits, PCI_CAP_AF_SIZEOF) = {
	STD_NEXT,
	CFG8(PCI_AF_CTRL,	PCI_AF_CTRL_FLR, PCI_AF_CTRL_FLR),
};

/* Extended capabilities with nothing but the header to virtualise */
CFG_TABLE(ext_bits, sizeof(u32)) = {
	EXT_HEADER,
};

#define AER_UNCOR							\
	(PCI_ERR_UNC_UND | PCI_ERR_UNC_DLP | PCI_ERR_UNC_SURPDN |	\
	 PCI_ERR_UNC_POISON_TLP | PCI_ERR_UNC_FCP |			\
	 PCI_ERR_UNC_COMP_TIME | PCI_ERR_UNC_COMP_ABORT |		\
	 PCI_ERR_UNC_UNX_COMP | PCI_ERR_UNC_RX_OVER |			\
	 PCI_ERR_UNC_MALF_TLP | PCI_ERR_UNC_ECRC | PCI_ERR_UNC_UNSUP |	\
	 PCI_ERR_UNC_ACSV | PCI_ERR_UNC_INTN | PCI_ERR_UNC_MCBTLP |	\
	 PCI_ERR_UNC_ATOMEG | PCI_ERR_UNC_TLPPRE)
#define AER_COR								\
	(PCI_ERR_COR_RCVR | PCI_ERR_COR_BAD_TLP |			\
	 PCI_ERR_COR_BAD_DLLP | PCI_ERR_COR_REP_ROLL |			\
	 PCI_ERR_COR_REP_TIMER | PCI_ERR_COR_ADV_NFAT |			\
	 PCI_ERR_COR_INTERNAL | PCI_ERR_COR_LOG_OVER)

CFG_TABLE(aer_bits, PCI_ERR_ROOT_COMMAND) = {
	EXT_HEADER,
	CFG32_W1C(PCI_ERR_UNCOR_STATUS,	NONE, AER_UNCOR, ALL),
	CFG32(PCI_ERR_UNCOR_MASK,	NONE, AER_UNCOR),
	CFG32(PCI_ERR_UNCOR_SEVER,	NONE, AER_UNCOR),
	CFG32_W1C(PCI_ERR_COR_STATUS,	NONE, AER_COR, ALL),
	CFG32(PCI_ERR_COR_MASK,		NONE, AER_COR),
	CFG32(PCI_ERR_CAP, NONE, PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE),
};

/* Selects which budget the data register next to it shows */
CFG_TABLE(pwr_bits, PCI_EXT_CAP_PWR_SIZEOF) = {
	EXT_HEADER,
	CFG8(PCI_PWR_DSR,	NONE, ALL),
};

const struct vfio_cfg_cap vfio_cfg_header = {
	.name = "header", .len = PCI_STD_HEADER_SIZEOF, CFG_BITS(header_bits),
	.init = vfio_cfg_header_init,
	.read = vfio_cfg_header_read, .write = vfio_cfg_header_write,
};

/* Bytes that no capability claims pass through in both directions */
const struct vfio_cfg_cap vfio_cfg_unassigned = {
	.name = "unassigned", .rest = { NONE, ALL },
};

/* Registers that a region of the device emulates */
const struct vfio_cfg_cap vfio_cfg_virtual = {
	.name = "virtual", .rest = { ALL, ALL },
};

/* Holds the list's place at 0x100 when what is there must not be seen */
const struct vfio_cfg_cap vfio_cfg_hidden_ecap = {
	.name = "hidden", .len = sizeof(u32), CFG_BITS(ext_bits),
};

#define MSI(table, _len)						\
	.name = "MSI", .len = (_len), CFG_BITS(table),			\
	.init = vfio_cfg_msi_init, .write = vfio_cfg_msi_write

const struct vfio_cfg_cap vfio_cfg_msi[4] = {
	{ MSI(msi32_bits, 10) },
	{ MSI(msi64_bits, 14) },
	{ MSI(msi32_mask_bits, 20) },
	{ MSI(msi64_mask_bits, 24) },
};

/* Vendors' capabilities have their length in bytes in a register */
#define LENGTH8(_reg)	{ .reg = (_reg), .width = 1, .max = 0xff, .unit = 1 }
#define LENGTH12(_reg)							\
	{ .reg = (_reg), .width = 4, .shift = 20, .max = 0xfff, .unit = 1 }

#define STD(_name, _len)	.name = (_name), .len = (_len), CFG_BITS(std_bits)
#define EXT(_name, _len)	.name = (_name), .len = (_len), CFG_BITS(ext_bits)

/*
 * What is not listed is hidden: slots, hot plug, debug ports, resource
 * control, bridges' subsystem ids, AGP targets, secure devices, enhanced
 * allocation, and whatever the future brings.
 */
static const struct vfio_cfg_cap std_caps[] = {
	[PCI_CAP_ID_PM] = {
		.name = "PM", .len = PCI_PM_SIZEOF, CFG_BITS(pm_bits),
		.write = vfio_cfg_pm_write,
	},
	[PCI_CAP_ID_AGP] = { STD("AGP", PCI_AGP_SIZEOF) },
	[PCI_CAP_ID_VPD] = {
		.name = "VPD", .len = PCI_CAP_VPD_SIZEOF, CFG_BITS(vpd_bits),
		.init = vfio_cfg_vpd_init, .write = vfio_cfg_vpd_write,
	},
	[PCI_CAP_ID_MSI] = {
		.name = "MSI", .len = sizeof(u32),
		.variant = vfio_cfg_msi_variant,
	},
	[PCI_CAP_ID_PCIX] = {
		.name = "PCI-X", .len = PCI_CAP_PCIX_SIZEOF_V0,
		CFG_BITS(pcix_bits), .length = vfio_cfg_pcix_length,
	},
	[PCI_CAP_ID_HT] = {
		STD("HT", sizeof(u32)), .length = vfio_cfg_ht_length,
	},
	[PCI_CAP_ID_VNDR] = {
		.name = "VNDR", .len = PCI_CAP_FLAGS + 1, CFG_BITS(vndr_bits),
		.rest = { NONE, ALL }, .field = LENGTH8(PCI_CAP_FLAGS),
	},
	[PCI_CAP_ID_EXP] = {
		.name = "EXP", .len = PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1,
		CFG_BITS(exp_bits), .length = vfio_cfg_exp_length,
		.init = vfio_cfg_exp_init, .write = vfio_cfg_exp_write,
	},
	[PCI_CAP_ID_MSIX] = { STD("MSI-X", PCI_CAP_MSIX_SIZEOF) },
	[PCI_CAP_ID_SATA] = {
		STD("SATA", PCI_SATA_SIZEOF_SHORT),
		.length = vfio_cfg_sata_length,
	},
	[PCI_CAP_ID_AF] = {
		.name = "AF", .len = PCI_CAP_AF_SIZEOF, CFG_BITS(af_bits),
		.write = vfio_cfg_af_write,
	},
};

/*
 * Hidden because not listed: everything of root complexes and switches,
 * MR-IOV, PASID, protocol multiplexing, and all that is newer.
 */
static const struct vfio_cfg_cap ext_caps[] = {
	[PCI_EXT_CAP_ID_ERR] = {
		.name = "AER", .len = PCI_ERR_ROOT_COMMAND, CFG_BITS(aer_bits),
	},
	[PCI_EXT_CAP_ID_VC] = {
		EXT("VC", PCI_CAP_VC_BASE_SIZEOF), .length = vfio_cfg_vc_length,
	},
	[PCI_EXT_CAP_ID_DSN] = { EXT("DSN", PCI_EXT_CAP_DSN_SIZEOF) },
	[PCI_EXT_CAP_ID_PWR] = {
		.name = "PWR", .len = PCI_EXT_CAP_PWR_SIZEOF, CFG_BITS(pwr_bits),
	},
	[PCI_EXT_CAP_ID_MFVC] = {
		EXT("MFVC", PCI_CAP_VC_BASE_SIZEOF),
		.length = vfio_cfg_vc_length,
	},
	[PCI_EXT_CAP_ID_VC9] = {
		EXT("VC9", PCI_CAP_VC_BASE_SIZEOF),
		.length = vfio_cfg_vc_length,
	},
	[PCI_EXT_CAP_ID_VNDR] = {
		EXT("VSEC", PCI_VNDR_HEADER + 4), .rest = { NONE, ALL },
		.field = LENGTH12(PCI_VNDR_HEADER),
	},
	[PCI_EXT_CAP_ID_ACS] = {
		EXT("ACS", PCI_ACS_EGRESS_CTL_V), .length = vfio_cfg_acs_length,
	},
	[PCI_EXT_CAP_ID_ARI] = { EXT("ARI", PCI_EXT_CAP_ARI_SIZEOF) },
	[PCI_EXT_CAP_ID_ATS] = { EXT("ATS", PCI_EXT_CAP_ATS_SIZEOF) },
	[PCI_EXT_CAP_ID_SRIOV] = { EXT("SR-IOV", PCI_EXT_CAP_SRIOV_SIZEOF) },
	[PCI_EXT_CAP_ID_MCAST] = {
		EXT("multicast", PCI_EXT_CAP_MCAST_ENDPOINT_SIZEOF),
	},
	[PCI_EXT_CAP_ID_PRI] = { EXT("PRI", PCI_EXT_CAP_PRI_SIZEOF) },
	[PCI_EXT_CAP_ID_REBAR] = {
		EXT("resizable BAR", PCI_REBAR_CTRL + 4),
		.field = {
			.reg = PCI_REBAR_CTRL, .width = 4, .max = 7,
			.shift = PCI_REBAR_CTRL_NBAR_SHIFT,
			.base = PCI_REBAR_CAP, .unit = 8,
		},
	},
	[PCI_EXT_CAP_ID_DPA] = {
		EXT("DPA", PCI_DPA_BASE_SIZEOF + 1),
		.field = {
			.reg = PCI_DPA_CAP, .width = 4,
			.max = PCI_DPA_CAP_SUBSTATE_MASK,
			.base = PCI_DPA_BASE_SIZEOF + 1, .unit = 1,
		},
	},
	[PCI_EXT_CAP_ID_TPH] = {
		EXT("TPH", PCI_TPH_BASE_SIZEOF), .length = vfio_cfg_tph_length,
	},
	[PCI_EXT_CAP_ID_LTR] = { EXT("LTR", PCI_EXT_CAP_LTR_SIZEOF) },
	[PCI_EXT_CAP_ID_DVSEC] = {
		EXT("DVSEC", PCI_DVSEC_HEADER2 + 2), .rest = { NONE, ALL },
		.field = LENGTH12(PCI_DVSEC_HEADER1),
	},
};

static const struct vfio_cfg_cap *
cap_by_id(const struct vfio_cfg_cap *caps, unsigned int nr, unsigned int id)
{
	return id < nr && caps[id].name ? &caps[id] : NULL;
}

/**
 * vfio_cfg_std_cap() - find the descriptor of a standard capability
 * @id: PCI_CAP_ID_*, as read from the device
 *
 * Return: the descriptor, or NULL if the capability is to be hidden.
 */
const struct vfio_cfg_cap *vfio_cfg_std_cap(unsigned int id)
{
	return cap_by_id(std_caps, ARRAY_SIZE(std_caps), id);
}

/**
 * vfio_cfg_ext_cap() - find the descriptor of an extended capability
 * @id: PCI_EXT_CAP_ID_*, as read from the device
 *
 * Return: the descriptor, or NULL if the capability is to be hidden.
 */
const struct vfio_cfg_cap *vfio_cfg_ext_cap(unsigned int id)
{
	return cap_by_id(ext_caps, ARRAY_SIZE(ext_caps), id);
}
