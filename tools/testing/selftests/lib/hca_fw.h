/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HCA's firmware without a driver for it: commands to the PF through the debugfs
 * files of mlx5_core. For buffers that it reads and writes, the PF has to be in an
 * identity domain (iommu=pt).
 *
 * Functions return the command's status, 0 if it succeeded.
 */
#ifndef SELFTEST_HCA_FW_H
#define SELFTEST_HCA_FW_H

#include "hca.h"

enum fw_status {
	FW_OK = 0,
	FW_BAD_OP = 0x2,
	FW_BAD_PARAM = 0x3,
	FW_BAD_SYS_STATE = 0x4,
	FW_BAD_RES = 0x5,
	FW_RES_BUSY = 0x6,
	FW_BAD_RES_STATE = 0x9,
	FW_BAD_QP_STATE = 0x10,
	FW_BAD_INP_LEN = 0x50,
	FW_BAD_OUTP_LEN = 0x51,
	FW_NO_ANSWER = 0x100,	/* not executed; with an errno */
};

/* @in and @out are words in the order of this machine. */
unsigned int fw_exec(const uint32_t *in, size_t in_words, uint32_t *out, size_t out_words);
/* Why the last command failed. */
enum hca_reason fw_why(void);

/* A command with four words in and out: opcode, op_mod, and words 2 and 3. */
unsigned int fw_short(unsigned int opcode, unsigned int op_mod, uint32_t word2, uint32_t word3,
		      uint32_t *answer);

/**
 * struct fw_buf - memory that the firmware reaches by a key
 * @addr:	here
 * @size:	bytes
 * @phys:	address of each page
 * @pd:		protection domain of its own
 * @mkey:	the key, 0 without one
 */
struct fw_buf {
	uint8_t *addr;
	size_t size;
	uint64_t *phys;
	uint32_t pd;
	uint32_t mkey;
};

void fw_buf_alloc(struct fw_buf *buf, size_t size);
void fw_buf_free(struct fw_buf *buf);

/* --- migration --------------------------------------------------------------- */

#define FW_INITIATOR	0	/* of SUSPEND_VHCA; RESUME_VHCA has it the other way */
#define FW_RESPONDER	1

#define FW_INCREMENTAL	0x80000000
#define FW_CHUNK	0x40000000	/* of QUERY */
#define FW_TRACK	0x40000000	/* of SAVE */

/**
 * struct fw_size - what QUERY_VHCA_MIGRATION_STATE says
 * @next:	room that the next SAVE_VHCA_STATE needs
 * @total:	all that is left to save, if chunks were asked for
 */
struct fw_size {
	uint32_t next;
	uint64_t total;
};

/**
 * struct fw_saved - what SAVE_VHCA_STATE says
 * @len:	bytes of the image, or of its piece
 * @next:	room that the next piece needs, 0 if there is none
 */
struct fw_saved {
	uint32_t len;
	uint32_t next;
};

unsigned int fw_suspend(unsigned int fn, unsigned int half);
unsigned int fw_resume(unsigned int fn, unsigned int half);
/* Both halves, in the right order. */
void fw_stop(unsigned int fn);
void fw_start(unsigned int fn);
unsigned int fw_query(unsigned int fn, uint32_t flags, struct fw_size *size);
unsigned int fw_save(unsigned int fn, uint32_t flags, const struct fw_buf *buf,
		     struct fw_saved *saved);
unsigned int fw_load(unsigned int fn, const struct fw_buf *buf, uint32_t len);

#endif
