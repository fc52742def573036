// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VGA arbiter, on a machine whose IOMMU is off (vga_arbiter.lab): vfio.ko
 * then refuses every device, and what was set up before has to be taken back.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"

/* The second VGA controller, plugged in by vga_arbiter.lab: cirrus */
#define OTHER	"0000:00:08.0"

/* The arbiter asks nobody until somebody has used it. */
static void use_arbiter(void)
{
	int fd = open("/dev/vga_arbiter", O_RDWR);

	ASSERT_GE(fd, 0);
	ASSERT_OK(write(fd, "target PCI:" OTHER, strlen("target PCI:" OTHER)));
	ASSERT_OK(write(fd, "lock io", 7));
	ASSERT_OK(write(fd, "unlock io", 9));
	close(fd);
}

/*
 * CVE-2026-64475. A probe that leaves a client with the arbiter has it asked
 * about a device that is not there any more as soon as another VGA controller
 * comes or goes. The distribution's 6.12.117 has the fix.
 */
TEST(cve_2026_64475_failed_bind_leaves_no_client)
{
	const char *bdf = lab_bdf("vga");

	ASSERT(pci_exists(OTHER));
	EXPECT_NE(pci_try_bind(bdf, "vfio-pci"), 0);
	EXPECT(!pci_driver_is(bdf, "vfio-pci"));

	use_arbiter();
	ASSERT_EQ(pci_attr_write(OTHER, "remove", "1"), 0);
	ASSERT_EQ(file_write("/sys/bus/pci/rescan", "1"), 0);
	EXPECT(pci_exists(OTHER));
}

/* Nor does it leave anything that keeps the modules from going. */
TEST(failed_bind_leaves_the_modules_free)
{
	EXPECT_NE(pci_try_bind(lab_bdf("vga"), "vfio-pci"), 0);
	EXPECT_EQ(module_unload("vfio_pci"), 0);
	EXPECT_EQ(module_unload("vfio_pci_core"), 0);
	EXPECT_EQ(module_load("vfio_pci", NULL), 0);
}
