# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# What became of a run; sourced by lab/run.

# What the kernel prints when something is wrong with it.
verdict_faults='WARNING:|BUG:|Oops|Call Trace:|KASAN:|KCSAN:|KFENCE:|UBSAN:'
verdict_faults+='|INFO: (possible|inconsistent|task |rcu_|suspicious)'
verdict_faults+='|possible (circular|recursive) locking|suspicious RCU usage'
verdict_faults+='|unreferenced object|kmemleak: [0-9]+ new suspected'
verdict_faults+='|general protection fault|unable to handle|Kernel panic'
verdict_faults+='|refcount_t:|list_(add|del) corruption|ODEBUG:'
verdict_faults+='|rcu: .*(stall|detected)|soft lockup|hard LOCKUP'

verdict_fault() {
	[ -f "$dir/console" ] || return 1
	grep -qE "$verdict_faults" "$dir/console" || return 1
	echo "lab: the guest's kernel reports a fault:"
	grep -m 1 -E "$verdict_faults" "$dir/console"
	echo "lab: around it:"
	grep -m 3 -n -B 3 -A 40 -E "$verdict_faults" "$dir/console" |
		head -n 150
}

verdict_tail() {
	echo "lab: $1; the end of the guest's console:"
	tail -n 30 "$dir/console" || true
	sed 's/^/qemu: /' "$dir/qemu.err"
}

verdict_exit() {
	local status

	if verdict_fault >&2; then
		exit 90
	elif [ "$machine_status" = 124 ]; then
		verdict_tail "timeout after $opt_timeout s" >&2
		exit 124
	elif [ "$machine_status" != 0 ]; then
		sed 's/^/qemu: /' "$dir/qemu.err" >&2
		die "QEMU failed with status $machine_status"
	fi
	status=$(sed -n 's/^exit //p' "$dir/status")
	if [ -z "$status" ]; then
		verdict_tail "the guest ended without a status" >&2
		exit 91
	fi
	exit "$status"
}
