# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of vfioctl for bash.

_vfioctl_devices() {
	local path

	for path in "${VFIOCTL_SYSROOT:-}"/sys/bus/pci/devices/*; do
		[ ! -e "$path" ] || echo "${path##*/}"
	done
}

# Modules that declare themselves for VFIO are called so, one and all.
_vfioctl_drivers() {
	local path

	for path in "${VFIOCTL_SYSROOT:-}"/sys/bus/pci/drivers/*vfio*; do
		[ ! -e "$path" ] || echo "${path##*/}"
	done
}

_vfioctl_options() {
	case $1 in
	list) echo --tree ;;
	bind) echo --driver --group --dry-run --force ;;
	unbind) echo --group --dry-run --force ;;
	vf) echo --bind --driver --dry-run --force ;;
	persist) echo --driver --remove --dry-run --force ;;
	esac
	echo --json --sysroot --help --version
}

# The first word that is neither an option nor the value of one.
_vfioctl_command() {
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--sysroot | --driver) i=$((i + 1)) ;;
		-*) ;;
		*) echo "${COMP_WORDS[i]}"; return ;;
		esac
	done
}

# A colon ends a word for bash: what is before it must not be repeated.
_vfioctl_trim_colons() {
	local before i

	[[ $1 == *:* && $COMP_WORDBREAKS == *:* ]] || return 0
	before=${1%"${1##*:}"}
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$before"}
	done
}

_vfioctl() {
	local current previous command words

	current=${COMP_LINE:0:COMP_POINT}
	current=${current##*[[:space:]]}
	previous=${COMP_WORDS[COMP_CWORD - 1]}
	command=$(_vfioctl_command)
	case $previous:$current in
	--driver:*) words=$(_vfioctl_drivers) ;;
	--sysroot:*) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
	*:-*) words=$(_vfioctl_options "$command") ;;
	*) words=$(_vfioctl_devices) ;;
	esac
	[ -n "$command" ] || [[ $current == -* ]] ||
		words="list match bind unbind doctor vf persist"
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	_vfioctl_trim_colons "$current"
}

complete -F _vfioctl vfioctl
