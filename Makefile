# SPDX-License-Identifier: GPL-2.0-only
#
# For people; Kbuild holds the objects and flags.

# Recursive on purpose: asked for only by the targets that build.
KDIR ?= $(shell scripts/kdir)
INSTALL_MOD_PATH ?=
MODULES ?= ours

# As many jobs as there are processors, unless -j says otherwise.
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
kbuild = $(MAKE) $(jobs) -C $(KDIR) M=$(CURDIR)
# A distribution keeps its key: say so, rather than fail to read it.
unsigned = $(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)
# The lab and the checks build for the kernel that the lab boots.
lab-kdir = $(shell . scripts/kernel-env && echo "$$KDIR")
unit = $(MAKE) $(jobs) -C tools/testing/unit
vfioctl = $(MAKE) $(jobs) -C tools/vfioctl

.DEFAULT_GOAL := modules

##@ Build

modules: setup-build ## build the modules (KDIR=<kernel build dir>; CONFIG_SAMPLE_VFIO_PCI_EDU=m: the sample as well)
	$(kbuild) modules

modules_install: modules ## install into lib/modules/<release>/updates, run depmod (INSTALL_MOD_PATH=<root>)
	$(kbuild) INSTALL_MOD_PATH="$(INSTALL_MOD_PATH)" INSTALL_MOD_DIR=updates $(unsigned) modules_install
	PATH=$$PATH:/usr/sbin:/sbin depmod -b "$(or $(INSTALL_MOD_PATH),/)" "$$(cat $(KDIR)/include/config/kernel.release)"

vfioctl: setup-vfioctl ## build the program that binds, inspects and explains (tools/vfioctl)
	$(vfioctl)

vfioctl_install: vfioctl ## install it (prefix=/usr/local, DESTDIR=<root>)
	$(vfioctl) install

deb: setup-deb ## build the Debian packages, into build/deb
	scripts/build-deb

clean: ## remove everything a build leaves
	@if [ -d "$(KDIR)" ]; then $(kbuild) --no-print-directory clean; fi
	@$(unit) -s clean
	@$(vfioctl) -s clean
	@$(MAKE) -s -C tools/testing/selftests clean
	rm -rf build

##@ Try

demo: setup-lab lab-modules ## boot the lab, hand two devices to real programs, show what happens
	tools/testing/lab/demo

demo-migration: setup-lab lab-modules ## the same: a machine inside the lab's migrates, with a network card's virtual function
	tools/testing/lab/demo migration

lab: setup-lab lab-modules ## a shell in the lab's machine (MODULES=stock: with the distribution's modules)
	MODULES=$(MODULES) tools/testing/lab/shell

##@ Check

check: setup-check ## set up, build, run the checks below (STEPS="all debug long": these as well); the last line is the count
	scripts/check $(STEPS)

check-style: setup-check ## checkpatch --strict, but for what scripts/check-style lists
	scripts/check-style

check-shell: setup-check ## shellcheck on the shell scripts
	scripts/check-shell

check-docs: setup-check ## the documentation holds; it is in build/docs then, as HTML
	scripts/check-docs

check-size: ## limits on functions, files, parameters and nesting
	scripts/check-size

check-sparse: setup-check ## sparse with endian checks and W=1: no warning at all
	scripts/check-sparse

check-modules: lab-modules ## the modules build for the lab's kernel

check-layers: lab-modules ## no file of core/ calls upwards
	scripts/check-layers

check-object: lab-modules ## what only the compiled modules show: speculation bounded, flags apart
	scripts/check-object

check-install: lab-modules ## modules_install takes precedence over the distribution's modules
	scripts/check-install

check-vendor: lab-modules ## the kernel's own vendor drivers build and link against this library
	scripts/check-vendor

check-s390: setup-s390 ## the modules build for s390x
	scripts/check-s390

check-deb: setup-deb ## the Debian packages, installed, upgraded and removed in a root of their own
	scripts/check-deb

check-unit: setup-check ## the logic that needs no kernel, in user space
	$(unit) check

check-vfioctl: setup-check ## vfioctl on a machine made of files, its manual and completion
	$(vfioctl) check

check-guest: lab-modules vfioctl ## programs inside the lab's machine
	scripts/check-guest

check-parity: lab-modules ## observe devices with the distribution's modules and ours, compare (OPERATIONS=100000: a long random sequence)
	scripts/check-parity $(OPERATIONS)

check-debug: setup-check ## check-guest on a kernel that watches itself, which is built first (KASAN, lockdep, ...)
	scripts/check-debug

check-overlay: setup-check ## scripts/overlay into the distribution's kernel source: refusals, configurations, objects
	scripts/check-overlay

check-intree: setup-check ## the distribution's kernel with this tree in it, built in many ways, and booted
	scripts/check-intree

check-override: setup-override ## scripts/overlay gives override_only to a kernel that lacks it, and the lab boots that
	scripts/check-override

bench: lab-modules ## what operations cost with the distribution's modules and with ours, a table
	scripts/bench

check-long: lab-modules setup-check ## what takes long: check-parity OPERATIONS=100000, races for minutes, fuzzing
	scripts/check-long

##@ Other

setup: ## install what all of the above needs (Debian 12 and 13)
	scripts/setup build lab check

help: ## this list
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } \
		/^[a-z0-9_-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup-build setup-lab setup-check setup-vfioctl setup-s390 setup-deb setup-override:
	@scripts/setup $(@:setup-%=%)

# A sub-make, because the lab's kernel is known only after setup.
lab-modules: setup-lab
	$(MAKE) --no-print-directory modules KDIR=$(lab-kdir) CONFIG_SAMPLE_VFIO_PCI_EDU=m

# No target here is a file.
.PHONY: $(shell sed -n 's/^\([a-z][a-z0-9_ -]*\):\([^=].*\)\?$$/\1/p' $(firstword $(MAKEFILE_LIST)))
