/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the newest kernel has and older ones lack. The only place with version
 * or feature tests; the rest of the tree is written to the newest interface.
 */
#ifndef COMPAT_VFIO_PCI_H
#define COMPAT_VFIO_PCI_H

#include <linux/version.h>
#include <linux/gfp.h>
#include <linux/irqbypass.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/mm.h>
#include <linux/uuid.h>
#include <linux/vfio.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "Linux 6.12 is the oldest supported kernel"
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)

#include <linux/pfn_t.h>

/* vfio.ko leaves VFIO_DEVICE_GET_REGION_INFO to the driver's ioctl */
#define VFIO_PCI_IOCTL_REGION_INFO	1

/* MMIO mapping is a matter of the architecture, not of the device */
static inline bool vfio_pci_mmap_allowed(struct pci_dev *pdev)
{
	return IS_ENABLED(CONFIG_VFIO_PCI_MMAP);
}

static inline bool pci_is_display(struct pci_dev *pdev)
{
	return (pdev->class >> 16) == PCI_BASE_CLASS_DISPLAY;
}

static inline vm_fault_t compat_insert_pmd(struct vm_fault *vmf,
					   unsigned long pfn, bool write)
{
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#else
	return VM_FAULT_FALLBACK;
#endif
}

static inline vm_fault_t compat_insert_pud(struct vm_fault *vmf,
					   unsigned long pfn, bool write)
{
#ifdef CONFIG_ARCH_SUPPORTS_PUD_PFNMAP
	return vmf_insert_pfn_pud(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#else
	return VM_FAULT_FALLBACK;
#endif
}

/* Members of struct vfio_device_ops that vfio.ko does not know yet: none */
#define COMPAT_VFIO_PCI_OPS

typedef int (*compat_match_token_t)(struct vfio_device *core_vdev,
				    const uuid_t *uuid);

/* A thin driver cannot have a rule of its own for VF tokens */
static inline compat_match_token_t
compat_match_token_op(struct vfio_device *core_vdev)
{
	return NULL;
}

static inline int compat_irq_bypass_register(struct irq_bypass_producer *prod,
					     struct eventfd_ctx *token, int irq)
{
	int ret;

	prod->token = token;
	prod->irq = irq;
	ret = irq_bypass_register_producer(prod);
	if (ret)
		prod->token = NULL;
	return ret;
}

#else

#define VFIO_PCI_IOCTL_REGION_INFO	0

static inline bool vfio_pci_mmap_allowed(struct pci_dev *pdev)
{
	return !pdev->non_mappable_bars;
}

static inline vm_fault_t compat_insert_pmd(struct vm_fault *vmf,
					   unsigned long pfn, bool write)
{
	return vmf_insert_pfn_pmd(vmf, pfn, write);
}

static inline vm_fault_t compat_insert_pud(struct vm_fault *vmf,
					   unsigned long pfn, bool write)
{
	return vmf_insert_pfn_pud(vmf, pfn, write);
}

#define COMPAT_VFIO_PCI_OPS						\
	.get_region_info_caps	= vfio_pci_ioctl_get_region_info,	\
	.match_token_uuid	= vfio_pci_core_match_token_uuid,	\
	.pasid_attach_ioas	= vfio_iommufd_physical_pasid_attach_ioas, \
	.pasid_detach_ioas	= vfio_iommufd_physical_pasid_detach_ioas,

typedef int (*compat_match_token_t)(struct vfio_device *core_vdev,
				    const uuid_t *uuid);

static inline compat_match_token_t
compat_match_token_op(struct vfio_device *core_vdev)
{
	return core_vdev->ops->match_token_uuid;
}

static inline int compat_irq_bypass_register(struct irq_bypass_producer *prod,
					     struct eventfd_ctx *token, int irq)
{
	return irq_bypass_register_producer(prod, token, irq);
}

#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define COMPAT_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#else
#define COMPAT_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#endif

#ifndef alloc_pages_bulk
#define alloc_pages_bulk	alloc_pages_bulk_array
#endif

#ifdef COMPAT_PCI_DRIVER_OVERRIDE
/* Only late releases of 6.12 have it; Kbuild looks for it in the headers */
static inline int device_set_driver_override(struct device *dev, const char *s)
{
	return driver_set_override(dev, &to_pci_dev(dev)->driver_override, s,
				   strlen(s));
}
#endif

#endif /* COMPAT_VFIO_PCI_H */
