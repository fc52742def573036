#spatch --smpl-spacing
// SPDX-License-Identifier: GPL-2.0-only
//
// Macros for such ids. To Coccinelle a list of fields is no expression, and a long
// line is one to be broken: what they stand for goes by a name, as it is.

@script:python body@
both;
vfio;
@@
coccinelle.both = cocci.make_ident("\\\n\tPCI_DEVICE(vend, dev), .override_only = (kind)")
coccinelle.vfio = cocci.make_ident("\\\n\tPCI_DEVICE_DRIVER_OVERRIDE(vend, dev, PCI_ID_F_VFIO_DRIVER_OVERRIDE)")

@@
identifier body.both, body.vfio;
symbol drv, driver;
@@
 #define to_pci_driver(drv) container_of(drv, struct pci_driver, driver)
+
+/**
+ * PCI_DEVICE_DRIVER_OVERRIDE - an id that driver_override alone gets at
+ * @vend: vendor, or PCI_ANY_ID
+ * @dev: device, or PCI_ANY_ID
+ * @kind: PCI_ID_F_*_DRIVER_OVERRIDE
+ */
+#define PCI_DEVICE_DRIVER_OVERRIDE(vend, dev, kind) both
+
+/**
+ * PCI_DRIVER_OVERRIDE_DEVICE_VFIO - the same, for a VFIO driver
+ * @vend: vendor, or PCI_ANY_ID
+ * @dev: device, or PCI_ANY_ID
+ *
+ * Its alias begins with vfio_pci: instead of pci:.
+ */
+#define PCI_DRIVER_OVERRIDE_DEVICE_VFIO(vend, dev) vfio
