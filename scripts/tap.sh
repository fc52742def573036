# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# TAP from a script; sourced. The caller sets log, the file that a step writes to.

tap_number=0
tap_failures=0

tap_plan() {
	echo "TAP version 13"
	echo "1..$1"
}

# tap_result STATUS NAME
tap_result() {
	tap_number=$((tap_number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_number - $2"
	else
		tail -n 40 "$log" | sed 's/^/# /'
		echo "not ok $tap_number - $2"
		tap_failures=$((tap_failures + 1))
	fi
}

# tap_step NAME COMMAND...: one result, of one command.
tap_step() {
	local name=$1

	shift
	"$@" >"$log" 2>&1
	tap_result $? "$name"
}
