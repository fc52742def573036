// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two thin drivers and one library: vfio_pci, and the lab's own vendor driver
 * (lab/modules/variant.c). What is one's must not become the other's.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/slab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define VARIANT	"lab-variant"
#define PARAM	"/sys/module/variant/parameters/"
#define SRIOV	"/sys/module/vfio_pci/parameters/enable_sriov"
#define TOKEN	"11111111-2222-3333-4444-555555555555"
#define OTHER	"99999999-2222-3333-4444-555555555555"
#define REGION	VFIO_PCI_NUM_REGIONS	/* its own */

static void load(void)
{
	if (!module_loaded("variant"))
		ASSERT_EQ(module_load("variant", NULL), 0);
}

static unsigned int param(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), PARAM "%s", name);
	ASSERT_EQ(file_read(path, text, sizeof(text)), 0);
	return strtoul(text, NULL, 0);
}

static void set(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAM "%s", name);
	ASSERT_EQ(file_write(path, value), 0);
}

static void open_variant(struct vfio_dev *dev, const char *bdf)
{
	vfio_open_with(dev, bdf, VARIANT);
	cfg_command(dev, PCI_COMMAND_MEMORY, 0);
}

/* ---- power ---------------------------------------------------------------- */

/*
 * The driver's power management is the driver's. Fails on the distribution's
 * 6.12.117: whoever registers a device has its operations replaced.
 */
TEST(own_power_management_is_left_alone)
{
	const char *bdf = lab_bdf("e1000e");
	unsigned int before;

	load();
	before = param("suspends");
	pci_bind(bdf, VARIANT);
	pci_expect_status(bdf, "suspended");
	EXPECT_GE(param("suspends"), before + 1);
	pci_unbind(bdf);
}

/*
 * CVE-2026-64476: vfio_pci is loaded anew with another policy, while a device of
 * the vendor driver's is open and another one's is asleep.
 */
TEST_LIMIT(cve_2026_64476_reload_of_vfio_pci_changes_no_others_devices, 60)
{
	const char *open = lab_bdf("e1000e"), *idle = lab_bdf("nvme");
	struct vfio_dev dev;
	unsigned int i;

	load();
	pci_bind(open, VARIANT);
	pci_bind(idle, VARIANT);
	for (i = 0; i < 4; i++) {
		open_variant(&dev, open);
		pci_expect_status(idle, "suspended");
		ASSERT_EQ(module_unload("vfio_pci"), 0);
		ASSERT_EQ(module_load("vfio-pci", i & 1 ? "disable_idle_d3=0" :
				      "disable_idle_d3=1"), 0);
		EXPECT_EQ(pci_attr_number(open, "power/runtime_usage"), 1u);
		vfio_close(&dev);
		EXPECT_EQ(pci_attr_number(open, "power/runtime_usage"), 0u);
		pci_expect_status(open, "suspended");
		open_variant(&dev, idle);
		EXPECT_EQ(pci_attr_number(idle, "power/runtime_usage"), 1u);
		vfio_close(&dev);
		pci_expect_status(idle, "suspended");
	}
	pci_unbind(open);
	pci_unbind(idle);
	EXPECT_EQ(pci_attr_number(open, "power/runtime_usage"), 1u);
	EXPECT_EQ(pci_attr_number(idle, "power/runtime_usage"), 1u);
}

/* ---- regions -------------------------------------------------------------- */

static int region_info(struct vfio_dev *dev)
{
	struct vfio_region region = { .info.argsz = sizeof(region),
				      .info.index = REGION };

	return ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &region.info);
}

/*
 * The chain began, and cannot be finished. Fails on the distribution's 6.12.117,
 * which forgets what there was of it.
 */
TEST_LIMIT(failed_region_info_leaks_nothing, 60)
{
	const unsigned int rounds = 20000;
	struct vfio_dev dev;
	unsigned int i;
	long before;

	load();
	pci_bind(lab_bdf("edu"), VARIANT);
	open_variant(&dev, lab_bdf("edu"));
	ASSERT_OK(region_info(&dev));
	set("fail_caps", "Y");
	EXPECT_ERRNO(region_info(&dev), ENOMEM);
	before = slab_objects();
	for (i = 0; i < rounds; i++)
		region_info(&dev);
	EXPECT_LE(slab_growth(before, rounds / 2), rounds / 2);
	set("fail_caps", "N");
	EXPECT_OK(region_info(&dev));
	vfio_close(&dev);
	pci_unbind(lab_bdf("edu"));
}

/* ---- PF with one, VF with the other --------------------------------------- */

struct pair {
	const char *name;
	const char *pf;
	const char *vf;
};

static const struct pair pairs[] = {
	{ "vf-of-the-vendors", "vfio-pci", VARIANT },
	{ "pf-of-the-vendors", VARIANT, "vfio-pci" },
	{ "both-of-the-vendors", VARIANT, VARIANT },
};

static int open_try(const struct vfio_group *group, const char *bdf,
		    const char *token)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s%s", bdf, token ? " vf_token=" : "",
		 token ? token : "");
	return vfio_fd_try(group, name);
}

static int open_errno(const struct vfio_group *group, const char *bdf,
		      const char *token)
{
	int fd = open_try(group, bdf, token);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? errno : 0;
}

static void make_pair(const struct pair *pair, const char *pf, char vf[BDF_LEN])
{
	load();
	ASSERT_EQ(file_write(SRIOV, "Y"), 0);
	pci_unbind(pf);
	pci_bind(pf, pair->pf);
	ASSERT_EQ(pci_attr_write(pf, "sriov_numvfs", "1"), 0);
	pci_vf(vf, pf, 0);
	pci_bind(vf, pair->vf);
}

/*
 * "Fix vf_token mechanism when device-specific VF drivers are used": the PF is
 * found by what it is, not by its driver.
 */
TEST_EACH_LIMIT(vf_token_holds_between_drivers, pairs, 60)
{
	const char *bdf = lab_bdf("igb");
	struct vfio_group pf, vf;
	char vf_bdf[BDF_LEN];
	int fd;

	make_pair(it, bdf, vf_bdf);
	vfio_group_open(&pf, bdf);
	vfio_group_open(&vf, vf_bdf);
	EXPECT_EQ(open_errno(&vf, vf_bdf, NULL), EACCES);
	EXPECT_EQ(open_errno(&vf, vf_bdf, TOKEN), EACCES);
	EXPECT_EQ(open_errno(&pf, bdf, TOKEN), 0);
	EXPECT_EQ(open_errno(&vf, vf_bdf, NULL), EACCES);
	EXPECT_EQ(open_errno(&vf, vf_bdf, OTHER), EACCES);
	EXPECT_EQ(open_errno(&vf, vf_bdf, TOKEN), 0);

	/* The other way round: with the VF in use the PF needs it. */
	fd = open_try(&vf, vf_bdf, TOKEN);
	ASSERT_OK(fd);
	EXPECT_EQ(open_errno(&pf, bdf, NULL), EACCES);
	EXPECT_EQ(open_errno(&pf, bdf, OTHER), EACCES);
	EXPECT_EQ(open_errno(&pf, bdf, TOKEN), 0);
	close(fd);
	EXPECT_EQ(open_errno(&pf, bdf, OTHER), 0);

	vfio_group_close(&vf);
	vfio_group_close(&pf);
	EXPECT_EQ(pci_attr_write(bdf, "sriov_numvfs", "0"), 0);
	pci_unbind(bdf);
}

/* ---- locks ---------------------------------------------------------------- */

static void *enable_vf(void *bdf)
{
	EXPECT_EQ(pci_attr_write(bdf, "sriov_numvfs", "1"), 0);
	return NULL;
}

struct access {
	struct vfio_dev *dev;
	volatile bool done;
};

static void *read_bar(void *arg)
{
	struct access *access = arg;

	region_get(access->dev, VFIO_PCI_BAR0_REGION_INDEX, 0, 4);
	access->done = true;
	return NULL;
}

static bool happens(volatile bool *flag)
{
	unsigned int polls = test_patience(100);

	while (!*flag && polls--)
		usleep(50000);
	return *flag;
}

/*
 * The PF's user goes on while drivers probe its VFs. Fails on a library that holds
 * memory_lock meanwhile.
 */
TEST_LIMIT(pf_is_usable_while_its_vfs_are_probed, 60)
{
	const char *bdf = lab_bdf("igb");
	pthread_t enabler, reader;
	struct access access;
	struct vfio_dev pf;
	unsigned int before;

	load();
	pci_bind(bdf, VARIANT);
	open_variant(&pf, bdf);
	access = (struct access){ .dev = &pf };
	set("hold_vfs", "Y");
	before = param("held");
	ASSERT_EQ(pthread_create(&enabler, NULL, enable_vf, (void *)bdf), 0);
	while (param("held") == before)
		usleep(10000);
	ASSERT_EQ(pthread_create(&reader, NULL, read_bar, &access), 0);
	EXPECT(happens(&access.done));
	set("hold_vfs", "N");
	ASSERT_EQ(pthread_join(reader, NULL), 0);
	ASSERT_EQ(pthread_join(enabler, NULL), 0);
	vfio_close(&pf);
	EXPECT_EQ(pci_attr_write(bdf, "sriov_numvfs", "0"), 0);
	pci_unbind(bdf);
}
