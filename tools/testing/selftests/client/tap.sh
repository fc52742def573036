# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# TAP for the programs that the guest runs; sourced by them. $suite goes before
# the name of each test.

number=0
failed=0

note() {
	sed 's/^/# /'
}

# check NAME TITLE [COMMAND...]: one test, which passes when the command succeeds;
# by default it is the function NAME.
check() {
	local name=$1

	number=$((number + 1))
	echo "# $2"
	shift 2
	if "${@:-$name}" >/tmp/output 2>&1; then
		echo "ok $number - $suite: $name"
	else
		note </tmp/output
		echo "not ok $number - $suite: $name"
		failed=1
	fi
}

modules_are_the_ones_meant() {
	grep -E '^vfio_pci|^irqbypass' /proc/modules
	if [ "$LAB_MODULES" = ours ]; then
		grep -q O /sys/module/vfio_pci_core/taint
	else
		! grep -q O /sys/module/vfio_pci_core/taint
	fi
}

# bound_to_vfio ADDRESS...
bound_to_vfio() {
	local address device

	for address; do
		device=/sys/bus/pci/devices/$address
		[ "$(cat "$device/driver_override")" = vfio-pci ] || return
		[ "$(basename "$(readlink "$device/driver")")" = vfio-pci ] ||
			return
	done
}
