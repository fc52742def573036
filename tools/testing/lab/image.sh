# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The initramfs of lab/run; sourced by it. It is several cpio archives in a
# row, where a later one overrides an earlier: what all runs share is cached.

# Modules that the guest has at hand, with what they depend on.
image_modules=(vfio vfio_iommu_type1 vfio-pci pci-stub e1000e igb igbvf nvme mlx5_core qemu_fw_cfg
	kvm-amd kvm-intel)
image_folders=(bin dev etc lab lib proc root run sys tmp)

image_pack() {
	(cd "$1" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0)
}

image_key() {
	{
		cat "$lab/image.sh" "$lab/init"
		stat -c '%n %s %Y' /bin/busybox "$VMLINUZ" "$MODDIR"
	} | sha256sum | cut -c 1-16
}

# image_cached NAME FUNCTION: print the archive that FUNCTION fills a folder for.
image_cached() {
	local cache=$VFIO_CACHE/lab archive stage

	archive=$cache/$1-$(image_key).cpio
	if [ ! -f "$archive" ]; then
		mkdir -p "$cache"
		stage=$(mktemp -d "$dir/stage.XXXXXX")
		"$2" "$stage"
		image_pack "$stage" >"$archive.$$"
		mv "$archive.$$" "$archive"
		rm -rf "$stage"
		find "$cache" -name '*.cpio*' -mtime +7 -delete
	fi
	cat "$archive"
}

image_base() {
	local applet

	mkdir -p "${image_folders[@]/#/$1/}"
	cp /bin/busybox "$1/bin/"
	for applet in $(/bin/busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
	done
	install -m 755 "$lab/init" "$1/init"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	echo 'root:x:0:' >"$1/etc/group"
}

module_file() {
	find "$MODDIR/kernel" -name "$1.ko*" -o -name "${1//_/-}.ko*" | head -n 1
}

# The files of a module and of all it depends on, in no particular order.
module_closure() {
	local file name

	file=$(module_file "$1")
	[ -n "$file" ] || return 0
	echo "$file"
	for name in $(modinfo -F depends "$file" | tr , ' '); do
		module_closure "$name"
	done
}

module_install() {
	local target=$2/${1##*/}

	mkdir -p "$2"
	case $1 in
	*.xz) xz -dc "$1" >"${target%.xz}" ;;
	*.zst) zstd -qdc "$1" >"${target%.zst}" ;;
	*) cp "$1" "$target" ;;
	esac
}

image_stock_modules() {
	local root=$1/lib/modules/$KVER name file

	mkdir -p "$root"
	cp "$MODDIR"/modules.{builtin,builtin.modinfo,order} "$root/"
	for name in "${image_modules[@]}"; do
		module_closure "$name"
	done | sort -u | while read -r file; do
		module_install "$file" "$root/$(dirname "${file#"$MODDIR"/}")"
	done
	depmod -b "$1" "$KVER"
}

image_our_modules() {
	local -a files

	mapfile -t files < <(find "$opt_ours" -name '*.ko')
	[ ${#files[@]} -gt 0 ] || die "no module in $opt_ours; run make modules"
	printf '%s\n' "${files[@]}"
}

# Files of the modules that --module asks for: one of lab/modules by its name.
image_extra_modules() {
	local name ours=-

	[ "$opt_modules" != ours ] || ours=$opt_ours
	for name in "${opt_extra[@]}"; do
		case $name in
		*/* | *.ko) echo "$name" ;;
		*) "$lab/modules/build" "$ours" "$name" ;;
		esac
	done
}

# What goes to updates/, the way make modules_install does it on a real host:
# depmod must then prefer it over the distribution's.
image_updates() {
	local root=$1/lib/modules/$KVER file

	[ "$opt_modules" = ours ] || [ ${#opt_extra[@]} -gt 0 ] || return 0
	image_cached modules image_stock_modules | (cd "$1" && cpio --quiet -id)
	[ "$opt_modules" != ours ] || image_our_modules >"$dir/updates"
	image_extra_modules >>"$dir/updates"
	while read -r file; do
		[ -z "$file" ] || module_install "$file" "$root/updates"
	done <"$dir/updates"
	depmod -b "$1" "$KVER"
}

# A script or a static program has none, which ldd calls a failure.
image_libraries() {
	ldd "$1" 2>/dev/null | grep -oE '/[^ ]+' | sort -u || true
}

# image_copy HOST GUEST STAGE: one file or folder, with libraries if it is a
# program that needs any.
image_copy() {
	local library

	mkdir -p "$(dirname "$3/$2")"
	cp -rL "$1" "$3/$2"
	[ -f "$1" ] || return 0
	image_libraries "$1" | while read -r library; do
		mkdir -p "$3${library%/*}"
		cp -L "$library" "$3$library"
	done
}

quote() {
	local word

	for word; do
		printf "'%s' " "${word//\'/\'\\\'\'}"
	done
}

image_program() {
	local guest

	if [[ ${program[0]} == */* && ${program[0]} != /* || -f ${program[0]} ]]; then
		[ -f "${program[0]}" ] || die "no program ${program[0]}"
		guest=/lab/${program[0]##*/}
		image_copy "${program[0]}" "$guest" "$1"
		program[0]=$guest
	fi
	quote "${program[@]}" >"$1/lab/program"
}

image_files() {
	local item

	for item in "${opt_files[@]}"; do
		[ -e "${item%%:*}" ] || die "no file ${item%%:*}"
		image_copy "${item%%:*}" "${item#*:}" "$1"
	done
}

image_settings() {
	{
		echo "modules=$opt_modules"
		echo "bind=$(quote "$opt_bind")"
		echo "interactive=$opt_interactive"
	} >"$1/lab/settings"
	for item in "${opt_env[@]}"; do
		echo "export ${item%%=*}=$(quote "${item#*=}")"
	done >"$1/lab/environment"
	slots | grep -wE "^(${opt_devices//,/|})" >"$1/lab/slots" || true
}

image_run() {
	mkdir -p "$1/lab"
	image_updates "$1"
	image_program "$1"
	image_files "$1"
	image_settings "$1"
}

image_build() {
	local stage=$dir/stage

	mkdir "$stage"
	{
		image_cached base image_base
		[ "$opt_modules" = none ] ||
			image_cached modules image_stock_modules
		image_run "$stage" >&2
		image_pack "$stage"
	} >"$1"
	rm -rf "$stage"
}
