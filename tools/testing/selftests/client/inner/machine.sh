# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# A machine inside the lab's machine; sourced by the programs that want one. Its
# kernel is the distribution's, its first process is the script init.

qemu=
answers=yes
memory=192
kernel_append=

# QEMU's emulated processors have SVM: KVM on them is six times faster than
# emulation inside emulation.
choose_accelerator() {
	patience=60
	accelerator=kvm
	if [ "${INNER_ACCELERATOR:-kvm}" != kvm ] ||
		! { modprobe kvm_amd || modprobe kvm_intel; } 2>/dev/null; then
		accelerator=tcg
		patience=300
	fi
	patience=$((patience * ${TEST_TIMEOUT_SCALE:-1}))
	echo "# the inner machine is run by $accelerator"
}

# bind_to_vfio ADDRESS [DRIVER]
bind_to_vfio() {
	echo "${2:-vfio-pci}" >"/sys/bus/pci/devices/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
}

# virtual_function PF NUMBER: its address.
virtual_function() {
	basename "$(readlink "/sys/bus/pci/devices/$1/virtfn$2")"
}

# wait_for FILE: which another process makes.
wait_for() {
	local tries=$((patience * 10))

	until [ -e "$1" ]; do
		[ $((tries -= 1)) -gt 0 ] || return
		sleep 0.1
	done
}

# machine_select NAME: orders go to this one from now on.
machine_select() {
	machine=$1
	exec 3<>"/tmp/$1.in" 4<>"/tmp/$1.out"
}

# machine_start NAME DEVICE [OPTION]...: with vfio-pci and the words that DEVICE
# holds, and QEMU's monitor at /tmp/NAME.monitor.
machine_start() {
	local name=$1 device=$2

	shift 2
	rm -f "/tmp/$name".*
	mkfifo "/tmp/$name.in" "/tmp/$name.out" "/tmp/$name.monitor.in" "/tmp/$name.monitor.out"
	qemu-system-x86_64 -M q35 -accel $accelerator -cpu max -m $memory -nodefaults \
		-display none -kernel /lab/vmlinuz -initrd /lab/initrd \
		-append "console=ttyS0 quiet iomem=relaxed mitigations=off $kernel_append" \
		-serial "file:/tmp/$name.console" -chardev "pipe,id=orders,path=/tmp/$name" \
		-serial chardev:orders -chardev "pipe,id=monitor,path=/tmp/$name.monitor" \
		-mon chardev=monitor,mode=control -device "vfio-pci,addr=05.0,$device" "$@" \
		3>&- 4>&- 5>&- >"/tmp/$name.qemu" 2>&1 &
	qemu=$!
	machine_select "$name"
}

# What the inner machine prints, up to the status of the step that it does.
machine_answer() {
	local line

	while read -r -t $patience line <&4; do
		case $line in
		"done "*) return "${line#done }" ;;
		*) echo "$line" ;;
		esac
	done
	answers=
	echo "no answer for $patience s; QEMU says, and the inner console:"
	tail -n 10 "/tmp/$machine.qemu"
	tail -n 30 "/tmp/$machine.console"
	return 1
}

# inner STEP [ARGUMENT]...: a function of init.
inner() {
	if [ -z "$answers" ]; then
		echo "the inner machine answers no more"
		return 1
	fi
	echo "$*" >&3
	machine_answer
}

# The registers and bits in $receiver show whether the card still works.
machine_restarts() {
	inner card_runs "$receiver" && inner restart_in_traffic
}

# machine_ends NAME PROCESS: its QEMU, with success.
machine_ends() {
	local tries=$((patience * 10))

	while kill -0 "$2" 2>/dev/null && [ $((tries -= 1)) -gt 0 ]; do
		sleep 0.1
	done
	cat "/tmp/$1.qemu"
	[ $tries -gt 0 ] && wait "$2"
}

machine_powers_off() {
	echo "poweroff -f" >&3
	machine_ends "$machine" $qemu
}
