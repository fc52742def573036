// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI functions as sysfs shows them. A function is found by its full address
 * and nothing else: no walk, no guess, no part of a name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

/* Length of the domain in "0000:01:00.0"; a VMD's has five digits or more. */
static size_t domain_length(const char *text)
{
	size_t len = strspn(text, "0123456789abcdefABCDEF");

	return text[len] == ':' && len >= 4 && len <= 8 ? len : 0;
}

/* "01:00.0" is in domain 0000, as for lspci. */
int bdf_parse(char bdf[BDF_LEN], const char *text)
{
	size_t digits = domain_length(text);
	const char *rest = digits ? text + digits + 1 : text;
	uint64_t domain = 0, bus, slot, fn;

	if (digits && hex_parse(&domain, text, digits))
		return -EINVAL;
	if (strlen(rest) != 7 || rest[2] != ':' || rest[5] != '.')
		return -EINVAL;
	if (hex_parse(&bus, rest, 2) || hex_parse(&slot, rest + 3, 2) ||
	    hex_parse(&fn, rest + 6, 1))
		return -EINVAL;
	if (slot > 0x1f || fn > 7)
		return -EINVAL;
	print_to(bdf, BDF_LEN, "%04x:%02x:%02x.%x", (unsigned int)domain, (unsigned int)bus,
		 (unsigned int)slot, (unsigned int)fn);
	return 0;
}

int id_parse(uint16_t *vendor, uint16_t *device, const char *text)
{
	uint64_t v, d;

	if (strlen(text) != 9 || text[4] != ':' || hex_parse(&v, text, 4) ||
	    hex_parse(&d, text + 5, 4))
		return -EINVAL;
	*vendor = v;
	*device = d;
	return 0;
}

static int read_id(uint64_t *value, uint64_t most, const char *bdf, const char *attr)
{
	int ret = file_number(value, PCI_DEVICES "/%s/%s", bdf, attr);

	return !ret && *value > most ? -ERANGE : ret;
}

/* Made from the ids, then compared: what the kernel says must be the same. */
static int read_modalias(struct device *dev)
{
	uint64_t subvendor, subdevice;
	char text[ALIAS_LEN];
	int ret;

	ret = read_id(&subvendor, UINT16_MAX, dev->bdf, "subsystem_vendor");
	if (!ret)
		ret = read_id(&subdevice, UINT16_MAX, dev->bdf, "subsystem_device");
	if (!ret)
		ret = file_text(text, sizeof(text), PCI_DEVICES "/%s/modalias", dev->bdf);
	if (ret)
		return ret;
	print_to(dev->modalias, sizeof(dev->modalias),
		 "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", dev->vendor, dev->device,
		 (unsigned int)subvendor, (unsigned int)subdevice, dev->class >> 16,
		 dev->class >> 8 & 0xff, dev->class & 0xff);
	return strcmp(text, dev->modalias) ? -EBADMSG : 0;
}

static int read_ids(struct device *dev)
{
	uint64_t vendor, device, class;
	int ret;

	ret = read_id(&vendor, UINT16_MAX, dev->bdf, "vendor");
	if (!ret)
		ret = read_id(&device, UINT16_MAX, dev->bdf, "device");
	if (!ret)
		ret = read_id(&class, 0xffffff, dev->bdf, "class");
	if (ret)
		return ret;
	dev->vendor = vendor;
	dev->device = device;
	dev->class = class;
	return read_modalias(dev);
}

int device_driver(char driver[NAME_LEN], const char *bdf)
{
	int ret = link_name(driver, PCI_DEVICES "/%s/driver", bdf);

	if (ret != -ENOENT)
		return ret;
	driver[0] = '\0';
	return path_exists(PCI_DEVICES "/%s", bdf) ? 0 : -ENODEV;
}

static int read_binding(struct device *dev)
{
	char text[NAME_LEN];
	int ret;

	ret = device_driver(dev->driver, dev->bdf);
	if (ret)
		return ret;
	ret = file_text(text, sizeof(text), PCI_DEVICES "/%s/driver_override", dev->bdf);
	if (!ret && strcmp(text, "(null)") && text[0])
		ret = copy_name(dev->override, text);
	dev->vfio = path_exists(PCI_DEVICES "/%s/vfio-dev", dev->bdf);
	return ret;
}

static int read_group(struct device *dev)
{
	char name[NAME_LEN];
	uint64_t group;
	int ret;

	dev->group = -1;
	ret = link_name(name, PCI_DEVICES "/%s/iommu_group", dev->bdf);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = number_parse(&group, name);
	if (ret || group > INT_MAX)
		return -EBADMSG;
	dev->group = group;
	return 0;
}

static int read_sriov(struct device *dev)
{
	uint64_t vfs, max;
	char pf[NAME_LEN];
	int ret;

	ret = link_name(pf, PCI_DEVICES "/%s/physfn", dev->bdf);
	if (!ret)
		return bdf_parse(dev->pf, pf);
	ret = read_id(&max, UINT16_MAX, dev->bdf, "sriov_totalvfs");
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = read_id(&vfs, UINT16_MAX, dev->bdf, "sriov_numvfs");
	if (ret)
		return ret;
	dev->max_vfs = max;
	dev->vfs = vfs;
	return 0;
}

/* Bit 7 says that there are more functions; the rest is the layout. */
static int read_header(struct device *dev)
{
	uint8_t config[16];
	int ret = file_bytes(config, sizeof(config), PCI_DEVICES "/%s/config", dev->bdf);

	if (!ret)
		dev->bridge = config[0] != 0xff && (config[14] & 0x7f);
	return ret;
}

static int read_path(struct device *dev)
{
	char path[PATH_MAX];
	int ret = real_path(path, PCI_DEVICES "/%s", dev->bdf);

	if (ret)
		return ret;
	if (strlen(path) >= sizeof(dev->path))
		return -ENAMETOOLONG;
	copy_text(dev->path, sizeof(dev->path), path);
	return 0;
}

/* A file that is missing although its device was there: the device has gone. */
int device_read(struct device *dev, const char *bdf)
{
	static int (*const parts[])(struct device *) = {
		read_path, read_ids, read_binding, read_group, read_sriov, read_header,
	};
	int ret = 0;
	size_t i;

	*dev = (struct device){};
	print_to(dev->bdf, sizeof(dev->bdf), "%s", bdf);
	for (i = 0; !ret && i < ARRAY_SIZE(parts); i++)
		ret = parts[i](dev);
	return ret && !path_exists(PCI_DEVICES "/%s", bdf) ? -ENODEV : ret;
}

int device_wanted(struct device *dev, const char *text)
{
	char bdf[BDF_LEN];
	int ret;

	ret = bdf_parse(bdf, text);
	if (ret) {
		complain("'%s' is not a PCI address, such as 0000:01:00.0 or 01:00.0", text);
		return ret;
	}
	ret = device_read(dev, bdf);
	if (ret == -ENODEV)
		complain("there is no device %s", bdf);
	else if (ret)
		complain("%s: cannot make sense of what sysfs says: %s", bdf, strerror(-ret));
	return ret;
}

void devices_add(struct devices *list, const struct device *dev)
{
	list->v = grow(list->v, list->nr + 1, sizeof(*list->v));
	list->v[list->nr++] = *dev;
}

void devices_free(struct devices *list)
{
	free(list->v);
	*list = (struct devices){};
}

/* A device that vanishes meanwhile is none; one that cannot be read is said. */
static void read_named(struct devices *all, const struct names *names)
{
	char bdf[BDF_LEN];
	struct device dev;
	size_t i;
	int ret;

	for (i = 0; i < names->nr; i++) {
		if (bdf_parse(bdf, names->v[i]))
			continue;
		ret = device_read(&dev, bdf);
		if (!ret)
			devices_add(all, &dev);
		else if (ret != -ENODEV)
			complain("%s: left out: %s", bdf, strerror(-ret));
	}
}

int devices_read(struct devices *all)
{
	struct names names;
	int ret;

	*all = (struct devices){};
	ret = dir_names(&names, PCI_DEVICES);
	if (ret)
		return ret;
	read_named(all, &names);
	names_free(&names);
	return 0;
}

int devices_of_group(struct devices *members, int group)
{
	struct names names;
	int ret;

	*members = (struct devices){};
	ret = dir_names(&names, "/sys/kernel/iommu_groups/%d/devices", group);
	if (ret)
		return ret;
	read_named(members, &names);
	names_free(&names);
	return 0;
}
