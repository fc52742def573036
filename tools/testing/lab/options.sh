# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Options of lab/run; sourced by it.

opt_modules=ours
opt_timeout=300
opt_devices=
opt_bind=
opt_kernel=${LAB_KERNEL:-}
opt_ours=${LAB_OURS:-$top/drivers/vfio/pci}
opt_memory=1536
opt_cpus=2
opt_append=
opt_qemu=
opt_keep=
opt_interactive=
opt_files=()
opt_extra=()
opt_env=()
program=()

usage() {
	cat <<'END'
usage: run [OPTION]... -- PROGRAM [ARG]...

Boots the lab's machine, runs PROGRAM in it and exits with its status.
A PROGRAM given as a path is copied from here with its libraries; a bare
name is looked up in the guest (busybox and what --file brought).

  --modules ours|stock|none  which vfio-pci modules to load (ours)
  --ours DIR         where our modules were built
  --module FILE.ko   another module to have in updates/ (not loaded), or the
                     name of one in lab/modules
  --devices A,B,...  device files of lab/devices to plug in (all that QEMU has)
  --bind A,B,...     devices to bind to vfio-pci before PROGRAM starts
  --file HOST[:GUEST]  copy a file or folder in; binaries bring libraries
  --env NAME=VALUE   environment of PROGRAM
  --append WORDS     more kernel command line, e.g. vfio_pci.nointxmask=1
  --qemu WORDS       more arguments for QEMU
  --kernel FILE      file to source instead of scripts/kernel-env
  --memory MIB       the guest's memory (1536)
  --cpus N           the guest's processors (2)
  --timeout SECONDS  end the machine after that long (300)
  --keep DIR         leave console, images and sockets in DIR
  --interactive      PROGRAM talks to this terminal

Exit status: that of PROGRAM; 90 the kernel's log shows a fault; 91 the
guest ended without a status; 92 QEMU did not run; 124 timeout.
END
}

die() {
	echo "lab: $*" >&2
	exit 92
}

# Options that take a value and simply store it, by name.
declare -A option_variable=(
	[--modules]=opt_modules [--ours]=opt_ours [--devices]=opt_devices
	[--bind]=opt_bind [--append]=opt_append [--kernel]=opt_kernel
	[--memory]=opt_memory [--cpus]=opt_cpus [--timeout]=opt_timeout
	[--keep]=opt_keep [--qemu]=opt_qemu
)
declare -A option_list=([--file]=opt_files [--module]=opt_extra [--env]=opt_env)

option_store() {
	if [ -n "${option_variable[$1]:-}" ]; then
		printf -v "${option_variable[$1]}" %s "$2"
	elif [ -n "${option_list[$1]:-}" ]; then
		local -n list=${option_list[$1]}
		list+=("$2")
	else
		die "unknown option $1; see run --help"
	fi
}

options_parse() {
	while [ $# -gt 0 ]; do
		case $1 in
		--) shift; break ;;
		-h | --help) usage; exit 0 ;;
		--interactive) opt_interactive=1; shift ;;
		--*=*) option_store "${1%%=*}" "${1#*=}"; shift ;;
		--*) option_store "$1" "${2:?$1 needs a value}"; shift 2 ;;
		*) break ;;
		esac
	done
	[ $# -gt 0 ] || die "which program? see run --help"
	program=("$@")
	options_check
}

options_check() {
	local name

	case $opt_modules in
	ours | stock | none) ;;
	*) die "--modules is ours, stock or none, not '$opt_modules'" ;;
	esac
	: "${opt_devices:=$(devices_of_qemu | paste -sd ,)}"
	for name in ${opt_devices//,/ } ${opt_bind//,/ }; do
		slots | grep "^$name " >/dev/null || die "no device '$name' in $lab/devices/SLOTS"
	done
}

# The rows of the slot table: name, root port slot, address in the guest.
slots() {
	sed 's/#.*//; s/[[:space:]]\+/ /g; s/ $//; /^$/d' "$lab/devices/SLOTS"
}

# The lab's own models of devices (lab/models) that a device file makes use of.
device_models() {
	sed -nE 's/^-device lab-([a-z0-9]+).*/\1/p' "$lab/devices/$1" | sort -u
}

# A model has to be compiled, against headers to be downloaded: only on request.
devices_of_qemu() {
	local name

	while read -r name _; do
		[ -n "$(device_models "$name")" ] || echo "$name"
	done < <(slots)
}
