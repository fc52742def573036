// SPDX-License-Identifier: GPL-2.0-only
//
// Tells file2alias where the field is.

@@
symbol pci_device_id, class_mask, override_only;
@@
 DEVID_FIELD(pci_device_id, class_mask);
+DEVID_FIELD(pci_device_id, override_only);
