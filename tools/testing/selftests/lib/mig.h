/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Migration of the lab HCA's virtual functions, as a virtual machine's monitor does
 * it: states, data files, dirty pages.
 *
 * What this needs of the kernel's headers stands here again, because those of the
 * machine that compiles the tests may be older than the lab's kernel.
 */
#ifndef SELFTEST_MIG_H
#define SELFTEST_MIG_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hca.h"
#include "vfio.h"

#define MIG_DRIVER	"mlx5_vfio_pci"

enum mig_state {
	MIG_ERROR,
	MIG_STOP,
	MIG_RUNNING,
	MIG_STOP_COPY,
	MIG_RESUMING,
	MIG_RUNNING_P2P,
	MIG_PRE_COPY,
	MIG_PRE_COPY_P2P,
	MIG_STATES,
};

#define MIG_FLAG_STOP_COPY	1u
#define MIG_FLAG_P2P		2u
#define MIG_FLAG_PRE_COPY	4u

#define MIG_FEATURE_FLAGS	1u
#define MIG_FEATURE_STATE	2u
#define MIG_FEATURE_LOG_START	6u
#define MIG_FEATURE_LOG_STOP	7u
#define MIG_FEATURE_LOG_REPORT	8u
#define MIG_FEATURE_DATA_SIZE	9u

struct mig_precopy_info {
	uint32_t argsz;
	uint32_t flags;
	uint64_t initial_bytes;
	uint64_t dirty_bytes;
};

#define MIG_GET_PRECOPY_INFO	_IO(VFIO_TYPE, VFIO_BASE + 21)

/**
 * struct mig - an open VF on mlx5_vfio_pci
 * @vf:		the device
 * @fn:		number of the function, as hca.h counts
 * @data:	data file that the last change of state brought, or -1
 */
struct mig {
	struct vfio_dev vf;
	unsigned int fn;
	int data;
};

/* hca_up() with a new probe of the PF, and the driver of the VFs. */
void mig_up(unsigned int vfs);

/**
 * struct mig_setting - something that the firmware is to be different in
 * @setting:	what
 * @val:	how
 */
struct mig_setting {
	enum hca_setting setting;
	uint32_t val;
};

/* The same with other firmware: @count settings that mlx5_core sees as it probes. */
void mig_up_with(unsigned int vfs, const struct mig_setting *with, unsigned int count);
void mig_open(struct mig *m, unsigned int fn);
/* Closes the data file too. */
void mig_close(struct mig *m);
void mig_close_data(struct mig *m);

const char *mig_name(enum mig_state state);
/* Go to @state; as the system call answers. A data file that comes is in @m->data. */
int mig_set_try(struct mig *m, enum mig_state state);
void mig_set(struct mig *m, enum mig_state state);
/* Go to @state from RUNNING so that every way out of it is open. */
void mig_reach(struct mig *m, enum mig_state state);
/* Whether a session with a data file belongs to it. */
bool mig_saves(enum mig_state state);
enum mig_state mig_get(struct mig *m);
uint64_t mig_flags(struct mig *m);
uint64_t mig_data_size(struct mig *m);
/* Firmware's idea of the VF: HCA_IS_PASSIVE and HCA_IS_STOPPED. */
unsigned int mig_halves(struct mig *m);
/* Fail unless firmware suspends what @state says, and this is @state. */
void mig_expect(struct mig *m, enum mig_state state);

/**
 * struct mig_stream - bytes of a data file
 * @data:	the bytes
 * @len:	how many
 */
struct mig_stream {
	uint8_t *data;
	size_t len;
};

/* Append what there is, @piece bytes at a time. 0 at the end, or errno. */
int mig_read(struct mig *m, struct mig_stream *stream, size_t piece);
/* Write @len bytes at @from, @piece bytes at a time. 0 or errno. */
int mig_write(struct mig *m, const uint8_t *from, size_t len, size_t piece);
/* Read until PRE_COPY has no more, or STOP_COPY is at its end. */
void mig_drain(struct mig *m, struct mig_stream *stream);
void mig_feed(struct mig *m, const struct mig_stream *stream);
void mig_stream_free(struct mig_stream *stream);
/* What STOP_COPY of the VF gives; it is running before and after. */
void mig_save_all(struct mig *m, struct mig_stream *stream);
/* Have the VF, which is running, load it; 0 or the errno of what failed first. */
int mig_load_all(struct mig *m, const struct mig_stream *stream);
/* Position of record @nr in @stream; its end for the one after the last. */
size_t mig_record(const struct mig_stream *stream, unsigned int nr);
unsigned int mig_records(const struct mig_stream *stream);

struct mig_precopy_info mig_precopy(struct mig *m);
/* Events that are there now. */
short mig_poll(struct mig *m);
/* Wait for @events. */
void mig_wait(struct mig *m, short events);

/* Fill registers and memory of the VF so that they tell of @seed; or look. */
void mig_fill(struct mig *m, unsigned int seed);
void mig_expect_filled(struct mig *m, unsigned int seed);

/* Wait until firmware has @count commands in its hands: saves begin a little later. */
void mig_await_commands(unsigned int count);

/* What firmware should have no more of: everything but mlx5_core's own things. */
struct mig_live {
	uint32_t count[HCA_LIVE];
};

struct mig_live mig_live(void);
void mig_expect_no_leak(const struct mig_live *before);

#endif
