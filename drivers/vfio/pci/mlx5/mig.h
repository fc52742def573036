/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of mlx5_vfio_pci.ko share.
 *
 * Locks, outermost first:
 *
 *	mlx5_core's intf_state_mutex, and the lock of its notifier chain
 *	mlx5vf_mig.lock		the state machine, and all talk with the firmware
 *	mlx5vf_save.lock, mlx5vf_load.lock
 *
 * None is held across a copy to or from user space, which can take as long as user
 * space likes. mlx5vf_mig.lock is held while firmware works, so whoever acts for a
 * program waits for it with mlx5vf_lock(), which a fatal signal ends.
 *
 * A data file may outlive everything. It owns a reference to its session, and that
 * one to the migration. A session that ended is marked dead under its lock and
 * has no memory that firmware knows of, and no pointer to the PF, to the VF or to
 * the vfio device is followed on its behalf any more.
 */
#ifndef MLX5VF_MIG_H
#define MLX5VF_MIG_H

#include <linux/dma-direction.h>
#include <linux/mlx5/driver.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/vfio.h>

#include "arc.h"

struct iov_iter;
struct mlx5vf_load;
struct mlx5vf_save;
struct mlx5vf_track;

/**
 * struct mlx5vf_mig - migration of a VF
 * @refs: one of the vfio device, one of each session
 * @lock: guards what is not constant
 * @reset_due: bit 0: the VF was reset, and @lock's holder has to act on it
 * @pdev: the VF; constant
 * @pf: mlx5_core's device of the PF; constant, but of use only while @attached
 * @vf_id: number of the VF; constant
 * @precopy: images can be saved while the VF runs; constant
 * @chunked: images can be saved in several pieces; constant
 * @can_track: dirty pages can be tracked; constant
 * @nb: PF goes away or comes back
 * @vdev: the vfio device; valid while it is open, as are the sessions
 * @state: as user space knows it
 * @vhca_id: firmware's name for the VF
 * @attached: the PF is there
 * @vhca_stale: @vhca_id has to be asked for again
 * @lost: the PF went away when @state was not RUNNING
 * @failed: the arc that is being walked cannot be undone
 * @walked: @lock's holder has told the firmware to change the VF
 * @save: the session that reads, if there is one
 * @load: the session that writes, if there is one
 * @track: the tracker of dirty pages, if there is one
 */
struct mlx5vf_mig {
	refcount_t			refs;
	struct mutex			lock;	/* guards what is not constant */
	unsigned long			reset_due;

	struct pci_dev			*pdev;
	struct mlx5_core_dev		*pf;
	int				vf_id;
	bool				precopy;
	bool				chunked;
	bool				can_track;
	struct notifier_block		nb;

	struct vfio_device		*vdev;
	enum vfio_device_mig_state	state;
	u16				vhca_id;
	bool				attached;
	bool				vhca_stale;
	bool				lost;
	bool				failed;
	bool				walked;
	struct mlx5vf_save		*save;
	struct mlx5vf_load		*load;
	struct mlx5vf_track		*track;
};

/* Messages are about a VF, and a program must not be able to flood the log */
#define mlx5vf_warn(mig, fmt, ...) \
	dev_warn_ratelimited(&(mig)->pdev->dev, fmt, ##__VA_ARGS__)

/* state.c: the state machine, and who may do what when */
struct mlx5vf_mig *mlx5vf_mig_create(struct vfio_device *vdev,
				     struct pci_dev *pdev);
void mlx5vf_mig_get(struct mlx5vf_mig *mig);
void mlx5vf_mig_put(struct mlx5vf_mig *mig);
void mlx5vf_mig_open(struct mlx5vf_mig *mig);
void mlx5vf_mig_close(struct mlx5vf_mig *mig);
void mlx5vf_mig_attach(struct mlx5vf_mig *mig);
void mlx5vf_mig_detach(struct mlx5vf_mig *mig);
void mlx5vf_mig_was_reset(struct mlx5vf_mig *mig);
int __must_check mlx5vf_lock(struct mlx5vf_mig *mig);
void mlx5vf_unlock(struct mlx5vf_mig *mig);
int mlx5vf_mig_ready(struct mlx5vf_mig *mig);
struct file *mlx5vf_mig_set_state(struct mlx5vf_mig *mig,
				  enum vfio_device_mig_state state);
int mlx5vf_mig_get_state(struct mlx5vf_mig *mig,
			 enum vfio_device_mig_state *state);
int mlx5vf_mig_data_size(struct mlx5vf_mig *mig, unsigned long *length);

/* probe.c: what the firmware of the PF offers for the VF */
int mlx5vf_probe_migration(struct mlx5vf_mig *mig);

/**
 * struct mlx5vf_size - size of an image
 * @next: memory that the next save needs
 * @total: all that there is to be saved
 * @untracked: there was no answer, since firmware does not track the VF's changes
 */
struct mlx5vf_size {
	u32	next;
	u64	total;
	bool	untracked;
};

/**
 * struct mlx5vf_how - kind of an image
 * @incremental: just what changed since the last image
 * @track: remember what changes from now on
 * @initial: the first one of a precopy
 * @final: the last one
 * @rest: what did not fit into the piece of it that was saved before
 */
struct mlx5vf_how {
	bool	incremental;
	bool	track;
	bool	initial;
	bool	final;
	bool	rest;
};

/**
 * struct mlx5vf_saving - a SAVE_VHCA_STATE on its way
 * @ctx: lets us wait for the end
 * @work: of mlx5_core
 * @out: the answer
 * @mkey: where to save to
 * @size: bytes there
 * @how: what kind of image
 */
struct mlx5vf_saving {
	struct mlx5_async_ctx	ctx;
	struct mlx5_async_work	work;
	u32			out[MLX5_ST_SZ_DW(save_vhca_state_out)];
	u32			mkey;
	u32			size;
	struct mlx5vf_how	how;
};

/**
 * struct mlx5vf_saved - what a SAVE_VHCA_STATE has done
 * @size: bytes saved
 * @next: memory that the next piece of the image needs; 0 if that was all
 * @untracked: it failed, since firmware does not track the VF's changes; nothing
 *	that was saved before depends on it
 */
struct mlx5vf_saved {
	u32	size;
	u32	next;
	bool	untracked;
};

/* How often the end of an object is insisted on, if firmware refuses it */
#define MLX5VF_DESTROY_TRIES	3

/* cmd.c: commands to the firmware, mig->lock held */
void mlx5vf_cmd_wake(struct mlx5vf_mig *mig);
int mlx5vf_cmd_query_vhca_id(struct mlx5vf_mig *mig);
int mlx5vf_cmd_query_size(struct mlx5vf_mig *mig, bool incremental,
			  struct mlx5vf_size *size);
int mlx5vf_cmd_save(struct mlx5vf_mig *mig, struct mlx5vf_saving *on,
		    mlx5_async_cbk_t done);
int mlx5vf_cmd_saved(struct mlx5vf_mig *mig, int status,
		     struct mlx5vf_saving *on, struct mlx5vf_saved *saved);
int mlx5vf_cmd_load(struct mlx5vf_mig *mig, u32 mkey, u32 size);
int mlx5vf_cmd_exec(struct mlx5vf_mig *mig, void *in, int in_size, void *out,
		    int out_size);
int mlx5vf_cmd_destroy(struct mlx5vf_mig *mig, void *in, int in_size);
int mlx5vf_cmd_create_mkey(struct mlx5vf_mig *mig, u32 pdn,
			   struct sg_table *sgt, unsigned int pages, u32 *mkey);
int mlx5vf_cmd_destroy_mkey(struct mlx5vf_mig *mig, u32 mkey);
void mlx5vf_cmd_dealloc_pd(struct mlx5vf_mig *mig, u32 pdn);

/**
 * struct mlx5vf_image - memory that firmware can save to or load from
 * @refs: one of the session, one of a reader in the middle of a copy
 * @pages: the memory
 * @nr: number of @pages
 * @room: size of the array @pages
 * @sgt: the mapping for the PF, if @mapped
 * @mapped: number of @pages that @sgt and @mkey are about, or 0
 * @dir: direction of the mapping
 * @mkey: firmware's name for it; address 0 is the first byte of the first page
 */
struct mlx5vf_image {
	refcount_t		refs;
	struct page		**pages;
	unsigned int		nr;
	unsigned int		room;
	struct sg_table		sgt;
	unsigned int		mapped;
	enum dma_data_direction	dir;
	u32			mkey;
};

/* image.c: images, and how they get out of and into user space */
struct mlx5vf_image *mlx5vf_image_create(void);
void mlx5vf_image_get(struct mlx5vf_image *image);
void mlx5vf_image_put(struct mlx5vf_image *image);
int mlx5vf_image_grow(struct mlx5vf_image *image, u64 size);
int mlx5vf_image_map(struct mlx5vf_mig *mig, struct mlx5vf_image *image,
		     u32 pdn, u64 size, enum dma_data_direction dir);
void mlx5vf_image_sync(struct mlx5vf_mig *mig, struct mlx5vf_image *image);
void mlx5vf_image_destroy(struct mlx5vf_mig *mig, struct mlx5vf_image *image);
size_t mlx5vf_image_to_iter(struct mlx5vf_image *image, u64 pos, size_t len,
			    struct iov_iter *to);
size_t mlx5vf_image_from_iter(struct mlx5vf_image *image, u64 pos, size_t len,
			      struct iov_iter *from);
void mlx5vf_image_peek(struct mlx5vf_image *image, u64 pos, void *to,
		       size_t len);

/* save.c: the session that reads */
int mlx5vf_save_left(struct mlx5vf_mig *mig, u64 *left);

/* track.c: dirty pages */
int mlx5vf_track_start(struct mlx5vf_mig *mig, struct rb_root_cached *ranges,
		       u32 nr, u64 *page_size);
int mlx5vf_track_stop(struct mlx5vf_mig *mig);
int mlx5vf_track_report(struct mlx5vf_mig *mig, unsigned long iova,
			unsigned long length, struct iova_bitmap *dirty);
void mlx5vf_track_end(struct mlx5vf_mig *mig);

#endif /* MLX5VF_MIG_H */
