// SPDX-License-Identifier: GPL-2.0-only
/*
 * What EFI firmware does for a function whose ROM it alone can read: it leaves the
 * image in memory of its own, and tells the kernel. The memory is set aside by
 * memmap=64K$0x10000000 on the kernel's command line.
 *
 *	modprobe rom of=0000:01:00.0
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>

#define MEMORY	0x10000000
#define IMAGE	(13 * 512)	/* bytes: no power of two */

static char *of;
module_param(of, charp, 0444);
MODULE_PARM_DESC(of, "address of the function, DDDD:BB:DD.F");

static struct pci_dev *pdev;

static struct pci_dev *find(const char *name)
{
	struct pci_dev *found = NULL;

	for_each_pci_dev(found)
		if (!strcmp(pci_name(found), name))
			break;
	return found;
}

static int __init rom_init(void)
{
	unsigned int i;
	u8 *image;

	pdev = of ? find(of) : NULL;
	if (!pdev)
		return -ENODEV;

	image = memremap(MEMORY, IMAGE, MEMREMAP_WB);
	if (!image) {
		pci_dev_put(pdev);
		return -ENOMEM;
	}
	for (i = 0; i < IMAGE; i++)
		image[i] = i * 7 + (i >> 8);
	memunmap(image);

	pdev->rom = MEMORY;
	pdev->romlen = IMAGE;
	return 0;
}
module_init(rom_init);

static void __exit rom_exit(void)
{
	pdev->rom = 0;
	pdev->romlen = 0;
	pci_dev_put(pdev);
}
module_exit(rom_exit);

MODULE_DESCRIPTION("A ROM that only the firmware has, for the tests");
MODULE_LICENSE("GPL");
