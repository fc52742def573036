#spatch --smpl-spacing --max-width 100
// SPDX-License-Identifier: GPL-2.0-only
//
// Entries for driver_override alone are passed over until it has chosen the
// driver. new_id, which refuses what would match anyway, has to pass over them as
// well: the device it makes up for the question has no override.

@known@
@@
 static void pci_free_dynids(...)
 {
 	...
 }

@match depends on known@
identifier drv, dev;
@@
 pci_match_device(struct pci_driver *drv, struct pci_dev *dev)
 {
 	<+...
-	pci_match_id(drv->id_table, dev)
+	pci_match_own_id(drv, dev)
 	...+>
 }

@depends on match@
identifier drv, dev;
@@
-pci_match_id(drv->id_table, dev)
+pci_match_own_id(drv, dev)

@depends on match@
@@
+/* pci_match_id(), but for entries that driver_override would have to get at */
+static const struct pci_device_id *pci_match_own_id(struct pci_driver *drv, struct pci_dev *dev)
+{
+	const struct pci_device_id *id = pci_match_id(drv->id_table, dev);
+
+	while (id && id->override_only && !dev->driver_override)
+		id = pci_match_id(id + 1, dev);
+	return id;
+}
+
 static void pci_free_dynids(...)
 {
 	...
 }
