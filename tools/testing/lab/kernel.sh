# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# Build a kernel for the lab; sourced. The caller sets:
#
#   kernel_name       what messages call it
#   kernel_source     its source tree, which stays clean
#   kernel_root       folder to build it in
#   kernel_fragments  files of configuration, on top of allnoconfig
#   kernel_settings   NAME VALUE... to add to what lab/run --kernel is told

kernel_say() { echo "$kernel_name: $*" >&2; }
kernel_make() { nice -n 10 make -s -C "$kernel_source" O="$kernel_root/build" "$@"; }

# What the fragments ask for; a later one may differ from an earlier.
kernel_wishes() {
	awk 'match($0, /^(# )?CONFIG_[A-Z0-9_]+/) {
		name = $0
		sub(/^# /, "", name)
		sub(/[ =].*/, "", name)
		wish[name] = $0
	}
	END { for (name in wish) print wish[name] }' "${kernel_fragments[@]}"
}

# Kconfig drops silently what it cannot have.
kernel_check_config() {
	local line missing=0

	while read -r line; do
		grep -qxF "$line" "$kernel_root/build/.config" || { kernel_say "cannot have $line"; missing=1; }
	done < <(kernel_wishes)
	return $missing
}

kernel_configure() {
	mkdir -p "$kernel_root/build"
	(cd "$kernel_source" && scripts/kconfig/merge_config.sh -n -O "$kernel_root/build" "${kernel_fragments[@]}") &&
		kernel_check_config
}

kernel_compile() {
	kernel_make -j"$(nproc)" bzImage modules &&
		kernel_make INSTALL_MOD_PATH="$kernel_root" INSTALL_MOD_STRIP=1 modules_install
}

# What an external module's build reads stays, and the image, whose presence
# says that all of this was done.
kernel_keep() {
	local out=$kernel_root/build

	cp "$out/arch/x86/boot/bzImage" "$kernel_root/vmlinuz.new"
	find "$out" -path "$out/scripts" -prune -o -path "$out/tools" -prune -o \
		-type f \( -name '*.o' -o -name '*.a' -o -name '*.cmd' -o -name '*.ko' -o \
		-name 'vmlinux*' -o -name '*bzImage' -o -name '*.mod*.c' \) \
		-exec rm -f {} +
	mv "$kernel_root/vmlinuz.new" "$kernel_root/vmlinuz"
}

# The line that says why, not only the last ones.
kernel_complain() {
	kernel_say "failed, see $kernel_root/log:"
	{ grep -E 'error|Error|cannot have' "$kernel_root/log" | head -n 10; tail -n 20 "$kernel_root/log"; } >&2
	exit 1
}

# kernel_build HOW-LONG
kernel_build() {
	kernel_say "building it in $kernel_root ($1, once)"
	{ kernel_configure && kernel_compile && kernel_keep; } >"$kernel_root/log" 2>&1 || kernel_complain
	kernel_say "done"
}

# What lab/run is told: the variables of scripts/kernel-env, and how to boot it.
kernel_describe() {
	local release

	release=$(cat "$kernel_root/build/include/config/kernel.release")
	printf '%s=%q\n' KVER "$release" KDIR "$kernel_root/build" VMLINUZ "$kernel_root/vmlinuz" \
		MODDIR "$kernel_root/lib/modules/$release" SRC "$kernel_source" VFIO_CACHE "$VFIO_CACHE" \
		"${kernel_settings[@]}" >"$kernel_root/env.$$"
	mv "$kernel_root/env.$$" "$kernel_root/env"
	echo "$kernel_root/env"
}
