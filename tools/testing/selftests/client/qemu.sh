# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the scripts that boot the lab; sourced by them.

# Options of lab/run that bring programs of QEMU and the firmware it loads.
qemu_options() {
	local name

	for name; do
		echo "--file=$(command -v "$name"):/bin/$name"
	done
	for name in seabios/bios-256k.bin qemu/{kvmvapic,linuxboot_dma}.bin; do
		echo "--file=/usr/share/$name"
	done
}
