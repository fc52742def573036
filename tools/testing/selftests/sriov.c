// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual functions of a physical function that is in user space.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/calls.h"
#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/race.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define ENABLE	"/sys/module/vfio_pci/parameters/enable_sriov"
#define TOKEN	"11111111-2222-3333-4444-555555555555"
#define OTHER	"11111111-2222-3333-4444-555555555556"

static const uint8_t token_bytes[16] = {
	0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
	0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
};

/* The card on vfio-pci with @vfs functions, whatever it had before. */
static const char *pf_with(unsigned int vfs)
{
	const char *bdf = lab_bdf("igb");
	char text[16];

	ASSERT_EQ(file_write(ENABLE, "Y"), 0);
	pci_attr_write(bdf, "sriov_numvfs", "0");
	pci_bind(bdf, "vfio-pci");
	snprintf(text, sizeof(text), "%u", vfs);
	if (vfs)
		ASSERT_EQ(pci_attr_write(bdf, "sriov_numvfs", text), 0);
	return bdf;
}

static void pf_done(const char *bdf)
{
	EXPECT_EQ(pci_attr_write(bdf, "sriov_numvfs", "0"), 0);
}

/* Errno of opening @bdf in a container of its own, with what is behind it. */
static int open_errno(const char *bdf, const char *token)
{
	struct vfio_group group;
	char name[128];
	int fd, ret;

	pci_bind(bdf, "vfio-pci");
	vfio_group_open(&group, bdf);
	snprintf(name, sizeof(name), "%s%s%s", bdf, token ? " vf_token=" : "",
		 token ? token : "");
	fd = vfio_fd_try(&group, name);
	ret = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	vfio_group_close(&group);
	return ret;
}

TEST(not_enabled_means_no_vfs)
{
	const char *bdf = pf_with(0);

	ASSERT_EQ(file_write(ENABLE, "N"), 0);
	EXPECT_EQ(pci_attr_write(bdf, "sriov_numvfs", "1"), -ENOENT);
	ASSERT_EQ(file_write(ENABLE, "Y"), 0);
	EXPECT_EQ(pci_attr_write(bdf, "sriov_numvfs", "1"), 0);
	EXPECT_EQ(pci_attr_number(bdf, "sriov_numvfs"), 1u);
	/* The number changes by way of none. */
	EXPECT_EQ(pci_attr_write(bdf, "sriov_numvfs", "2"), -EBUSY);
	pf_done(bdf);
}

TEST(vfs_are_captured)
{
	const char *bdf = pf_with(2);
	char vf[BDF_LEN], text[64];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		pci_vf(vf, bdf, i);
		ASSERT_EQ(pci_attr_read(vf, "driver_override", text, sizeof(text)), 0);
		EXPECT_STREQ(text, "vfio-pci");
		EXPECT(pci_driver_is(vf, "vfio-pci"));
	}
	pf_done(bdf);
	EXPECT(!pci_exists(vf));
}

TEST(vf_needs_the_token)
{
	const char *bdf = pf_with(1);
	char vf[BDF_LEN];
	struct vfio_dev pf;

	pci_vf(vf, bdf, 0);
	EXPECT_EQ(open_errno(vf, NULL), EACCES);
	EXPECT_EQ(open_errno(vf, TOKEN), EACCES);
	vfio_open_token(&pf, bdf, TOKEN);
	EXPECT_EQ(open_errno(vf, NULL), EACCES);
	EXPECT_EQ(open_errno(vf, OTHER), EACCES);
	EXPECT_EQ(open_errno(vf, TOKEN), 0);
	EXPECT_EQ(open_errno(vf, "1111"), EINVAL);
	EXPECT_EQ(open_errno(vf, TOKEN " vf_token=" TOKEN), EINVAL);
	EXPECT_EQ(open_errno(vf, TOKEN " x"), EINVAL);
	vfio_close(&pf);
	/* The token outlives the user who chose it. */
	EXPECT_EQ(open_errno(vf, TOKEN), 0);
	pf_done(bdf);
}

TEST(token_by_feature)
{
	const char *bdf = pf_with(1);
	uint8_t bytes[16];
	char vf[BDF_LEN];
	struct vfio_dev pf;

	pci_vf(vf, bdf, 0);
	memcpy(bytes, token_bytes, sizeof(bytes));
	vfio_open(&pf, bdf);
	EXPECT_OK(vfio_feature_try(&pf, VFIO_DEVICE_FEATURE_PROBE |
				   VFIO_DEVICE_FEATURE_SET |
				   VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, NULL, 0));
	EXPECT_ERRNO(vfio_feature_try(&pf, VFIO_DEVICE_FEATURE_GET |
				      VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, bytes, 16),
		     EINVAL);
	EXPECT_ERRNO(vfio_feature_try(&pf, VFIO_DEVICE_FEATURE_SET |
				      VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, bytes, 15),
		     EINVAL);
	EXPECT_OK(vfio_feature_try(&pf, VFIO_DEVICE_FEATURE_SET |
				   VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, bytes, 16));
	EXPECT_EQ(open_errno(vf, TOKEN), 0);
	EXPECT_EQ(open_errno(vf, OTHER), EACCES);
	vfio_close(&pf);
	pf_done(bdf);
}

/* While a VF is in use its PF is only for those who know the token. */
TEST(pf_needs_the_token_while_vfs_are_in_use)
{
	const char *bdf = pf_with(1);
	struct vfio_dev pf, vf;
	char name[BDF_LEN];

	pci_vf(name, bdf, 0);
	vfio_open_token(&pf, bdf, TOKEN);
	vfio_open_token(&vf, name, TOKEN);
	vfio_close(&pf);
	EXPECT_EQ(open_errno(bdf, NULL), EACCES);
	EXPECT_EQ(open_errno(bdf, OTHER), EACCES);
	EXPECT_EQ(open_errno(bdf, TOKEN), 0);
	vfio_close(&vf);
	EXPECT_EQ(open_errno(bdf, NULL), 0);
	/* And now it may be another. */
	EXPECT_EQ(open_errno(bdf, OTHER), 0);
	EXPECT_EQ(open_errno(name, TOKEN), EACCES);
	EXPECT_EQ(open_errno(name, OTHER), 0);
	pf_done(bdf);
}

TEST(token_where_there_is_no_sriov)
{
	EXPECT_EQ(open_errno(lab_bdf("e1000e"), TOKEN), EINVAL);
}

/* PF with the host: its VFs have no token to show. */
TEST_LIMIT(vf_of_the_hosts_own_pf, 60)
{
	const char *bdf = pf_with(0);
	char vf[BDF_LEN];

	ASSERT_EQ(module_load("igb", NULL), 0);
	pci_bind(bdf, "igb");
	ASSERT_EQ(pci_attr_write(bdf, "sriov_numvfs", "1"), 0);
	pci_vf(vf, bdf, 0);
	EXPECT_EQ(open_errno(vf, TOKEN), EINVAL);
	EXPECT_EQ(open_errno(vf, NULL), 0);

	/* Such a PF is not to be taken from under its VFs. */
	pci_unbind(vf);
	EXPECT_EQ(pci_attr_write(bdf, "sriov_numvfs", "0"), 0);
	pci_bind(bdf, "vfio-pci");
	module_unload("igb");
}

/* The VF's identity comes from the PF, its memory decode from nowhere. */
TEST(vf_config_space)
{
	const char *bdf = pf_with(1);
	struct vfio_dev pf, vf;
	char name[BDF_LEN];
	uint32_t val;

	pci_vf(name, bdf, 0);
	vfio_open_token(&pf, bdf, TOKEN);
	vfio_open_token(&vf, name, TOKEN);
	EXPECT_EQ(cfg_get16(&vf, PCI_VENDOR_ID), 0x8086);
	EXPECT_EQ(cfg_get16(&vf, PCI_DEVICE_ID), pci_attr_number(name, "device"));
	EXPECT_NE(cfg_get16(&vf, PCI_DEVICE_ID), 0xffff);
	EXPECT_EQ(cfg_get8(&vf, PCI_INTERRUPT_PIN), 0);
	EXPECT_EQ(vfio_irq(&vf, VFIO_PCI_INTX_IRQ_INDEX).count, 0u);
	EXPECT(cfg_get16(&vf, PCI_COMMAND) & PCI_COMMAND_MEMORY);

	EXPECT_EQ(region_read_try(&vf, 0, 0, &val, 4), 4);
	cfg_command(&vf, 0, PCI_COMMAND_MEMORY);
	/* SR-IOV 1.1, 3.4.1.3: the bit is not there; memory cannot go off. */
	EXPECT_EQ(region_read_try(&vf, 0, 0, &val, 4), 4);
	cfg_command(&vf, PCI_COMMAND_MEMORY, 0);
	vfio_close(&vf);
	vfio_close(&pf);
	pf_done(bdf);
}

TEST(vf_bar_is_sized)
{
	const char *bdf = pf_with(1);
	struct vfio_dev pf, vf;
	char name[BDF_LEN];
	uint32_t low, high;
	uint64_t mask;

	pci_vf(name, bdf, 0);
	vfio_open_token(&pf, bdf, TOKEN);
	vfio_open_token(&vf, name, TOKEN);
	low = cfg_get32(&vf, PCI_BASE_ADDRESS_0);
	high = cfg_get32(&vf, PCI_BASE_ADDRESS_1);
	cfg_put32(&vf, PCI_BASE_ADDRESS_0, 0xffffffff);
	cfg_put32(&vf, PCI_BASE_ADDRESS_1, 0xffffffff);
	mask = cfg_get32(&vf, PCI_BASE_ADDRESS_0) & ~0xfull;
	if (low & PCI_BASE_ADDRESS_MEM_TYPE_64)
		mask |= (uint64_t)cfg_get32(&vf, PCI_BASE_ADDRESS_1) << 32;
	else
		mask |= 0xffffffffull << 32;
	EXPECT_EQ(~mask + 1, vfio_region(&vf, 0).info.size);
	cfg_put32(&vf, PCI_BASE_ADDRESS_0, low);
	cfg_put32(&vf, PCI_BASE_ADDRESS_1, high);
	vfio_close(&vf);
	vfio_close(&pf);
	pf_done(bdf);
}

/* VFs that are there already, without a token: their PF is not taken. */
TEST_LIMIT(pf_with_vfs_is_not_taken, 60)
{
	const char *bdf = lab_bdf("nvme");

	ASSERT_EQ(module_load("nvme", NULL), 0);
	pci_bind(bdf, "nvme");
	ASSERT_EQ(pci_attr_write(bdf, "sriov_drivers_autoprobe", "0"), 0);
	ASSERT_EQ(pci_attr_write(bdf, "sriov_numvfs", "1"), 0);
	/* This driver leaves its VFs behind. */
	ASSERT_EQ(pci_attr_write(bdf, "driver/unbind", bdf), 0);
	ASSERT_EQ(pci_attr_number(bdf, "sriov_numvfs"), 1u);

	ASSERT_EQ(pci_attr_write(bdf, "driver_override", "vfio-pci"), 0);
	EXPECT_EQ(file_write("/sys/bus/pci/drivers/vfio-pci/bind", bdf), -EBUSY);
	EXPECT(pci_driver_is(bdf, ""));

	pci_bind(bdf, "nvme");
	EXPECT_EQ(pci_attr_write(bdf, "sriov_numvfs", "0"), 0);
	EXPECT_EQ(pci_attr_write(bdf, "sriov_drivers_autoprobe", "1"), 0);
	pci_bind(bdf, "vfio-pci");
	module_unload("nvme");
}

/* Unbinding the PF takes the VFs along, whoever has them. */
TEST(pf_unbind_removes_vfs)
{
	const char *bdf = pf_with(2);
	char vf[BDF_LEN];

	pci_vf(vf, bdf, 1);
	pci_unbind(bdf);
	EXPECT(!pci_exists(vf));
	EXPECT_EQ(pci_attr_number(bdf, "sriov_numvfs"), 0u);
	pci_bind(bdf, "vfio-pci");
}

/* A PF whose VFs are there cannot be sent to sleep by its user. */
TEST(pf_with_vfs_stays_awake)
{
	const char *bdf = pf_with(1);
	struct vfio_dev pf;
	unsigned int pm;

	vfio_open_token(&pf, bdf, TOKEN);
	pm = cfg_find_cap(&pf, PCI_CAP_ID_PM);
	ASSERT(pm);
	cfg_put16(&pf, pm + PCI_PM_CTRL, 3);
	EXPECT_EQ(pci_config_read(bdf, pm + PCI_PM_CTRL, 2) & 3, 0u);
	cfg_put16(&pf, pm + PCI_PM_CTRL, 0);
	vfio_close(&pf);
	pf_done(bdf);
}

struct clash {
	struct vfio_dev pf;
	unsigned int control;	/* where its power state is */
};

/* As long as there are VFs it is awake, whoever came first. */
static void vfs_come_and_go(void *arg)
{
	struct clash *clash = arg;

	EXPECT_EQ(pci_attr_write(clash->pf.bdf, "sriov_numvfs", "1"), 0);
	EXPECT_EQ(pci_config_read(clash->pf.bdf, clash->control, 2) & 3, 0u);
	usleep(1000);
	EXPECT_EQ(pci_config_read(clash->pf.bdf, clash->control, 2) & 3, 0u);
	EXPECT_EQ(pci_attr_write(clash->pf.bdf, "sriov_numvfs", "0"), 0);
}

static void sleep_and_wake(void *arg)
{
	struct clash *clash = arg;

	cfg_put16(&clash->pf, clash->control, 3);
	cfg_put16(&clash->pf, clash->control, 0);
}

/* "Use a private flag to prevent power state change with VFs" */
TEST_LIMIT(power_state_against_vfs, 60)
{
	const char *bdf = pf_with(0);
	struct race race = { 0 };
	struct clash clash;

	vfio_open_token(&clash.pf, bdf, TOKEN);
	clash.control = cfg_find_cap(&clash.pf, PCI_CAP_ID_PM) + PCI_PM_CTRL;
	race_add(&race, "VFs", vfs_come_and_go, &clash);
	race_add(&race, "D3hot", sleep_and_wake, &clash);
	race_add(&race, "D3hot too", sleep_and_wake, &clash);
	race_run(&race, 3000);
	vfio_close(&clash.pf);
}

/* Whoever drives a VF then trusts the user of the PF: that is worth a warning. */
TEST_LIMIT(vf_with_the_host_is_warned_about, 60)
{
	const char *bdf = pf_with(1);
	char vf[BDF_LEN];

	ASSERT_EQ(module_load("igbvf", NULL), 0);
	pci_vf(vf, bdf, 0);
	EXPECT(!kmsg_has("bound to"));
	pci_bind(vf, "igbvf");
	EXPECT(kmsg_has("bound to"));
	pci_bind(vf, "vfio-pci");
	pf_done(bdf);
	module_unload("igbvf");
}

static void *open_and_close(void *arg)
{
	return (void *)(intptr_t)open_errno(arg, TOKEN);
}

/* Each open waits 100 ms for a function reset: side by side, not in a queue. */
TEST_LIMIT(vfs_open_in_parallel, 60)
{
	const char *bdf = pf_with(7);
	char names[7][BDF_LEN];
	pthread_t threads[7];
	struct vfio_dev pf;
	unsigned int i;
	struct calls resets;
	void *ret;

	vfio_open_token(&pf, bdf, TOKEN);
	for (i = 0; i < 7; i++)
		pci_vf(names[i], bdf, i);

	calls_watch("__pci_reset_function_locked");
	for (i = 0; i < 7; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, open_and_close,
					 names[i]), 0);
	for (i = 0; i < 7; i++) {
		ASSERT_EQ(pthread_join(threads[i], &ret), 0);
		EXPECT_EQ((intptr_t)ret, 0);
	}
	resets = calls_seen();
	test_note("%u of %u resets at once", resets.at_once, resets.count);
	EXPECT_GE(resets.count, 7u);
	EXPECT_GE(resets.at_once, 2u);
	vfio_close(&pf);
	pf_done(bdf);
}
