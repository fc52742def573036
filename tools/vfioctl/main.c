// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl: give PCI devices to VFIO drivers, and explain what is in the way.
 * This file is the command line; each command is a row here and a file cmd_*.c.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

/* What getopt answers for a long option, and its bit in a command's @options. */
enum {
	OPT_HELP = 1,
	OPT_VERSION,
	OPT_SYSROOT,
	OPT_JSON,
	OPT_TREE,
	OPT_DRY_RUN,
	OPT_GROUP,
	OPT_FORCE,
	OPT_DRIVER,
	OPT_BIND,
	OPT_REMOVE,
};

#define BIT(option)	(1u << (option))
#define COMMON		(BIT(OPT_HELP) | BIT(OPT_VERSION) | BIT(OPT_SYSROOT) | BIT(OPT_JSON))
#define CHANGES		(BIT(OPT_DRY_RUN) | BIT(OPT_FORCE))

static const struct option long_options[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "sysroot", required_argument, NULL, OPT_SYSROOT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "tree", no_argument, NULL, OPT_TREE },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "group", no_argument, NULL, OPT_GROUP },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "driver", required_argument, NULL, OPT_DRIVER },
	{ "bind", no_argument, NULL, OPT_BIND },
	{ "remove", no_argument, NULL, OPT_REMOVE },
	{}
};

/**
 * struct command - a row of the table
 * @words:	what follows its name, for people
 * @help:	what it does
 * @least:	how many words it needs
 * @most:	how many it takes
 * @options:	bits of the options it knows besides the common ones
 */
struct command {
	const char *name;
	const char *words;
	const char *help;
	unsigned int least;
	unsigned int most;
	unsigned int options;
	int (*run)(const struct options *options);
};

static const struct command commands[] = {
	{
		.name = "list",
		.words = "[--tree] [BDF...]",
		.help = "devices, drivers, groups, candidates, who uses them",
		.most = UINT_MAX,
		.options = BIT(OPT_TREE),
		.run = cmd_list,
	}, {
		.name = "match",
		.words = "BDF",
		.help = "the modules that could drive it, and which one wins",
		.least = 1,
		.most = 1,
		.run = cmd_match,
	}, {
		.name = "bind",
		.words = "[--driver NAME] [--group] [--dry-run] [--force] BDF...",
		.help = "to the VFIO driver that fits best, all of them or none",
		.least = 1,
		.most = UINT_MAX,
		.options = CHANGES | BIT(OPT_DRIVER) | BIT(OPT_GROUP),
		.run = cmd_bind,
	}, {
		.name = "unbind",
		.words = "[--group] [--dry-run] [--force] BDF...",
		.help = "back to the driver it had",
		.least = 1,
		.most = UINT_MAX,
		.options = CHANGES | BIT(OPT_GROUP),
		.run = cmd_unbind,
	}, {
		.name = "doctor",
		.words = "BDF",
		.help = "what is in the way of binding and opening it, and the remedy",
		.least = 1,
		.most = 1,
		.run = cmd_doctor,
	}, {
		.name = "vf",
		.words = "[--bind [--driver NAME]] [--dry-run] [--force] PF NUMBER",
		.help = "enable so many virtual functions, 0 for none",
		.least = 2,
		.most = 2,
		.options = CHANGES | BIT(OPT_BIND) | BIT(OPT_DRIVER),
		.run = cmd_vf,
	}, {
		.name = "persist",
		.words = "[--driver NAME] [--remove] [--dry-run] [--force] [BDF | VENDOR:DEVICE]",
		.help = "keep it for VFIO from boot on, or no longer, or show what is kept",
		.most = 1,
		.options = CHANGES | BIT(OPT_DRIVER) | BIT(OPT_REMOVE),
		.run = cmd_persist,
	},
};

static void print_usage(FILE *file)
{
	size_t i;

	fputs("usage: vfioctl [--json] [--sysroot DIR] COMMAND ...\n\n", file);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(file, "  %s %s\n          %s\n", commands[i].name, commands[i].words,
			commands[i].help);
	fputs("\nvfioctl(8) explains them.\n", file);
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/* Bits of all options seen, or 0 after a message. */
static unsigned int parse_options(struct options *options, int argc, char **argv)
{
	unsigned int seen = BIT(0);
	int opt;

	/* 0 and not 1: start anew even if called before. */
	optind = 0;
	while ((opt = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (opt == '?')
			return 0;
		opt = opt == 'h' ? OPT_HELP : opt;
		seen |= BIT(opt);
		if (opt == OPT_DRIVER)
			options->driver = optarg;
		if (opt == OPT_SYSROOT && root_set(optarg)) {
			complain("--sysroot %s: %s", optarg, strerror(errno));
			return 0;
		}
	}
	options->json = seen & BIT(OPT_JSON);
	options->tree = seen & BIT(OPT_TREE);
	options->dry_run = seen & BIT(OPT_DRY_RUN);
	options->group = seen & BIT(OPT_GROUP);
	options->force = seen & BIT(OPT_FORCE);
	options->bind = seen & BIT(OPT_BIND);
	options->remove = seen & BIT(OPT_REMOVE);
	return seen;
}

static bool command_takes(const struct command *command, const struct options *options,
			  unsigned int seen)
{
	unsigned int strange = seen & ~(command->options | COMMON | BIT(0));
	const struct option *option;

	for (option = long_options; option->name; option++) {
		if (strange & BIT(option->val)) {
			complain("%s takes no --%s", command->name, option->name);
			return false;
		}
	}
	if (options->nr_words < command->least || options->nr_words > command->most) {
		complain("usage: vfioctl %s %s", command->name, command->words);
		return false;
	}
	return true;
}

static int run_command(const struct command *command, const struct options *options)
{
	int ret = modules_open();

	if (ret)
		complain("no index of the running kernel's modules: %s", strerror(-ret));
	names_open();
	ret = command->run(options);
	names_close();
	modules_close();
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write the output");
		return EXIT_FAILED;
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = {};
	const struct command *command;
	unsigned int seen;

	/* A reader that leaves early must not end a change halfway. */
	signal(SIGPIPE, SIG_IGN);
	root_set(NULL);
	seen = parse_options(&options, argc, argv);
	if (!seen)
		return EXIT_USAGE;
	if (seen & BIT(OPT_HELP)) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (seen & BIT(OPT_VERSION)) {
		puts("vfioctl " VFIOCTL_VERSION);
		return EXIT_DONE;
	}
	command = optind < argc ? find_command(argv[optind]) : NULL;
	if (!command) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	options.words = argv + optind + 1;
	options.nr_words = argc - optind - 1;
	if (!command_takes(command, &options, seen))
		return EXIT_USAGE;
	return run_command(command, &options);
}
