// SPDX-License-Identifier: GPL-2.0-only
//
// Such an id makes an alias of another family than pci:, which is what udev asks
// for when a device appears.

@@
identifier file, symval, alias;
symbol pci_device_id, class_mask, override_only;
@@
 do_pci_entry(const char *file, void *symval, char *alias)
 {
 	...
 	DEF_FIELD(symval, pci_device_id, class_mask);
+	DEF_FIELD(symval, pci_device_id, override_only);
 	...
-	strcpy(alias, "pci:");
+	if (override_only && override_only != PCI_ID_F_VFIO_DRIVER_OVERRIDE) {
+		warn("%s: unknown override_only %u\n", file, override_only);
+		return 0;
+	}
+	strcpy(alias, override_only ? "vfio_pci:" : "pci:");
 	...
 }
