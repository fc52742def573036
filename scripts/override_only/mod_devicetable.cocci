#spatch --smpl-spacing
// SPDX-License-Identifier: GPL-2.0-only
//
// An id may be one that driver_override alone gets at. The field comes last, so
// that tables which name no fields keep their meaning.

@known@
@@
 struct pci_device_id {
 	...
 };

@values depends on known@
@@
 #define PCI_ANY_ID (~0)
+
+/* Values of override_only: the kind of driver that the id is for */
+#define PCI_ID_F_VFIO_DRIVER_OVERRIDE 1

@depends on values@
typedef __u32;
@@
 struct pci_device_id {
 	...
+	/** @override_only: match only if driver_override names the driver */
+	__u32 override_only;
 };
