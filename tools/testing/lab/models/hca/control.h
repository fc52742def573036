/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the HCA that a real one has not: how a test watches it and makes it
 * fail, and what a virtual function does for a living. The model and the guest's
 * tests both include this file.
 */
#ifndef LAB_HCA_CONTROL_H
#define LAB_HCA_CONTROL_H

#define HCA_VFS		4	/* function 0 is the PF, 1 to HCA_VFS are the VFs */
#define HCA_FNS		(1 + HCA_VFS)

/* --- control window: a vendor-specific extended capability of the PF -------- */

/*
 * Write the address of a word, then read or write words: each access moves the
 * address on by one. It works whatever driver has the PF.
 */
#define HCA_VSEC_ID	0x4c41	/* "LA" */
#define HCA_VSEC_ADDR	0x08	/* relative to the capability */
#define HCA_VSEC_DATA	0x0c
#define HCA_VSEC_SIZE	0x10

#define HCA_WORD(area, index)	((unsigned int)(area) << 24 | (index))

enum hca_area {
	HCA_AREA_INFO,
	HCA_AREA_SETTING,	/* enum hca_setting */
	HCA_AREA_COUNTER,	/* function << 8 | enum hca_counter */
	HCA_AREA_LOG,		/* number of the entry % HCA_LOG_SIZE << 4 | word */
	HCA_AREA_FAULT,		/* slot << 4 | enum hca_fault_word */
	HCA_AREA_ACTION,	/* enum hca_action_word */
};

#define HCA_MAGIC	0x48434131	/* "HCA1" */

enum hca_info {
	HCA_INFO_MAGIC,
	HCA_INFO_LOGGED,	/* commands logged since the machine started */
};

/* What firmware this is. Capabilities are read by mlx5_core when it probes. */
enum hca_setting {
	HCA_SET_MIGRATABLE,	/* bit n: VF n - 1 */
	HCA_SET_MIGRATION,	/* the PF can migrate its VFs */
	HCA_SET_TRACKED,	/* images can be saved of a running VF */
	HCA_SET_MULTI_LOAD,	/* and several be loaded */
	HCA_SET_CHUNKS,		/* an image can be saved in several pieces */
	HCA_SET_CHUNK_SIZE,
	HCA_SET_SAVE_MS,	/* how long SAVE_VHCA_STATE takes */
	HCA_SET_VF_PAGES,	/* memory of a VF, from its next reset on */
	HCA_SET_TRACKER,	/* page tracking */
	HCA_SET_TRACKER_LOG_MSG, /* log2 of the longest message */
	HCA_SET_TRACKER_LOG_SPACE, /* log2 of the largest address space */
	HCA_SET_TRACKER_RANGES,
	HCA_SET_REPORT_MS,	/* how long until a report begins */
	HCA_SET_CMD_TIMEOUT_MS,	/* how patient mlx5_core is; 0: its own 60 s */
	HCA_SET_BOOT_PAGES,
	HCA_SET_INIT_PAGES,
	HCA_SET_PAGES_OF_VF,
	HCA_SETTINGS,
};

/* Of one function. The first ones are what exists now. */
enum hca_counter {
	HCA_LIVE_EQ,
	HCA_LIVE_CQ,
	HCA_LIVE_QP,
	HCA_LIVE_MKEY,
	HCA_LIVE_PD,
	HCA_LIVE_UAR,
	HCA_LIVE_TRACKER,
	HCA_LIVE_PAGES,
	HCA_LIVE_CMD,		/* commands in flight */
	HCA_LIVE,
	HCA_STATE = HCA_LIVE,	/* HCA_IS_... */
	HCA_LEAKED,		/* objects that TEARDOWN_HCA had to destroy */
	HCA_MISUSED,		/* broken rules: busy slot, overrun queue, stopped VF touched */
	HCA_RESETS,
	HCA_EVENTS,		/* reported, those of commands aside */
	HCA_COUNTERS,
};

#define HCA_IS_ENABLED		0x01
#define HCA_IS_READY		0x02	/* after INIT_HCA */
#define HCA_IS_PASSIVE		0x04	/* initiator suspended */
#define HCA_IS_STOPPED		0x08	/* responder suspended */
#define HCA_IS_TRACKED		0x10

/* --- command log ----------------------------------------------------------- */

#define HCA_LOG_SIZE	1024
#define HCA_LOG_WORDS	16

/* Words of an entry. Status and syndrome are the answer's. */
enum hca_log_word {
	HCA_LOG_NUMBER,
	HCA_LOG_FN,
	HCA_LOG_OPCODE,
	HCA_LOG_OP_MOD,
	HCA_LOG_LENGTHS,	/* of the input in the upper half, of the output */
	HCA_LOG_END,		/* enum hca_end */
	HCA_LOG_DELIVERY,
	HCA_LOG_STATUS,
	HCA_LOG_SYNDROME,
	HCA_LOG_IN2,		/* third word of the input, and those that follow */
	HCA_LOG_IN3,
	HCA_LOG_IN6 = 13,	/* seventh and eighth: key and size of an image */
	HCA_LOG_IN7,
};

enum hca_end {
	HCA_END_NONE,		/* in flight */
	HCA_END_DONE,
	HCA_END_LOST,		/* to a reset */
	HCA_END_DEFERRED,	/* the VF was suspended first: it comes again */
};

/* --- failing on purpose ---------------------------------------------------- */

#define HCA_FAULTS	16

enum hca_fault_word {
	HCA_FAULT_KIND,		/* enum hca_fault_kind; set it last */
	HCA_FAULT_OPCODE,
	HCA_FAULT_FN,		/* number of the function or HCA_ANY */
	HCA_FAULT_OP_MOD,	/* or HCA_ANY */
	HCA_FAULT_SKIP,		/* let so many pass */
	HCA_FAULT_TIMES,	/* then hit so many */
	HCA_FAULT_VALUE,	/* status, delivery status or milliseconds */
	HCA_FAULT_SYNDROME,
	HCA_FAULT_HITS,		/* so far */
};

#define HCA_ANY		0xffffffff

enum hca_fault_kind {
	HCA_FAULT_OFF,
	HCA_FAULT_STATUS,	/* fails with this status and syndrome, does nothing */
	HCA_FAULT_DELIVER,	/* is not even looked at */
	HCA_FAULT_DELAY,
	HCA_FAULT_HOLD,		/* until HCA_DO_RELEASE, or for ever */
	HCA_FAULT_UNDO,		/* does its work and then claims to have failed */
};

enum hca_action_word {
	HCA_ACTION_ARG0,
	HCA_ACTION_ARG1,
	HCA_ACTION_DO,		/* enum hca_action */
};

enum hca_action {
	HCA_DO_DEFAULTS = 1,	/* settings, faults and counters as at power on */
	HCA_DO_RELEASE,		/* commands that are held */
	HCA_DO_HEALTH,		/* ARG0: syndrome of a fatal error, 0 to recover */
	HCA_DO_CQ_ERROR,	/* ARG0: number of the CQ, 0 for the youngest */
	HCA_DO_QP_ERROR,	/* the same; ARG1: type of the event */
	HCA_DO_TRACKER_ERROR,	/* the same */
	HCA_DO_PAGES,		/* ARG0: function, ARG1: pages it wants, or gives back */
};

/* --- syndromes: why a command failed ---------------------------------------- */

#define HCA_SYNDROME	0x004c0000	/* or one of these */

enum hca_reason {
	HCA_WHY_NONE,
	HCA_WHY_OPCODE,		/* no such command, or not for a VF */
	HCA_WHY_LENGTH,
	HCA_WHY_NOT_ENABLED,
	HCA_WHY_NOT_READY,
	HCA_WHY_FUNCTION,	/* no such function or VHCA */
	HCA_WHY_VALUE,		/* a field makes no sense */
	HCA_WHY_OBJECT,		/* no such object */
	HCA_WHY_IN_USE,
	HCA_WHY_FULL,
	HCA_WHY_DMA,		/* memory that cannot be reached, or a key too short */
	HCA_WHY_QP_STATE,
	HCA_WHY_ORDER,		/* of suspending and resuming */
	HCA_WHY_RUNNING,	/* it has to be suspended for that */
	HCA_WHY_STOPPED,	/* and for this not */
	HCA_WHY_UNTRACKED,
	HCA_WHY_BUSY,		/* a save is going on */
	HCA_WHY_WAS_RESET,	/* in the course of a save */
	HCA_WHY_SMALL,		/* the image does not fit */
	HCA_WHY_IMAGE,		/* no image, or a damaged one */
	HCA_WHY_OTHER_DEVICE,	/* an image of a VF with another memory */
	HCA_WHY_SEQUENCE,	/* of images, or of an image's pieces */
	HCA_WHY_INCOMPLETE,	/* some pieces were never loaded */
	HCA_WHY_SECOND,		/* only one image can be loaded */
	HCA_WHY_CAPABILITY,
	HCA_WHY_TRACKER_STATE,
	HCA_WHY_FAULT,		/* because a test asked for it */
};

/* --- what a VF does: registers in its BAR 0 --------------------------------- */

#define HCA_BAR_SIZE	0x100000
#define HCA_WORK	0x8000	/* 64-bit registers, enum hca_work */
#define HCA_WINDOW	0x80000	/* a view of the VF's memory */
#define HCA_WINDOW_SIZE	0x80000
#define HCA_PAGE	4096u

#define HCA_WORK_AT(reg)	(HCA_WORK + 8 * (reg))

/* All of them, and the memory, are what migrates. */
enum hca_work {
	HCA_W_MAGIC,
	HCA_W_PAGES,		/* of memory */
	HCA_W_TICKS,		/* milliseconds that it has been running */
	HCA_W_WRITES,		/* registers written */
	HCA_W_SCRATCH,		/* and 7 more */
	HCA_W_WINDOW = HCA_W_SCRATCH + 8, /* first page seen through the window */

	/* One transfer between the VF's memory and an address in the host. */
	HCA_W_DMA_IOVA,
	HCA_W_DMA_POS,
	HCA_W_DMA_LEN,
	HCA_W_DMA_GO,		/* HCA_DMA_... */
	HCA_W_DMA_STATUS,	/* HCA_DMA_IS_... */
	HCA_W_DMA_DONE,		/* transfers since reset */

	/* Every period: a number into the next of some pages, and into memory. */
	HCA_W_STREAM_IOVA,
	HCA_W_STREAM_PAGES,
	HCA_W_STREAM_US,
	HCA_W_STREAM_ON,
	HCA_W_STREAM_COUNT,
	HCA_W_STREAM_ERRORS,

	HCA_W_VECTOR,		/* MSI-X vector + 1 that each of these raises */
	HCA_W_REGS,
};

#define HCA_WORK_MAGIC		0x5752u

#define HCA_DMA_TO_HOST		1
#define HCA_DMA_FROM_HOST	2

#define HCA_DMA_IS_IDLE		0
#define HCA_DMA_IS_PENDING	1	/* the VF is suspended */
#define HCA_DMA_IS_DONE		2
#define HCA_DMA_IS_FAILED	3

#endif
