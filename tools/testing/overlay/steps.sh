# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# scripts/overlay on a small part of a kernel's source; sourced. The caller sets:
#
#   work           folder for the trees
#   log            what tap_step writes to
#   overlay        the command, an array
#   overlay_from   the kernel's source
#   overlay_files  as much of it as the overlay looks at

overlay_slice() {
	rm -rf "${1:?}"
	mkdir -p "$1"
	(cd "$overlay_from" && cp -r --parents -t "$1" "${overlay_files[@]}")
}

# overlay_refuses FILE SCRIPT: a tree whose FILE a sed script changed is left alone.
overlay_refuses() {
	overlay_slice "$work/tree"
	sed -i "$2" "$work/tree/$1"
	rm -rf "$work/before"
	cp -r "$work/tree" "$work/before"
	! "${overlay[@]}" "$work/tree" && grep -q 'is left alone: ' "$log" && diff -r "$work/before" "$work/tree"
}

# The patch is what the overlay does, and there is nothing left to do then.
overlay_patches() {
	overlay_slice "$work/tree"
	overlay_slice "$work/patched"
	"${overlay[@]}" --patch "$work/patch" "$work/tree" && diff -r "$work/tree" "$work/patched" &&
		patch -s -p1 -d "$work/patched" <"$work/patch" && "${overlay[@]}" "$work/tree" &&
		diff -r "$work/tree" "$work/patched" &&
		"${overlay[@]}" --patch "$work/patch" "$work/tree" && ! [ -s "$work/patch" ]
}
