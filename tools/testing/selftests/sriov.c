// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual functions of a physical function that is in user space.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define ENABLE	"/sys/module/vfio_pci/parameters/enable_sriov"
#define TOKEN	"11111111-2222-3333-4444-555555555555"
#define OTHER	"11111111-2222-3333-4444-555555555556"

static const uint8_t token_bytes[16] = {
	0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33,
	0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
};

static void vf_bdf(char out[BDF_LEN], const char *pf, unsigned int nr)
{
	char link[64], path[256];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn%u", pf, nr);
	len = readlink(path, link, sizeof(link) - 1);
	ASSERT_GE(len, BDF_LEN - 1);
	link[len] = '\0';
	snprintf(out, BDF_LEN, "%s", link + len - (BDF_LEN - 1));
}

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

static void pf_open(struct vfio_dev *pf, const char *bdf, const char *token)
{
	char name[128];

	memset(pf, 0, sizeof(*pf));
	pf->bdf = bdf;
	vfio_group_open(&pf->group, bdf);
	snprintf(name, sizeof(name), "%s vf_token=%s", bdf, token);
	pf->fd = vfio_fd_try(&pf->group, name);
	ASSERT_OK(pf->fd);
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
		vf_bdf(vf, bdf, i);
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

	vf_bdf(vf, bdf, 0);
	EXPECT_EQ(open_errno(vf, NULL), EACCES);
	EXPECT_EQ(open_errno(vf, TOKEN), EACCES);
	pf_open(&pf, bdf, TOKEN);
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

	vf_bdf(vf, bdf, 0);
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

	vf_bdf(name, bdf, 0);
	pf_open(&pf, bdf, TOKEN);
	pf_open(&vf, name, TOKEN);
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
	vf_bdf(vf, bdf, 0);
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

	vf_bdf(name, bdf, 0);
	pf_open(&pf, bdf, TOKEN);
	pf_open(&vf, name, TOKEN);
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

	vf_bdf(name, bdf, 0);
	pf_open(&pf, bdf, TOKEN);
	pf_open(&vf, name, TOKEN);
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

	vf_bdf(vf, bdf, 1);
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

	pf_open(&pf, bdf, TOKEN);
	pm = cfg_find_cap(&pf, PCI_CAP_ID_PM);
	ASSERT(pm);
	cfg_put16(&pf, pm + PCI_PM_CTRL, 3);
	EXPECT_EQ(pci_config_read(bdf, pm + PCI_PM_CTRL, 2) & 3, 0u);
	cfg_put16(&pf, pm + PCI_PM_CTRL, 0);
	vfio_close(&pf);
	pf_done(bdf);
}

static void *open_and_close(void *arg)
{
	return (void *)(intptr_t)open_errno(arg, TOKEN);
}

#define TRACING	"/sys/kernel/tracing/"

/* Have the kernel note when an open enters the library and when it leaves. */
static void trace_opens(void)
{
	if (file_write(TRACING "kprobe_events",
		       "p:opens/enter vfio_pci_core_enable\n"
		       "r:opens/leave vfio_pci_core_enable\n"))
		SKIP("this kernel has no kprobe events");
	ASSERT_EQ(file_write(TRACING "trace", "\n"), 0);
	ASSERT_EQ(file_write(TRACING "events/opens/enable", "1"), 0);
}

/* Most opens that were inside the library at the same time. */
static int opens_at_once(void)
{
	int inside = 0, most = 0;
	char line[512];
	FILE *trace;

	ASSERT_EQ(file_write(TRACING "events/opens/enable", "0"), 0);
	trace = fopen(TRACING "trace", "r");
	ASSERT(trace);
	while (fgets(line, sizeof(line), trace)) {
		if (line[0] == '#')
			continue;
		inside += strstr(line, " enter: ") ? 1 : -1;
		most = inside > most ? inside : most;
	}
	fclose(trace);
	return most;
}

/* Each open waits 100 ms for a function reset: side by side, not in a queue. */
TEST_LIMIT(vfs_open_in_parallel, 60)
{
	const char *bdf = pf_with(7);
	char names[7][BDF_LEN];
	pthread_t threads[7];
	struct vfio_dev pf;
	unsigned int i;
	void *ret;
	int most;

	pf_open(&pf, bdf, TOKEN);
	for (i = 0; i < 7; i++)
		vf_bdf(names[i], bdf, i);

	trace_opens();
	for (i = 0; i < 7; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, open_and_close,
					 names[i]), 0);
	for (i = 0; i < 7; i++) {
		ASSERT_EQ(pthread_join(threads[i], &ret), 0);
		EXPECT_EQ((intptr_t)ret, 0);
	}
	most = opens_at_once();
	test_note("%d of 7 opens at once", most);
	EXPECT_GE(most, 2);
	vfio_close(&pf);
	pf_done(bdf);
}
