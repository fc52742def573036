/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vfio_pci_core.ko share: the private state, who guards it,
 * and the prototypes grouped by file. Not for other modules.
 */
#ifndef VFIO_PCI_PRIV_H
#define VFIO_PCI_PRIV_H

#include <linux/cleanup.h>
#include <linux/eventfd.h>
#include <linux/hashtable.h>
#include <linux/irqbypass.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/ratelimit.h>
#include <linux/vfio_pci_core.h>
#include <linux/xarray.h>

#include <compat/vfio_pci.h>

#include "cfg.h"

struct vfio_pci_vf_token;
struct vfio_pci_ioeventfds;

/**
 * struct vfio_pci_eventfd - an eventfd that is signalled without a lock
 * @ctx: the eventfd
 * @rcu: frees this, and drops @ctx, after the readers are gone
 */
struct vfio_pci_eventfd {
	struct eventfd_ctx	*ctx;
	struct rcu_head		rcu;
};

/**
 * struct vfio_pci_intx - INTx of a device; intx.c tells how it works
 * @irq: Linux interrupt; with @shared and @name constant while @active
 * @shared: masked by DisINTx, not by disabling the line
 * @active: enabled; written under igate and irqlock
 * @masked: what hardware was told; irqlock
 * @suspended: runtime PM has it masked; irqlock
 * @resume_unmask: there was, or has been since, reason to unmask; irqlock
 * @unmask_late: @unmask was signalled by an interrupt; irqlock
 * @trigger: eventfd to signal, NULL for none; igate writes, RCU reads
 * @unmask: eventfd that unmasks; igate
 * @name: in /proc/interrupts
 */
struct vfio_pci_intx {
	unsigned int			irq;
	bool				shared;
	bool				active;
	bool				masked;
	bool				suspended;
	bool				resume_unmask;
	bool				unmask_late;
	struct vfio_pci_eventfd __rcu	*trigger;
	struct virqfd			*unmask;
	char				name[40];
};

/**
 * DOC: locks of a device
 *
 * The order, outermost first::
 *
 *   device_lock -> dev_set->lock -> cfg_lock -> igate -> memory_lock -> zap
 *   memory_lock -> irqlock, which is a leaf and below the lock of an eventfd
 *   memory_lock -> pm_lock, a leaf
 *   memory_lock -> pci_bus_sem of the PCI core, which holds that while it
 *   reports bus errors and resumes devices for it
 *   mmap_lock -> memory_lock (read), in the fault handler
 *   bar_lock -> memory_lock; taken below mmap_lock, so no user copies in it
 *   ioeventfds, token: leaves, nothing is taken below them but memory_lock for
 *   reading
 *
 * Hence no copy to or from user space under memory_lock. memory_lock itself
 * is in struct vfio_pci_core_device.
 *
 * Flags that change while the device is open are separate bools, never bits:
 * neighbours in a bit-field would be rewritten under another lock.
 */

/* The library's state of one device, by who guards it */
struct vfio_pci_core_priv {
	struct vfio_pci_core_device	*vdev;		/* constant: its owner */

	/* Constant from registration to unregistration */
	struct vfio_pci_vf_token	*vf_token;	/* PF only */
	struct vfio_pci_core_device	*pf;		/* VF of a PF of ours */
	struct list_head		pfs_item;	/* sriov.c's list lock */
	struct notifier_block		vf_capture;	/* PF only */
	bool				d3_loses_state;	/* no NoSoftRst */
	bool				vga_registered;
	struct dentry			*debug_dir;

	/* Constant from enable to disable */
	struct pci_saved_state		*saved_state;
	bool				pci_2_3;	/* DisINTx works */
	bool				nointx;		/* INTx hidden, kept masked */
	bool				reset_works;
	bool				has_vga;
	bool				has_dyn_msix;
	u32				atomic_comp;	/* VFIO_PCI_ATOMIC_COMP* */
	bool				bar_mmap[PCI_STD_NUM_BARS];
	u8				msix_bar;	/* 0xff: no MSI-X */
	u32				msix_offset;
	u32				msix_size;	/* bytes */
	u16				msix_count;	/* vectors */
	u16				msi_count;
	unsigned int			num_regions;	/* until finish_enable */
	bool				regions_sealed;	/* ... which sets this */
	struct vfio_pci_region		*region;

	/* dev_set->lock */
	bool				needs_reset;

	/* device_lock, which the PCI core holds around its error handlers */
	bool				link_lost;	/* by the latest error */

	/* cfg_lock */
	struct mutex			cfg_lock;
	struct vfio_cfg			cfg;

	/* memory_lock */
	struct pci_saved_state		*pm_save;
	bool				sriov_active;

	/* Low power: pm_runtime_engaged and this; power.c tells how */
	spinlock_t			pm_lock;
	struct eventfd_ctx		*pm_wake_eventfd;

	/* Only the runtime PM callbacks, which the PM core serialises */
	bool				pm_intx_masked;

	/* igate; irq_type as well */
	struct mutex			igate;
	struct xarray			irq_ctx;	/* by vector */
	u8				msi_qmax;	/* log2; lockless readers */
	struct vfio_pci_eventfd __rcu	*err_trigger;
	struct vfio_pci_eventfd __rcu	*req_trigger;

	/* INTx mask state; taken in hard interrupt and eventfd wakeups */
	spinlock_t			irqlock;
	struct vfio_pci_intx		intx;
	bool				virq_disabled;	/* user's DisINTx */

	/* Claiming and mapping BARs: barmap[] and these */
	struct mutex			bar_lock;
	struct resource			*bar_dummy[PCI_STD_NUM_BARS];
	void __iomem			*rom;		/* NULL until an image was found */
	size_t				rom_image;	/* bytes; the rest reads as ones */
	unsigned int			rom_users;	/* it decodes while there are any */
	bool				rom_is_bar;	/* else the firmware's copy */
	bool				rom_toggles;	/* decode is ours to switch */

	struct vfio_pci_ioeventfds	*ioeventfds;	/* NULL until the first */
	struct mutex			ioeventfds_lock;
};

static inline struct vfio_pci_core_device *
to_vfio_pci(struct vfio_device *core_vdev)
{
	return container_of(core_vdev, struct vfio_pci_core_device, vdev);
}

static inline bool vfio_pci_is_vga(struct pci_dev *pdev)
{
	return (pdev->class >> 8) == PCI_CLASS_DISPLAY_VGA;
}

/* In D1 to D3 a function takes no memory accesses: PCIe 6.0, 5.3.1 */
static inline bool vfio_pci_answers(struct pci_dev *pdev)
{
	return pdev->current_state == PCI_D0 ||
	       pdev->current_state == PCI_UNKNOWN;
}

/* Do users of a VGA controller get at its legacy ranges */
static inline bool vfio_pci_vga_offered(struct vfio_pci_core_device *vdev)
{
	return IS_ENABLED(CONFIG_VFIO_PCI_VGA) && !vdev->disable_vga &&
	       vfio_pci_is_vga(vdev->pdev);
}

/*
 * Every refusal says why: the errno is for the program, the line, rate-limited,
 * for the person. "Malformed" arguments of an ioctl only leave a debug line: the
 * caller is a program with a bug, and whoever fixes it can turn them on.
 */
#define vfio_pci_refuse(vdev, err, fmt, ...) ({				\
	static DEFINE_RATELIMIT_STATE(__limit, DEFAULT_RATELIMIT_INTERVAL, \
				      DEFAULT_RATELIMIT_BURST);		\
	const int __err = (err);					\
									\
	vfio_pci_note_refusal(vdev, &__limit, __err, fmt, ##__VA_ARGS__); \
	__err;								\
})
#define vfio_pci_malformed(vdev, fmt, ...) ({				\
	vfio_pci_note_refusal(vdev, NULL, -EINVAL, fmt, ##__VA_ARGS__);	\
	-EINVAL;							\
})

/* trace.c: @limit NULL makes it a debug line; all are trace events as well */
__printf(4, 5)
void vfio_pci_note_refusal(struct vfio_pci_core_device *vdev,
			   struct ratelimit_state *limit, int err,
			   const char *fmt, ...);

/* ---- level 0 ---------------------------------------------------------- */

/* memory.c: the owner of memory_lock */
void vfio_pci_memory_revoke(struct vfio_pci_core_device *vdev);
void vfio_pci_memory_zap(struct vfio_pci_core_device *vdev);
void vfio_pci_memory_restore(struct vfio_pci_core_device *vdev);
bool vfio_pci_memory_wanted(struct vfio_pci_core_device *vdev);

/* Device memory is out of everybody's reach in this scope */
DEFINE_LOCK_GUARD_1(vfio_pci_revoked, struct vfio_pci_core_device,
		    vfio_pci_memory_revoke(_T->lock),
		    vfio_pci_memory_restore(_T->lock))

/* io_rw.c: runs of accesses */

/**
 * struct vfio_pci_io_xfer - bytes to move between user space and a window
 * @vdev: device
 * @io: start of the window
 * @user: the user's buffer
 * @off: where in the window to start
 * @count: bytes
 * @hole: start of a part that is not to be touched
 * @hole_end: end of it
 * @width: of the widest access
 * @vga_rsrc: what to hold of the VGA arbiter meanwhile, 0 for nothing
 * @test_mem: the window is memory, which may be disabled
 * @iswrite: to the device
 */
struct vfio_pci_io_xfer {
	struct vfio_pci_core_device	*vdev;
	void __iomem			*io;
	char __user			*user;
	u64				off;
	size_t				count;
	u64				hole;
	u64				hole_end;
	unsigned int			width;
	unsigned int			vga_rsrc;
	bool				test_mem;
	bool				iswrite;
};

ssize_t vfio_pci_io_xfer(const struct vfio_pci_io_xfer *x);

/* event.c: error and request notifications */
int vfio_pci_event_set(struct vfio_pci_core_device *vdev,
		       struct vfio_pci_eventfd __rcu **slot,
		       struct eventfd_ctx *ctx);
bool vfio_pci_event_signal(struct vfio_pci_eventfd __rcu **slot);
void vfio_pci_events_close(struct vfio_pci_core_device *vdev);

/* zdev.c, eeh.h, debugfs.c */
#ifdef CONFIG_VFIO_PCI_ZDEV_KVM
int vfio_pci_zdev_open_device(struct vfio_pci_core_device *vdev);
void vfio_pci_zdev_close_device(struct vfio_pci_core_device *vdev);
int vfio_pci_info_zdev_add_caps(struct vfio_pci_core_device *vdev,
				struct vfio_info_cap *caps);
#else
static inline int vfio_pci_zdev_open_device(struct vfio_pci_core_device *vdev)
{
	return 0;
}

static inline void vfio_pci_zdev_close_device(struct vfio_pci_core_device *vdev)
{
}

static inline int vfio_pci_info_zdev_add_caps(struct vfio_pci_core_device *vdev,
					      struct vfio_info_cap *caps)
{
	return 0;
}
#endif

#ifdef CONFIG_DEBUG_FS
void vfio_pci_debugfs_init(void);
void vfio_pci_debugfs_exit(void);
void vfio_pci_debugfs_register(struct vfio_pci_core_device *vdev);
void vfio_pci_debugfs_unregister(struct vfio_pci_core_device *vdev);
#else
static inline void vfio_pci_debugfs_init(void) { }
static inline void vfio_pci_debugfs_exit(void) { }
static inline void vfio_pci_debugfs_register(struct vfio_pci_core_device *vdev)
{
}

static inline void
vfio_pci_debugfs_unregister(struct vfio_pci_core_device *vdev)
{
}
#endif

/* ---- level 1 ---------------------------------------------------------- */

/* cfg_dev.c: the virtual config space of a real device */
int vfio_pci_cfg_open(struct vfio_pci_core_device *vdev);
void vfio_pci_cfg_close(struct vfio_pci_core_device *vdev);
int vfio_pci_cfg_virtualize(struct vfio_pci_core_device *vdev,
			    unsigned int pos, unsigned int len);
u8 vfio_pci_cfg_byte(struct vfio_pci_core_device *vdev, unsigned int pos);

/* cfg_rw.c: the config region */
ssize_t vfio_pci_cfg_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			size_t count, loff_t *ppos, bool iswrite);

/* intx.c */
int vfio_pci_intx_set_trigger(struct vfio_pci_core_device *vdev,
			      struct eventfd_ctx *trigger);
void vfio_pci_intx_disable(struct vfio_pci_core_device *vdev);
int vfio_pci_intx_set_unmask_fd(struct vfio_pci_core_device *vdev, int fd);
void vfio_pci_intx_loopback(struct vfio_pci_core_device *vdev);
void vfio_pci_intx_user_mask(struct vfio_pci_core_device *vdev);
void vfio_pci_intx_user_unmask(struct vfio_pci_core_device *vdev);
bool vfio_pci_intx_mask(struct vfio_pci_core_device *vdev);
void vfio_pci_intx_unmask(struct vfio_pci_core_device *vdev);
void vfio_pci_intx_user_disable(struct vfio_pci_core_device *vdev,
				bool disable);
void vfio_pci_intx_resync(struct vfio_pci_core_device *vdev);

/* state.c: memory decode and power states */
int vfio_pci_power_set(struct vfio_pci_core_device *vdev, pci_power_t state);
int __vfio_pci_power_set(struct vfio_pci_core_device *vdev, pci_power_t state);
void vfio_pci_decode_resync(struct vfio_pci_core_device *vdev);

/* What kept device memory out of reach, for vfio_pci_decode_put() */
struct vfio_pci_unreachable {
	pci_power_t	power;
	bool		decode_off;
};

struct vfio_pci_unreachable
vfio_pci_decode_on(struct vfio_pci_core_device *vdev);
void vfio_pci_decode_put(struct vfio_pci_core_device *vdev,
			 struct vfio_pci_unreachable was);

/* Device memory is in the kernel's reach in this scope; holds the lock */
DEFINE_LOCK_GUARD_1(vfio_pci_decode, struct vfio_pci_core_device,
		    _T->was = vfio_pci_decode_on(_T->lock),
		    vfio_pci_decode_put(_T->lock, _T->was),
		    struct vfio_pci_unreachable was)

/* msi.c: MSI and MSI-X, told apart by @index; enabled by their first block */
int vfio_pci_msi_set_block(struct vfio_pci_core_device *vdev,
			   unsigned int index, unsigned int start,
			   unsigned int count, const s32 *fds);
void vfio_pci_msi_disable(struct vfio_pci_core_device *vdev);
void vfio_pci_msi_loopback(struct vfio_pci_core_device *vdev,
			   unsigned int vector);

/* bar.c: claiming, mapping and accessing BARs and the ROM */
void vfio_pci_bars_probe_mmap(struct vfio_pci_core_device *vdev);
void vfio_pci_bars_close(struct vfio_pci_core_device *vdev);
ssize_t vfio_pci_bar_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			size_t count, loff_t *ppos, bool iswrite);
ssize_t vfio_pci_rom_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			size_t count, loff_t *ppos, bool iswrite);
size_t vfio_pci_rom_size(struct vfio_pci_core_device *vdev);

/* mmap.c */
int vfio_pci_bar_mmap(struct vfio_pci_core_device *vdev,
		      struct vm_area_struct *vma);

/* ioeventfd.c */
int vfio_pci_ioeventfd_set(struct vfio_pci_core_device *vdev, u64 offset,
			   u64 data, unsigned int width, int fd);
void vfio_pci_ioeventfds_close(struct vfio_pci_core_device *vdev);

/* vga.c: arbiter, aperture */
int vfio_pci_vga_register(struct vfio_pci_core_device *vdev);
void vfio_pci_vga_unregister(struct vfio_pci_core_device *vdev);

/* vga_io.c: the ranges themselves */
#ifdef CONFIG_VFIO_PCI_VGA
ssize_t vfio_pci_vga_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			size_t count, loff_t *ppos, bool iswrite);
#else
static inline ssize_t vfio_pci_vga_rw(struct vfio_pci_core_device *vdev,
				      char __user *buf, size_t count,
				      loff_t *ppos, bool iswrite)
{
	return -EINVAL;
}
#endif

/* token.c: the secret that a PF and the users of its VFs share */
struct vfio_pci_vf_token *vfio_pci_token_alloc(void);
void vfio_pci_token_free(struct vfio_pci_vf_token *token);
void vfio_pci_token_set(struct vfio_pci_vf_token *token, const uuid_t *uuid);
void vfio_pci_token_get_user(struct vfio_pci_vf_token *token);
void vfio_pci_token_put_user(struct vfio_pci_vf_token *token);
int vfio_pci_token_feature(struct vfio_pci_core_device *vdev,
			   void __user *arg, size_t argsz);

/* ---- level 2 ---------------------------------------------------------- */

/* info.c */
void vfio_pci_info_open(struct vfio_pci_core_device *vdev);
int vfio_pci_info_device(struct vfio_pci_core_device *vdev,
			 struct vfio_device_info *info,
			 struct vfio_info_cap *caps);
int vfio_pci_info_irq(struct vfio_pci_core_device *vdev,
		      struct vfio_irq_info *info);

/* region.c */
struct vfio_pci_region *vfio_pci_region_at(struct vfio_pci_core_device *vdev,
					   u64 index);
void vfio_pci_regions_seal(struct vfio_pci_core_device *vdev);
void vfio_pci_regions_trim(struct vfio_pci_core_device *vdev,
			   unsigned int count);
void vfio_pci_regions_close(struct vfio_pci_core_device *vdev);

/* irq.c */
unsigned int vfio_pci_irq_count(struct vfio_pci_core_device *vdev,
				unsigned int index);
int vfio_pci_irqs_set(struct vfio_pci_core_device *vdev,
		      const struct vfio_irq_set *set, const void *data);
void vfio_pci_irqs_open(struct vfio_pci_core_device *vdev);
void vfio_pci_irqs_close(struct vfio_pci_core_device *vdev);

/* reset.c */
int vfio_pci_reset_function(struct vfio_pci_core_device *vdev);
int vfio_pci_reset_visit(struct vfio_pci_core_device *vdev,
			 int (*fn)(struct pci_dev *pdev, void *data),
			 void *data);
int vfio_pci_reset_set(struct vfio_pci_core_device *vdev, const char *scope);
int vfio_pci_reset_at_open(struct vfio_pci_core_device *vdev);
void vfio_pci_reset_at_close(struct vfio_pci_core_device *vdev);
void vfio_pci_reset_at_unregister(struct vfio_pci_core_device *vdev);
void vfio_pci_reset_dev_set(struct vfio_pci_core_device *vdev);
int vfio_pci_reset_assign_set(struct vfio_pci_core_device *vdev);

/* Members of a device set; the caller holds its lock */
#define vfio_pci_for_each_in_set(cur, dev_set)				\
	list_for_each_entry(cur, &(dev_set)->device_list, vdev.dev_set_list)

/* reset_hot.c */
int vfio_pci_reset_hot_info(struct vfio_pci_core_device *vdev,
			    struct vfio_pci_hot_reset_info __user *arg);
int vfio_pci_reset_hot(struct vfio_pci_core_device *vdev,
		       struct vfio_pci_hot_reset __user *arg);

/* power.c */
void vfio_pci_power_register(struct vfio_pci_core_device *vdev);
void vfio_pci_power_unregister(struct vfio_pci_core_device *vdev);
int vfio_pci_power_open(struct vfio_pci_core_device *vdev);
void vfio_pci_power_wake(struct vfio_pci_core_device *vdev);
void vfio_pci_power_close(struct vfio_pci_core_device *vdev);
int vfio_pci_low_power_entry(struct vfio_pci_core_device *vdev,
			     void __user *arg, size_t argsz);
int vfio_pci_low_power_entry_wakeup(struct vfio_pci_core_device *vdev,
				    void __user *arg, size_t argsz);
int vfio_pci_low_power_exit(struct vfio_pci_core_device *vdev,
			    void __user *arg, size_t argsz);

/* sriov.c */
int vfio_pci_sriov_register(struct vfio_pci_core_device *vdev);
void vfio_pci_sriov_unregister(struct vfio_pci_core_device *vdev);
void vfio_pci_sriov_vf_opened(struct vfio_pci_core_device *vdev);
void vfio_pci_sriov_vf_closed(struct vfio_pci_core_device *vdev);

#endif /* VFIO_PCI_PRIV_H */
