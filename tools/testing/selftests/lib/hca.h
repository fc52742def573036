/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lab's model of a ConnectX-class HCA (lab/models/hca): its control window, its
 * command log, faults, and the work of its VFs. What the numbers mean stands in the
 * model's own control.h.
 */
#ifndef SELFTEST_HCA_H
#define SELFTEST_HCA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../lab/models/hca/control.h"
#include "vfio.h"

/* Opcodes that tests look for in the log. */
enum hca_opcode {
	HCA_QUERY_HCA_CAP = 0x100,
	HCA_INIT_HCA = 0x102,
	HCA_TEARDOWN_HCA = 0x103,
	HCA_ENABLE_HCA = 0x104,
	HCA_DISABLE_HCA = 0x105,
	HCA_MANAGE_PAGES = 0x108,
	HCA_SUSPEND_VHCA = 0x115,
	HCA_RESUME_VHCA = 0x116,
	HCA_QUERY_MIGRATION = 0x117,
	HCA_SAVE_VHCA = 0x118,
	HCA_LOAD_VHCA = 0x119,
	HCA_CREATE_MKEY = 0x200,
	HCA_DESTROY_MKEY = 0x202,
	HCA_CREATE_EQ = 0x301,
	HCA_DESTROY_EQ = 0x302,
	HCA_CREATE_CQ = 0x400,
	HCA_DESTROY_CQ = 0x401,
	HCA_CREATE_QP = 0x500,
	HCA_DESTROY_QP = 0x501,
	HCA_RST2INIT_QP = 0x502,
	HCA_INIT2RTR_QP = 0x503,
	HCA_RTR2RTS_QP = 0x504,
	HCA_ALLOC_PD = 0x800,
	HCA_DEALLOC_PD = 0x801,
	HCA_ALLOC_UAR = 0x802,
	HCA_DEALLOC_UAR = 0x803,
	HCA_CREATE_OBJECT = 0xa00,
	HCA_MODIFY_OBJECT = 0xa01,
	HCA_QUERY_OBJECT = 0xa02,
	HCA_DESTROY_OBJECT = 0xa03,
};

/* --- the functions ---------------------------------------------------------- */

/* Address of function @fn: 0 is the PF. Valid until the next call for that one. */
const char *hca_bdf(unsigned int fn);

/* What QUERY_HCA_CAP says of function @fn. */
static inline unsigned int hca_vhca_id(unsigned int fn)
{
	return 0x100 + fn;
}

/*
 * Have mlx5_core on the PF, @vfs VFs without a driver, and everything of the control
 * window as at power on. What an earlier test left behind is cleared away.
 */
void hca_up(unsigned int vfs);
/* Take mlx5_core out of the kernel. */
void hca_down(void);
/* mlx5_core leaves the PF, and comes back to it. 0 or -errno. */
int hca_unbind(void);
int hca_bind(void);
/* Write sriov_numvfs; 0 or -errno. */
int hca_set_vfs(unsigned int vfs);

/* --- control window -------------------------------------------------------- */

uint32_t hca_get(enum hca_area area, unsigned int index);
void hca_put(enum hca_area area, unsigned int index, uint32_t val);
void hca_set(enum hca_setting setting, uint32_t val);
uint32_t hca_counter(unsigned int fn, enum hca_counter counter);
/* Objects of function @fn that exist now, pages and commands aside. */
unsigned int hca_live(unsigned int fn);
void hca_do(enum hca_action action, uint32_t arg0, uint32_t arg1);

/* Firmware dies and comes back; mlx5_core sees to it, once in a minute for each probe. */
void hca_recover(void);

/* --- command log ------------------------------------------------------------- */

/**
 * struct hca_entry - one command
 * @word:	enum hca_log_word
 */
struct hca_entry {
	uint32_t word[HCA_LOG_WORDS];
};

/* Number of the next entry: what follows is looked for from there on. */
uint32_t hca_log_now(void);
/* First entry from *@at on with @opcode; moves *@at behind it. */
bool hca_log_next(uint32_t *at, enum hca_opcode opcode, struct hca_entry *entry);
unsigned int hca_log_count(uint32_t from, enum hca_opcode opcode);
/* Print what was logged from there on. */
void hca_log_show(uint32_t from);

/* --- faults ------------------------------------------------------------------- */

/**
 * struct hca_fault - what is to go wrong
 * @kind:	how
 * @opcode:	with which command
 * @value:	status, delivery status or milliseconds
 * @syndrome:	with a status, or 0 for the model's own
 * @skip:	let so many pass first
 * @times:	then hit so many; 0 stands for 1
 * @fn:		of this function alone, counted from 1; 0: of any
 * @op_mod:	with this operation alone, counted from 1; 0: with any
 */
struct hca_fault {
	enum hca_fault_kind kind;
	enum hca_opcode opcode;
	uint32_t value;
	uint32_t syndrome;
	uint32_t skip;
	uint32_t times;
	uint32_t fn;
	uint32_t op_mod;
};

/* Make it so; the slot it is in. */
unsigned int hca_fault_set(const struct hca_fault *fault);
#define hca_fail(how, what, val, ...)					\
	hca_fault_set(&(const struct hca_fault){			\
		.kind = how, .opcode = what, .value = val, ##__VA_ARGS__	\
	})
unsigned int hca_fault_hits(unsigned int slot);
/* Let the commands go that are held. */
void hca_release(void);

/* --- a VF's work --------------------------------------------------------------- */

uint64_t hca_work_get(struct vfio_dev *vf, unsigned int reg);
void hca_work_put(struct vfio_dev *vf, unsigned int reg, uint64_t val);
/* Open VF @fn, able to decode and to send MSI and DMA. */
void hca_vf_open(struct vfio_dev *vf, unsigned int fn);
/* A transfer; how it ended (HCA_DMA_IS_...). */
unsigned int hca_work_dma(struct vfio_dev *vf, unsigned int go, uint64_t iova, uint64_t pos,
			  uint64_t len);
/* The byte of memory at @pos that a test with @seed expects. */
uint8_t hca_byte(unsigned int seed, uint64_t pos);

#endif
