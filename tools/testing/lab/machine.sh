# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The virtual machine of lab/run; sourced by it.

machine_pid=
machine_status=0
machine_preload=

# A processor without vmx or svm may still show a /dev/kvm that does not work.
machine_has_kvm() {
	grep -qwE 'vmx|svm' /proc/cpuinfo && : 2>/dev/null <>/dev/kvm
}

machine_accel() {
	if machine_has_kvm; then
		echo -M q35,kernel-irqchip=split -accel kvm -cpu host
	else
		# With a thread per processor even the distribution's modules
		# lose an interrupt now and then.
		echo -M q35,kernel-irqchip=off -accel tcg,thread=single -cpu max
	fi
}

# x-speed: above 5 GT/s the kernel waits after a reset for the link to report
# that it is up, which QEMU's ports do not, and takes the device for lost.
machine_ports() {
	local chassis=1 name port

	while read -r name port _; do
		[ "$port" != - ] || continue
		echo -device "pcie-root-port,id=port-$name,bus=pcie.0,addr=$port.0,chassis=$chassis,slot=$chassis,x-speed=5"
		chassis=$((chassis + 1))
	done < <(slots)
}

machine_devices() {
	local name

	for name in ${opt_devices//,/ }; do
		sed "s,#.*,,; s,@DIR@,$dir," "$lab/devices/$name"
	done
}

# Models of devices that QEMU has not: to be loaded into it, and only it.
machine_models() {
	local name models=() files

	for name in ${opt_devices//,/ }; do
		mapfile -t -O ${#models[@]} models < <(device_models "$name")
	done
	[ ${#models[@]} -gt 0 ] || return 0
	files=$("$lab/models/build" $(printf '%s\n' "${models[@]}" | sort -u)) ||
		die "a device's model cannot be built"
	echo "LD_PRELOAD=${files//$'\n'/:}"
}

# output: what the program prints. status: how it ended. monitor: QEMU's own
# monitor, offered to the program (unplugging devices, injecting AER errors).
machine_channels() {
	echo -device virtio-serial-pci,bus=pcie.0,addr=02.0
	echo -chardev "file,id=output,path=$dir/output"
	echo -device virtserialport,chardev=output,name=lab.output
	echo -chardev "file,id=status,path=$dir/status"
	echo -device virtserialport,chardev=status,name=lab.status
	echo -chardev "socket,id=monitor,path=$dir/monitor,server=on,wait=off"
	echo -mon chardev=monitor,mode=readline
	echo -chardev "socket,id=monitor-port,path=$dir/monitor"
	echo -device virtserialport,chardev=monitor-port,name=lab.monitor
}

machine_console() {
	if [ -n "$opt_interactive" ]; then
		echo -chardev "stdio,id=console,signal=off,logfile=$dir/console"
	else
		echo -chardev "file,id=console,path=$dir/console"
	fi
	echo -serial chardev:console
}

# no_timer_check: on a busy host the timer comes too late for the kernel's test
# at boot, which then panics.
machine_append() {
	local level=7

	[ -z "$opt_interactive" ] || level=4
	# A busy host stalls the guest; that is no fault of its kernel.
	echo console=ttyS0 panic=-1 oops=panic loglevel=$level \
		printk.devkmsg=on intel_iommu=on mitigations=off \
		tsc=reliable no_timer_check watchdog_thresh=60 \
		rcupdate.rcu_cpu_stall_timeout=120 \
		random.trust_cpu=1 "$KERNEL_APPEND" "$opt_append"
}

machine_prepare() {
	machine_preload=$(machine_models)
	truncate -s 64M "$dir/nvme.img"
	mkfifo "$dir/output"
}

machine_args() {
	echo -nodefaults -display none -no-reboot -nic none
	echo -smp "$opt_cpus" -m "$opt_memory"
	machine_accel
	echo -device intel-iommu,intremap=on,aw-bits=48
	machine_ports
	machine_devices
	machine_channels
	machine_console
	echo "$opt_qemu"
}

# setpriv: whoever kills this script kills the machine with it, even by SIGKILL.
machine_start() {
	local -a args

	read -ra args -d '' < <(machine_args) || true
	exec setpriv --pdeathsig TERM \
		timeout --foreground -k 5 "$opt_timeout" \
		setpriv --pdeathsig KILL \
		env ${machine_preload:+"$machine_preload"} qemu-system-x86_64 "${args[@]}" -kernel "$VMLINUZ" \
		-initrd "$dir/initrd" -append "$(machine_append)" \
		2>"$dir/qemu.err"
}

machine_run() {
	local reader

	machine_prepare
	setpriv --pdeathsig TERM cat "$dir/output" &
	reader=$!
	if [ -n "$opt_interactive" ]; then
		machine_start <&0 &
	else
		machine_start </dev/null &
	fi
	machine_pid=$!
	wait "$machine_pid" || machine_status=$?
	machine_pid=
	machine_drain "$reader"
}

# A machine that never opened the pipe would leave its reader waiting.
machine_drain() {
	: 3<>"$dir/output"
	wait "$1"
}

machine_kill() {
	[ -n "$machine_pid" ] || return 0
	kill "$machine_pid" 2>/dev/null || true
	wait "$machine_pid" 2>/dev/null || true
}
