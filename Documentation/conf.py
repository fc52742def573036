# SPDX-License-Identifier: GPL-2.0-only
"""For Sphinx. The kernel's own extension reads the kernel-doc comments; make docs
and scripts/check-docs say where the kernel's source is."""

import os
import pathlib
import sys

top = pathlib.Path(__file__).resolve().parent.parent
kernel = pathlib.Path(os.environ["SRC"])
sys.path.insert(0, str(kernel / "Documentation/sphinx"))

project = "vfio-pci"
extensions = ["kerneldoc"]
kerneldoc_bin = str(kernel / "scripts/kernel-doc")
kerneldoc_srctree = str(top)
c_id_attributes = ["__iomem", "__user"]
html_theme = "alabaster"
html_show_copyright = False
