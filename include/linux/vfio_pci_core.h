/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the VFIO PCI library (vfio_pci_core.ko) and the thin
 * drivers that embed its device: vfio_pci.ko and the vendor drivers.
 *
 * The kernel-doc of each function stands with its body, in
 * drivers/vfio/pci/core/.
 */
#ifndef LINUX_VFIO_PCI_CORE_H
#define LINUX_VFIO_PCI_CORE_H

#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include <linux/vfio.h>

/*
 * The one place that says it: dkms.conf takes it from here, and the build of the
 * Debian packages compares. A build with a version of its own passes that on the
 * command line.
 */
#ifndef VFIO_PCI_VERSION
#define VFIO_PCI_VERSION	"0.1.0"
#endif

/**
 * DOC: life of a thin driver's device
 *
 * probe: vfio_alloc_device(), which calls .init: latch the policies, call
 * vfio_pci_core_init_dev(). Then point the PCI function's drvdata at the struct
 * vfio_pci_core_device and call vfio_pci_core_register_device(). If that fails,
 * vfio_put_device() ends in .release: vfio_pci_core_release_dev().
 *
 * .open_device: vfio_pci_core_enable(); whatever the driver adds, with
 * vfio_pci_core_disable() if that fails; vfio_pci_core_finish_enable(), after
 * which nothing can fail. .close_device: vfio_pci_core_close_device(). vfio.ko
 * holds the device set's lock around both.
 *
 * remove: vfio_pci_core_unregister_device(), then vfio_put_device().
 *
 * struct pci_driver: .driver_managed_dma is true, an id table has
 * PCI_DRIVER_OVERRIDE_DEVICE_VFIO() entries, .err_handler is
 * vfio_pci_core_err_handlers (or calls vfio_pci_core_aer_err_detected()) and
 * .driver.pm is vfio_pci_core_pm_ops.
 */

/**
 * DOC: regions of the device file
 *
 * A vfio device is one file; a region is a 1 TiB slice of its offsets. The
 * top 24 bits of an offset name the region, the low 40 bits are the position
 * in it. All arithmetic is unsigned: an offset that user space passes as a
 * negative number names a region that does not exist.
 */
#define VFIO_PCI_OFFSET_SHIFT	40
#define VFIO_PCI_OFFSET_TO_INDEX(off)	((u64)(off) >> VFIO_PCI_OFFSET_SHIFT)
#define VFIO_PCI_INDEX_TO_OFFSET(index)	((u64)(index) << VFIO_PCI_OFFSET_SHIFT)
#define VFIO_PCI_OFFSET_MASK	((1ULL << VFIO_PCI_OFFSET_SHIFT) - 1)

struct vfio_pci_core_device;
struct vfio_pci_core_priv;
struct vfio_pci_region;
struct dev_pm_ops;
struct vm_fault;

/**
 * enum vfio_pci_io_width - widest single access a device window takes
 * @VFIO_PCI_IO_WIDTH_1: one byte
 * @VFIO_PCI_IO_WIDTH_2: two bytes
 * @VFIO_PCI_IO_WIDTH_4: four bytes
 * @VFIO_PCI_IO_WIDTH_8: eight bytes
 */
enum vfio_pci_io_width {
	VFIO_PCI_IO_WIDTH_1 = 1,
	VFIO_PCI_IO_WIDTH_2 = 2,
	VFIO_PCI_IO_WIDTH_4 = 4,
	VFIO_PCI_IO_WIDTH_8 = 8,
};

/**
 * struct vfio_pci_regops - behaviour of a device-specific region
 * @rw: read or write @count bytes at *@ppos; returns the bytes done or -errno
 * @release: drop what @region->data holds; called once, at close
 * @mmap: optional; map the region into @vma
 * @add_capability: optional; add to the chain of VFIO_DEVICE_GET_REGION_INFO
 *
 * All are called while the device is open. @rw and @release are mandatory.
 */
struct vfio_pci_regops {
	ssize_t (*rw)(struct vfio_pci_core_device *vdev, char __user *buf,
		      size_t count, loff_t *ppos, bool iswrite);
	void (*release)(struct vfio_pci_core_device *vdev,
			struct vfio_pci_region *region);
	int (*mmap)(struct vfio_pci_core_device *vdev,
		    struct vfio_pci_region *region,
		    struct vm_area_struct *vma);
	int (*add_capability)(struct vfio_pci_core_device *vdev,
			      struct vfio_pci_region *region,
			      struct vfio_info_cap *caps);
};

/**
 * struct vfio_pci_region - a device-specific region
 * @type: VFIO_REGION_TYPE_*, reported to user space
 * @subtype: meaning depends on @type
 * @ops: behaviour
 * @data: owned by the region's creator, freed by @ops->release
 * @size: bytes
 * @flags: VFIO_REGION_INFO_FLAG_*
 */
struct vfio_pci_region {
	u32				type;
	u32				subtype;
	const struct vfio_pci_regops	*ops;
	void				*data;
	size_t				size;
	u32				flags;
};

/**
 * struct vfio_pci_device_ops - optional PCI hooks of a thin driver
 *
 * Set through vfio_pci_core_device.pci_ops between allocation and
 * registration. Has no members on kernels without DMA-buf export.
 */
struct vfio_pci_device_ops {
};

/**
 * struct vfio_pci_core_device - a PCI function served through VFIO
 * @vdev: the vfio device; must stay the first member
 * @pdev: the PCI function; set by vfio_pci_core_init_dev(), constant after
 * @pci_ops: optional hooks, set by the thin driver before registration
 * @barmap: kernel mapping of each BAR, NULL until vfio_pci_core_setup_barmap()
 *	succeeded for it; then constant until the device closes
 * @irq_type: VFIO_PCI_*_IRQ_INDEX that is enabled, VFIO_PCI_NUM_IRQS if none
 * @memory_lock: held for reading around each access to device memory, for
 *	writing around whatever makes that memory go away (memory decode off,
 *	reset, power states). No copy to or from user space under it: a page
 *	fault takes it below mmap_lock.
 * @pm_runtime_engaged: user space put the device in low power; does not
 *	become true while @memory_lock is held
 * @nointxmask: policy: do not rely on PCI 2.3 INTx masking
 * @disable_vga: policy: do not offer the legacy VGA ranges
 * @disable_idle_d3: policy: leave the device in D0 while nobody uses it
 * @priv: the library's own state
 *
 * The three policies are written by the thin driver's .init before it calls
 * vfio_pci_core_init_dev(), and are constant from then on: they belong to this
 * device and outlive any later change of a module parameter.
 */
struct vfio_pci_core_device {
	struct vfio_device			vdev;
	struct pci_dev				*pdev;
	const struct vfio_pci_device_ops	*pci_ops;
	void __iomem				*barmap[PCI_STD_NUM_BARS];
	int					irq_type;
	struct rw_semaphore			memory_lock;
	bool					pm_runtime_engaged;
	bool					nointxmask;
	bool					disable_vga;
	bool					disable_idle_d3;
	struct vfio_pci_core_priv		*priv;
};

/*
 * Library and driver must come from the same tree, and symbol versions are not
 * always there to see to it. So the name of the registration call is a macro
 * that hands over what the driver was compiled with, and the library compares.
 * The function of that name exists too: it is what a driver calls that was
 * compiled with somebody else's header, and it refuses.
 *
 * Raise the number whenever a structure or the meaning of a call changes.
 */
#define VFIO_PCI_CORE_ABI	1

int vfio_pci_core_register_device(struct vfio_pci_core_device *vdev);
int __vfio_pci_core_register_device(struct vfio_pci_core_device *vdev,
				    unsigned int abi, size_t size);
#define vfio_pci_core_register_device(vdev)				\
	__vfio_pci_core_register_device((vdev), VFIO_PCI_CORE_ABI,	\
					sizeof(struct vfio_pci_core_device))

/* Lifecycle */
int vfio_pci_core_init_dev(struct vfio_device *core_vdev);
void vfio_pci_core_release_dev(struct vfio_device *core_vdev);
void vfio_pci_core_unregister_device(struct vfio_pci_core_device *vdev);
int vfio_pci_core_enable(struct vfio_pci_core_device *vdev);
void vfio_pci_core_finish_enable(struct vfio_pci_core_device *vdev);
void vfio_pci_core_disable(struct vfio_pci_core_device *vdev);
void vfio_pci_core_close_device(struct vfio_device *core_vdev);
int vfio_pci_core_sriov_configure(struct vfio_pci_core_device *vdev,
				  int nr_virtfn);
int vfio_pci_core_register_dev_region(struct vfio_pci_core_device *vdev,
				      unsigned int type, unsigned int subtype,
				      const struct vfio_pci_regops *ops,
				      size_t size, u32 flags, void *data);

#if IS_ENABLED(CONFIG_VFIO_PCI_IGD)
int vfio_pci_core_igd_enable(struct vfio_pci_core_device *vdev);
#else
static inline int vfio_pci_core_igd_enable(struct vfio_pci_core_device *vdev)
{
	return -ENODEV;
}
#endif

/* Bodies of struct vfio_device_ops */
long vfio_pci_core_ioctl(struct vfio_device *core_vdev, unsigned int cmd,
			 unsigned long arg);
int vfio_pci_core_ioctl_feature(struct vfio_device *device, u32 flags,
				void __user *arg, size_t argsz);
int vfio_pci_ioctl_get_region_info(struct vfio_device *core_vdev,
				   struct vfio_region_info *info,
				   struct vfio_info_cap *caps);
ssize_t vfio_pci_core_read(struct vfio_device *core_vdev, char __user *buf,
			   size_t count, loff_t *ppos);
ssize_t vfio_pci_core_write(struct vfio_device *core_vdev,
			    const char __user *buf, size_t count, loff_t *ppos);
int vfio_pci_core_mmap(struct vfio_device *core_vdev,
		       struct vm_area_struct *vma);
void vfio_pci_core_request(struct vfio_device *core_vdev, unsigned int count);
int vfio_pci_core_match(struct vfio_device *core_vdev, char *buf);
int vfio_pci_core_match_token_uuid(struct vfio_device *core_vdev,
				   const uuid_t *uuid);

/**
 * define VFIO_PCI_CORE_OPS - members of struct vfio_device_ops that are the library's
 *
 * All but .name, .init, .release, .open_device and .close_device. A driver that has
 * one of them of its own writes all of them out: a member that is given twice is a
 * mistake to the compiler. Those that only newer kernels have are in
 * <compat/vfio_pci.h>, which the driver includes.
 */
#define VFIO_PCI_CORE_OPS						\
	.ioctl		= vfio_pci_core_ioctl,				\
	.device_feature	= vfio_pci_core_ioctl_feature,			\
	.read		= vfio_pci_core_read,				\
	.write		= vfio_pci_core_write,				\
	.mmap		= vfio_pci_core_mmap,				\
	.request	= vfio_pci_core_request,			\
	.match		= vfio_pci_core_match,				\
	.bind_iommufd	= vfio_iommufd_physical_bind,			\
	.unbind_iommufd	= vfio_iommufd_physical_unbind,			\
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,		\
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,		\
	COMPAT_VFIO_PCI_OPS

/* Parts of struct pci_driver */
extern const struct pci_error_handlers vfio_pci_core_err_handlers;
extern const struct dev_pm_ops vfio_pci_core_pm_ops;
pci_ers_result_t vfio_pci_core_aer_err_detected(struct pci_dev *pdev,
						pci_channel_state_t state);

/* Access to device memory */
int vfio_pci_core_setup_barmap(struct vfio_pci_core_device *vdev, int bar);
void __iomem *vfio_pci_core_get_iomap(struct vfio_pci_core_device *vdev,
				      unsigned int bar);
bool __vfio_pci_memory_enabled(struct vfio_pci_core_device *vdev);
vm_fault_t vfio_pci_vmf_insert_pfn(struct vfio_pci_core_device *vdev,
				   struct vm_fault *vmf, unsigned long pfn,
				   unsigned int order);
ssize_t vfio_pci_config_rw_single(struct vfio_pci_core_device *vdev,
				  char __user *buf, size_t count, loff_t *ppos,
				  bool iswrite);
ssize_t vfio_pci_core_do_io_rw(struct vfio_pci_core_device *vdev, bool test_mem,
			       void __iomem *io, char __user *buf, loff_t off,
			       size_t count, size_t x_start, size_t x_end,
			       bool iswrite, enum vfio_pci_io_width max_width);
bool vfio_pci_core_range_intersect_range(loff_t buf_start, size_t buf_cnt,
					 loff_t reg_start, size_t reg_cnt,
					 loff_t *buf_offset,
					 size_t *intersect_count,
					 size_t *register_offset);

int vfio_pci_core_iowrite8(struct vfio_pci_core_device *vdev, bool test_mem,
			   u8 val, void __iomem *io);
int vfio_pci_core_iowrite16(struct vfio_pci_core_device *vdev, bool test_mem,
			    u16 val, void __iomem *io);
int vfio_pci_core_iowrite32(struct vfio_pci_core_device *vdev, bool test_mem,
			    u32 val, void __iomem *io);
int vfio_pci_core_ioread8(struct vfio_pci_core_device *vdev, bool test_mem,
			  u8 *val, void __iomem *io);
int vfio_pci_core_ioread16(struct vfio_pci_core_device *vdev, bool test_mem,
			   u16 *val, void __iomem *io);
int vfio_pci_core_ioread32(struct vfio_pci_core_device *vdev, bool test_mem,
			   u32 *val, void __iomem *io);
#ifdef iowrite64
int vfio_pci_core_iowrite64(struct vfio_pci_core_device *vdev, bool test_mem,
			    u64 val, void __iomem *io);
#endif
#ifdef ioread64
int vfio_pci_core_ioread64(struct vfio_pci_core_device *vdev, bool test_mem,
			   u64 *val, void __iomem *io);
#endif

#endif /* LINUX_VFIO_PCI_CORE_H */
