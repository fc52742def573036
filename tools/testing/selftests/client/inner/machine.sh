# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# A machine inside the lab's machine; sourced by the programs that want one. Its
# kernel is the distribution's, its first process is the script init.

qemu=
answers=yes

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

bind_to_vfio() {
	echo vfio-pci >"/sys/bus/pci/devices/$1/driver_override"
	echo "$1" >/sys/bus/pci/drivers_probe
}

# wait_for FILE: which another process makes.
wait_for() {
	local tries=$((patience * 10))

	until [ -e "$1" ]; do
		[ $((tries -= 1)) -gt 0 ] || return
		sleep 0.1
	done
}

# machine_start DEVICE: with vfio-pci and the words that DEVICE holds.
machine_start() {
	rm -f /tmp/orders.in /tmp/orders.out
	mkfifo /tmp/orders.in /tmp/orders.out
	exec 3<>/tmp/orders.in 4<>/tmp/orders.out
	qemu-system-x86_64 -M q35 -accel $accelerator -cpu max -m 192 -nodefaults \
		-display none -kernel /lab/vmlinuz -initrd /lab/initrd \
		-append "console=ttyS0 quiet iomem=relaxed mitigations=off" \
		-serial file:/tmp/console -chardev pipe,id=orders,path=/tmp/orders \
		-serial chardev:orders -device "vfio-pci,addr=05.0,$1" \
		3>&- 4>&- 5>&- >/tmp/qemu 2>&1 &
	qemu=$!
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
	tail -n 10 /tmp/qemu
	tail -n 30 /tmp/console
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

machine_powers_off() {
	local tries=$((patience * 10))

	echo "poweroff -f" >&3
	while kill -0 $qemu 2>/dev/null && [ $((tries -= 1)) -gt 0 ]; do
		sleep 0.1
	done
	cat /tmp/qemu
	[ $tries -gt 0 ] && wait $qemu
}
