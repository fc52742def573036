// SPDX-License-Identifier: GPL-2.0-only
/*
 * The screen that the console is on.
 */
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

/* Drivers of the framebuffer that the firmware left behind, in /proc/iomem. */
static bool is_boot_framebuffer(const char *owner)
{
	static const char * const owners[] = {
		"BOOTFB", "efifb", "vesafb", "simplefb", "simple-framebuffer", "simpledrm",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(owners); i++) {
		if (!strncmp(owner, owners[i], strlen(owners[i])))
			return true;
	}
	return false;
}

struct range {
	unsigned long long start;
	unsigned long long end;
};

static unsigned int read_bars(struct range bars[6], const struct device *dev)
{
	unsigned int nr = 0, line;
	unsigned long long start, end;
	char text[128];
	FILE *file;

	file = file_stream(PCI_DEVICES "/%s/resource", dev->bdf);
	for (line = 0; file && line < 6 && fgets(text, sizeof(text), file); line++) {
		if (sscanf(text, "%llx %llx", &start, &end) == 2 && end > start)
			bars[nr++] = (struct range){ start, end };
	}
	if (file)
		fclose(file);
	return nr;
}

static bool inside(const struct range *range, const struct range *bars, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (range->start >= bars[i].start && range->end <= bars[i].end)
			return true;
	}
	return false;
}

/* Whoever is not root sees zeros for addresses there, which are in no BAR. */
bool boot_framebuffer(char owner[NAME_LEN], const struct device *dev)
{
	struct range bars[6], range;
	bool found = false;
	unsigned int nr;
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	nr = read_bars(bars, dev);
	file = nr ? file_stream("/proc/iomem") : NULL;
	while (!found && file && getline(&line, &size, file) > 0)
		found = sscanf(line, " %llx-%llx : %127s", &range.start, &range.end, owner) == 3 &&
			is_boot_framebuffer(owner) && inside(&range, bars, nr);
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* Is a virtual console of that kind, "frame buffer" or "VGA+", on a screen? */
static bool console_on(const char *kind)
{
	struct names consoles;
	bool found = false;
	char name[NAME_LEN];
	uint64_t bound;
	size_t i;

	if (dir_names(&consoles, "/sys/class/vtconsole"))
		return false;
	for (i = 0; i < consoles.nr; i++)
		found |= !file_text(name, sizeof(name), "/sys/class/vtconsole/%s/name",
				    consoles.v[i]) &&
			 strstr(name, kind) &&
			 !file_number(&bound, "/sys/class/vtconsole/%s/bind", consoles.v[i]) &&
			 bound;
	names_free(&consoles);
	return found;
}

void console_usage(struct reasons *list, const struct device *dev)
{
	struct names screens;
	char owner[NAME_LEN];
	uint64_t boot;

	class_members(&screens, "graphics", dev);
	if (screens.nr && console_on("frame buffer"))
		reason_add(list, "console", "the console is on its framebuffer, %s", screens.v[0]);
	else if (boot_framebuffer(owner, dev) && console_on("frame buffer"))
		reason_add(list, "console",
			   "the console is on the framebuffer that %s has in its memory", owner);
	else if (!file_number(&boot, PCI_DEVICES "/%s/boot_vga", dev->bdf) && boot &&
		 console_on("VGA+"))
		reason_add(list, "console", "the text console is on it");
	names_free(&screens);
}
