/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ConnectX-class HCA: one physical function and its virtual functions, as the
 * kernel's mlx5_core and a driver that migrates VFs see them. The prototypes are
 * grouped by file: a table of contents.
 */
#ifndef LAB_HCA_H
#define LAB_HCA_H

#include "qemu/osdep.h"
#include "hw/pci/pci_device.h"
#include "qemu/timer.h"
#include "control.h"
#include "ifc.h"

#define HCA_SLOTS	32	/* commands at a time */
#define HCA_SLOT_SIZE	64
#define HCA_VECTORS	16
#define HCA_UAR_FIRST	16	/* page of BAR 0 */
#define HCA_UARS	112
#define HCA_EQS		16
#define HCA_EQ_PAS	130
#define HCA_CQS		64
#define HCA_QPS		64
#define HCA_MKEYS	1024
#define HCA_PDS		256
#define HCA_TRACKERS_LOG 2
#define HCA_TRACKERS	(1 << HCA_TRACKERS_LOG)
#define HCA_TRACK_RANGES 16u
#define HCA_TRACK_MIN_PAGE 12	/* logarithms of what a tracker can be asked for */
#define HCA_TRACK_MAX_PAGE 21
#define HCA_TRACK_MIN_MSG 6

/* Numbers of objects start at different values, so that mixing them up fails. */
#define HCA_EQ_BASE	1
#define HCA_CQ_BASE	0x100
#define HCA_QP_BASE	0x200
#define HCA_TRACKER_BASE 0x300
#define HCA_PD_BASE	0x400
#define HCA_MKEY_BASE	0x1000

/* VHCA id of a function: unlike its number on purpose. */
#define HCA_VHCA_BASE	0x100

/* Status of a command. */
enum hca_status {
	HCA_OK = 0,
	HCA_INT_ERR = 0x1,
	HCA_BAD_OP = 0x2,
	HCA_BAD_PARAM = 0x3,
	HCA_BAD_SYS_STATE = 0x4,
	HCA_BAD_RES = 0x5,
	HCA_RES_BUSY = 0x6,
	HCA_LIM_ERR = 0x8,
	HCA_BAD_RES_STATE = 0x9,
	HCA_NO_RES = 0xf,
	HCA_BAD_QP_STATE = 0x10,
	HCA_BAD_INP_LEN = 0x50,
	HCA_BAD_OUTP_LEN = 0x51,
};

/* A command's verdict: status and why. */
#define HCA_FAIL(status, why)	((uint32_t)(status) << 24 | HCA_SYNDROME | (why))

enum hca_event {
	HCA_EVENT_COMP = 0x00,
	HCA_EVENT_CQ_ERROR = 0x04,
	HCA_EVENT_WQ_CATAS = 0x05,
	HCA_EVENT_CMD = 0x0a,
	HCA_EVENT_PAGES = 0x0b,
	HCA_EVENT_WQ_ACCESS = 0x11,
	HCA_EVENT_OBJECT = 0x27,
};

struct hca;
struct hca_fn;

/* Memory of the host that a queue or a key consists of. */
struct hca_pages {
	uint64_t *pas;
	unsigned int count;
	unsigned int shift;
};

struct hca_cmd {
	struct hca_fn *fn;
	unsigned int slot;
	bool busy;
	bool held;
	QEMUTimer *timer;
	uint8_t layout[HCA_SLOT_SIZE];
	uint8_t *in, *out;
	uint32_t in_len, out_len;
	uint16_t opcode, op_mod;
	unsigned int delivery;	/* 0: it was understood */
	uint32_t verdict;	/* forced by a fault, else 0 */
	bool undo;		/* the verdict comes after the work */
	bool saves;		/* and no other command saves that VHCA */
	unsigned int epoch;	/* of the VHCA it is about, when it was given */
	unsigned int eqn;	/* that reports it; 0: the driver polls */
	uint32_t entry;		/* in the log */
};

struct hca_eq {
	bool used;
	bool armed;
	uint8_t log_size, shift, vector;
	uint32_t pi, ci;
	uint32_t cqs;
	uint64_t mask[4];
	uint64_t pas[HCA_EQ_PAS];
	uint32_t count;
};

struct hca_cq {
	bool used, armed, failed;
	unsigned int log_size, eqn, qps;
	uint32_t pi, ci;
	uint64_t dbr;
	struct hca_pages pages;
};

enum hca_qp_state { HCA_QP_RST, HCA_QP_INIT, HCA_QP_RTR, HCA_QP_RTS, HCA_QP_ERR };

/* What became of a message. */
enum hca_receive {
	HCA_RECEIVED,
	HCA_NO_BUFFER,		/* now: one may be posted later */
	HCA_BROKEN,
};

struct hca_qp {
	bool used;
	enum hca_qp_state state;
	unsigned int cqn, pd, remote, trackers;
	unsigned int log_rq, log_stride;
	uint16_t head;		/* next receive WQE */
	uint64_t dbr;
	struct hca_pages pages;
};

struct hca_mkey {
	bool used, direct, can_write, can_read;
	uint8_t variant;
	unsigned int pd;
	uint64_t start, len;
	struct hca_pages pages;
};

/* What of the command interface migrates: a driver in a guest notices nothing. */
struct hca_iface {
	uint64_t queue;
	uint32_t nic;
	uint32_t ready;
	uint32_t waiting;	/* slots that were rung while suspended */
	uint32_t uars[DIV_ROUND_UP(HCA_UARS, 32)];
	struct hca_eq eq[HCA_EQS];
};

/* The work of a VF, and its memory. */
struct hca_work_state {
	uint64_t reg[HCA_W_REGS];
	uint8_t *memory;
	uint64_t *dirty;
	unsigned int pages;
	int64_t since;		/* running since, for HCA_W_TICKS */
	QEMUTimer *stream;
};

/* Migration of a VF. */
struct hca_vhca {
	unsigned int epoch;	/* counts resets */
	bool passive, stopped, tracked;
	bool saving;		/* a SAVE_VHCA_STATE is on its way */
	uint64_t stream, generation;

	/* The image that is being saved in pieces. */
	bool chunked;
	GByteArray *rest;
	uint64_t base, sent;

	/* And the one that is being loaded. */
	GByteArray *loading;
	uint64_t loaded_stream, loaded_generation, load_total;
	unsigned int loads;
};

struct hca_fn {
	struct hca *hca;
	PCIDevice *pci;
	unsigned int nr;
	MemoryRegion bar, work_mr, window_mr;
	bool enabled;
	struct hca_iface iface;
	struct hca_cmd cmd[HCA_SLOTS];
	struct hca_cq cq[HCA_CQS];
	struct hca_qp qp[HCA_QPS];
	struct hca_mkey mkey[HCA_MKEYS];
	unsigned int pd[HCA_PDS];	/* users + 1 */
	GArray *pages;			/* given by the PF's driver */
	struct hca_work_state work;
	struct hca_vhca vhca;
	uint32_t counter[HCA_COUNTERS];
};

struct hca_range {
	uint64_t start, len;
};

struct hca_tracker {
	struct hca *hca;
	bool used;
	unsigned int nr;	/* of the function that is watched */
	unsigned int qpn, log_page, log_msg, state, ranges;
	struct hca_range range[HCA_TRACK_RANGES];
	GHashTable *dirty;	/* addresses of pages */
	GArray *report;		/* those that are being reported */
	unsigned int sent;
	QEMUTimer *timer;
};

struct hca {
	struct hca_fn fn[HCA_FNS];
	uint8_t health;
	uint32_t setting[HCA_SETTINGS];
	uint32_t fault[HCA_FAULTS][16];
	uint32_t log[HCA_LOG_SIZE][HCA_LOG_WORDS];
	uint32_t logged;
	struct hca_tracker tracker[HCA_TRACKERS];
	uint32_t action[2];
	uint16_t vsec;
	uint64_t streams;
};

/* pci.c: the PCI functions */
static inline bool hca_is_pf(const struct hca_fn *fn)
{
	return !fn->nr;
}

/* fn.c: life of a function, its memory accesses */
void hca_fn_init(struct hca_fn *fn, struct hca *hca, unsigned int nr);
void hca_fn_realize(struct hca_fn *fn, PCIDevice *pci);
void hca_fn_reset(struct hca_fn *fn);
/* All functions, and what the driver gave to them. */
void hca_reset(struct hca *hca);
/* Free all that a driver made; returns how many objects there were. */
unsigned int hca_fn_clear(struct hca_fn *fn);
/* After what migrates of them was replaced. */
void hca_fn_recount(struct hca_fn *fn);
bool hca_dma_read(struct hca_fn *fn, uint64_t addr, void *data, size_t len);
bool hca_dma_write(struct hca_fn *fn, uint64_t addr, const void *data, size_t len);
bool hca_pages_init(struct hca_pages *pages, const struct hca_cmd *cmd, size_t at, size_t count);
void hca_pages_free(struct hca_pages *pages);
bool hca_pages_read(struct hca_fn *fn, const struct hca_pages *pages, uint64_t pos, void *data,
		    size_t len);
bool hca_pages_write(struct hca_fn *fn, const struct hca_pages *pages, uint64_t pos,
		     const void *data, size_t len);

/* bar.c: the initialisation segment and doorbells */
extern const MemoryRegionOps hca_bar_ops;

/* cmd.c: commands from doorbell to completion */
void hca_cmd_init(struct hca_fn *fn);
void hca_cmd_doorbell(struct hca_fn *fn, uint32_t slots);
void hca_cmd_abort(struct hca_fn *fn);
void hca_cmd_release(struct hca_fn *fn);

/* ops.c: the table of commands */
uint32_t hca_op_run(struct hca_cmd *cmd);

/* setup.c, caps.c: bringing up and down */
uint32_t hca_query_issi(struct hca_cmd *cmd);
uint32_t hca_set_issi(struct hca_cmd *cmd);
uint32_t hca_enable(struct hca_cmd *cmd);
uint32_t hca_disable(struct hca_cmd *cmd);
uint32_t hca_init_hca(struct hca_cmd *cmd);
uint32_t hca_teardown(struct hca_cmd *cmd);
uint32_t hca_query_pages(struct hca_cmd *cmd);
uint32_t hca_manage_pages(struct hca_cmd *cmd);
uint32_t hca_query_adapter(struct hca_cmd *cmd);
uint32_t hca_access_register(struct hca_cmd *cmd);
void hca_want_pages(struct hca_fn *fn, int32_t count);
uint32_t hca_query_cap(struct hca_cmd *cmd);
uint32_t hca_set_cap(struct hca_cmd *cmd);

/* eq.c: event queues */
uint32_t hca_create_eq(struct hca_cmd *cmd);
uint32_t hca_destroy_eq(struct hca_cmd *cmd);
void hca_eq_doorbell(struct hca_fn *fn, uint32_t val, bool arm);
struct hca_eq *hca_eq_find(struct hca_fn *fn, unsigned int eqn);
/* Number of the queue that wants @type, or 0. */
unsigned int hca_eq_for(struct hca_fn *fn, unsigned int type);
void hca_eq_post(struct hca_fn *fn, unsigned int eqn, unsigned int type, const uint8_t data[28]);
/* Interrupts that were not raised while the function had to keep still. */
void hca_eq_resume(struct hca_fn *fn);
void hca_event(struct hca_fn *fn, unsigned int type, const uint8_t data[28]);

/* object.c: user access regions, protection domains, memory keys */
uint32_t hca_alloc_uar(struct hca_cmd *cmd);
uint32_t hca_dealloc_uar(struct hca_cmd *cmd);
uint32_t hca_alloc_pd(struct hca_cmd *cmd);
uint32_t hca_dealloc_pd(struct hca_cmd *cmd);
uint32_t hca_create_mkey(struct hca_cmd *cmd);
uint32_t hca_destroy_mkey(struct hca_cmd *cmd);
unsigned int *hca_pd_find(struct hca_fn *fn, unsigned int pdn);
bool hca_mkey_read(struct hca_fn *fn, uint32_t key, uint64_t va, void *data, size_t len);
bool hca_mkey_write(struct hca_fn *fn, uint32_t key, uint64_t va, const void *data, size_t len);

/* queue.c: completion queues, queue pairs */
uint32_t hca_create_cq(struct hca_cmd *cmd);
uint32_t hca_destroy_cq(struct hca_cmd *cmd);
uint32_t hca_create_qp(struct hca_cmd *cmd);
uint32_t hca_destroy_qp(struct hca_cmd *cmd);
uint32_t hca_modify_qp(struct hca_cmd *cmd);
void hca_cq_doorbell(struct hca_fn *fn, uint64_t val);
struct hca_qp *hca_qp_find(struct hca_fn *fn, unsigned int qpn);
/* Put @len bytes and an immediate into the next receive buffer of @qp. */
enum hca_receive hca_qp_receive(struct hca_fn *fn, struct hca_qp *qp, const void *data,
				unsigned int len, uint32_t immediate);
void hca_cq_fail(struct hca_fn *fn, unsigned int cqn);
void hca_qp_fail(struct hca_fn *fn, unsigned int qpn, unsigned int event);

/* vhca.c: migration commands; image.c: what they save and load */
struct hca_fn *hca_vhca_find(struct hca *hca, unsigned int id);
void hca_vhca_reset(struct hca_fn *fn);
void hca_vhca_begin(struct hca_cmd *cmd);
void hca_vhca_end(struct hca_cmd *cmd);
uint32_t hca_suspend_vhca(struct hca_cmd *cmd);
uint32_t hca_resume_vhca(struct hca_cmd *cmd);
uint32_t hca_query_migration(struct hca_cmd *cmd);
uint32_t hca_save_vhca(struct hca_cmd *cmd);
uint32_t hca_load_vhca(struct hca_cmd *cmd);

/* tracker.c: page trackers, the only general objects */
uint32_t hca_create_object(struct hca_cmd *cmd);
uint32_t hca_modify_object(struct hca_cmd *cmd);
uint32_t hca_query_object(struct hca_cmd *cmd);
uint32_t hca_destroy_object(struct hca_cmd *cmd);
void hca_tracker_init(struct hca *hca);
void hca_tracker_clear(struct hca *hca);
void hca_tracker_dma(struct hca_fn *fn, uint64_t addr, size_t len);
/* The VHCA is no more. */
void hca_tracker_lost(struct hca_fn *fn);
void hca_tracker_fail(struct hca *hca, unsigned int id);

/* work.c: what a VF does for a living */
void hca_work_init(struct hca_fn *fn);
void hca_work_realize(struct hca_fn *fn);
void hca_work_reset(struct hca_fn *fn);
void hca_work_pause(struct hca_fn *fn);
void hca_work_resume(struct hca_fn *fn);
void hca_work_store(struct hca_fn *fn, uint64_t pos, const void *data, size_t len);

/* control.c: the control window, the log, faults */
void hca_control_init(struct hca *hca);
uint32_t hca_control_read(struct hca *hca, uint32_t addr);
void hca_control_write(struct hca *hca, uint32_t addr, uint32_t val);
void hca_log_begin(struct hca_cmd *cmd);
void hca_log_end(struct hca_cmd *cmd, enum hca_end end);
/* The fault that hits this command, or NULL. */
uint32_t *hca_fault_hit(struct hca_cmd *cmd);

#endif
