// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs in user space's address space.
 *
 * Nothing is mapped by mmap() itself. A touch faults, and the fault handler maps
 * what it may while memory_lock says that the memory is there. What is mapped
 * follows from vm_pgoff and the address alone: mappings are split, moved and
 * inherited, and whatever else was noted at mmap() time would be wrong then.
 */
#include <linux/mm.h>
#include <linux/nospec.h>

#include "priv.h"

#define REGION_PGOFF_SHIFT	(VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT)
#define REGION_PGOFF_MASK	((1ULL << REGION_PGOFF_SHIFT) - 1)

static unsigned int vma_bar(const struct vm_area_struct *vma)
{
	return array_index_nospec(vma->vm_pgoff >> REGION_PGOFF_SHIFT,
				  PCI_STD_NUM_BARS);
}

static unsigned long addr_to_pfn(const struct vm_area_struct *vma,
				 unsigned long addr)
{
	struct vfio_pci_core_device *vdev = vma->vm_private_data;
	unsigned long pgoff = vma->vm_pgoff & REGION_PGOFF_MASK;

	return PHYS_PFN(pci_resource_start(vdev->pdev, vma_bar(vma))) + pgoff +
	       ((addr - vma->vm_start) >> PAGE_SHIFT);
}

/**
 * vfio_pci_vmf_insert_pfn() - map device memory at a faulting address
 * @vdev: device
 * @vmf: the fault, in a VM_PFNMAP mapping
 * @pfn: page frame of the device, a multiple of @order pages
 * @order: 0, PMD_ORDER or PUD_ORDER: pages to map with one entry
 *
 * For the fault handlers of BARs and of thin drivers' own regions: refuses as
 * long as the device's memory is off or the device is in low power.
 *
 * Context: process context, under mmap_lock or the mapping's own lock. The
 * caller holds memory_lock for reading and has checked that the mapping and the
 * addresses suit @order.
 * Return: VM_FAULT_NOPAGE if mapped, VM_FAULT_SIGBUS if the memory is not there,
 * VM_FAULT_FALLBACK if @order cannot be mapped so, VM_FAULT_OOM.
 */
vm_fault_t vfio_pci_vmf_insert_pfn(struct vfio_pci_core_device *vdev,
				   struct vm_fault *vmf, unsigned long pfn,
				   unsigned int order)
{
	lockdep_assert_held_read(&vdev->memory_lock);

	if (READ_ONCE(vdev->pm_runtime_engaged) || !__vfio_pci_memory_enabled(vdev))
		return VM_FAULT_SIGBUS;

	if (!order)
		return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK, pfn);
	if (IS_ENABLED(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP) && order == PMD_ORDER)
		return compat_insert_pmd(vmf, pfn, false);
	if (IS_ENABLED(CONFIG_ARCH_SUPPORTS_PUD_PFNMAP) && order == PUD_ORDER)
		return compat_insert_pud(vmf, pfn, false);
	return VM_FAULT_FALLBACK;
}
EXPORT_SYMBOL_GPL(vfio_pci_vmf_insert_pfn);

static bool order_fits(const struct vm_area_struct *vma, unsigned long addr,
		       unsigned long pfn, unsigned int order)
{
	unsigned long size = PAGE_SIZE << order;

	return addr >= vma->vm_start && vma->vm_end - addr >= size &&
	       IS_ALIGNED(pfn, 1UL << order);
}

/*
 * A mapping that is large enough for huge pages and got a small one is not
 * aligned like its BAR. Fill the page table then, or every page takes a fault.
 * The page that was asked for is there; what else fails may fault later.
 */
static void fault_around(struct vm_fault *vmf)
{
	unsigned long table = vmf->address & PMD_MASK;
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr, end;

	if (vma->vm_end - vma->vm_start < PMD_SIZE)
		return;

	addr = max(table, vma->vm_start);
	end = min(table + PMD_SIZE - 1, vma->vm_end - 1);
	for (; addr < end; addr += PAGE_SIZE)
		if (vmf_insert_pfn(vma, addr, addr_to_pfn(vma, addr)) !=
		    VM_FAULT_NOPAGE)
			return;
}

static vm_fault_t bar_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vfio_pci_core_device *vdev = vma->vm_private_data;
	unsigned long addr = vmf->address & ~((PAGE_SIZE << order) - 1);
	unsigned long pfn = addr_to_pfn(vma, addr);
	vm_fault_t ret;

	if (!order_fits(vma, addr, pfn, order))
		return VM_FAULT_FALLBACK;

	scoped_guard(rwsem_read, &vdev->memory_lock) {
		ret = vfio_pci_vmf_insert_pfn(vdev, vmf, pfn, order);
		if (!order && ret == VM_FAULT_NOPAGE)
			fault_around(vmf);
	}

	if (ret == VM_FAULT_SIGBUS)
		vfio_pci_refuse(vdev, -EFAULT,
				"access to mapped BAR%u while memory is off or the device in low power",
				vma_bar(vma));
	return ret;
}

static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	return bar_huge_fault(vmf, 0);
}

static const struct vm_operations_struct bar_vm_ops = {
	.fault = bar_fault,
	.huge_fault = bar_huge_fault,
};

/* region.c saw to VM_SHARED, and that the region is a BAR */
int vfio_pci_bar_mmap(struct vfio_pci_core_device *vdev,
		      struct vm_area_struct *vma)
{
	u64 pgoff = vma->vm_pgoff & REGION_PGOFF_MASK;
	unsigned int bar = vma_bar(vma);
	u64 pages;
	int ret;

	if (!vdev->priv->bar_mmap[bar])
		return vfio_pci_refuse(vdev, -EINVAL,
				       "BAR%u cannot be mapped: absent, no memory, or not alone on its page",
				       bar);

	pages = PAGE_ALIGN(pci_resource_len(vdev->pdev, bar)) >> PAGE_SHIFT;
	if (pgoff >= pages || vma_pages(vma) > pages - pgoff)
		return vfio_pci_malformed(vdev, "mapping exceeds BAR%u", bar);

	ret = vfio_pci_core_setup_barmap(vdev, bar);
	if (ret)
		return ret;

	vma->vm_private_data = vdev;
	vma->vm_page_prot = pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));
	vm_flags_set(vma, VM_ALLOW_ANY_UNCACHED | VM_IO | VM_PFNMAP |
			  VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &bar_vm_ops;
	return 0;
}
