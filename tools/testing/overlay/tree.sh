# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# The distribution's kernel source with this tree in it; sourced from the top. The
# caller sets work and log before it calls anything of here.

# shellcheck source=scripts/kernel-env
. scripts/kernel-env || return
# shellcheck source=scripts/tap.sh
. scripts/tap.sh
# shellcheck source=tools/testing/lab/kernel.sh
. tools/testing/lab/kernel.sh
# shellcheck source=tools/testing/overlay/steps.sh
. tools/testing/overlay/steps.sh
unset MAKEFLAGS MFLAGS MAKELEVEL MODDIR

pci=drivers/vfio/pci
vendors=$(cd "$SRC/$pci" && printf '%s\n' */Kconfig | xargs dirname)
base=("$PWD"/tools/testing/lab/small.config "$PWD"/tools/testing/overlay/vfio.config)
kernel_name="kernel with this tree in it"

# tree_fresh NAME: in a folder of the cache, which nobody else uses from here on;
# objects stay there. Hard links: the overlay replaces files, and writes into none.
tree_fresh() {
	root=$VFIO_CACHE/$1-$(make -s -C "$SRC" kernelversion)
	kernel_source=$root/source
	mkdir -p "$work" "$root"
	exec 8>"$root/lock"
	flock 8
	rm -rf "$kernel_source"
	cp -al "$SRC" "$kernel_source" && scripts/overlay "$kernel_source"
}

tree_are_off() {
	local symbol

	for symbol; do
		! grep "^CONFIG_$symbol=" "$kernel_root/build/.config" || return
	done
}

# tree_without "SYMBOL..." TARGET...: build these, with options turned off, those
# that have no prompt where they are declared.
tree_without() {
	local config=$kernel_source/$pci/Kconfig off=$work/off.config symbol ret

	cp "$config" "$work/Kconfig"
	: >"$off"
	for symbol in $1; do
		if sed -n "/^config $symbol\$/,/^\$/p" "$config" | grep def_bool; then
			sed -i "/^config $symbol\$/,/^\$/s/def_bool .*/def_bool n/" "$config"
		else
			echo "# CONFIG_$symbol is not set" >>"$off"
		fi
	done
	kernel_fragments=("${base[@]}" "$off")
	# shellcheck disable=SC2086
	kernel_configure && tree_are_off $1 && kernel_make -j"$(nproc)" "${@:2}"
	ret=$?
	cp "$work/Kconfig" "$config"
	return $ret
}
