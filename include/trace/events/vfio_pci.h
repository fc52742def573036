/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vfio_pci_core.ko does to a device, for whoever has to find out why.
 * Every event starts with the PCI function; secrets are never recorded.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio_pci

#if !defined(TRACE_EVENTS_VFIO_PCI_H) || defined(TRACE_HEADER_MULTI_READ)
#define TRACE_EVENTS_VFIO_PCI_H

#include <linux/pci.h>
#include <linux/tracepoint.h>
#include <linux/vfio.h>

TRACE_DEFINE_ENUM(VFIO_PCI_INTX_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_MSI_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_MSIX_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_ERR_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_REQ_IRQ_INDEX);

DECLARE_EVENT_CLASS(vfio_pci_cfg,
		    TP_PROTO(struct pci_dev *pdev, bool write, unsigned int pos,
			     unsigned int len, u32 val, int ret),
		    TP_ARGS(pdev, write, pos, len, val, ret),
		    TP_STRUCT__entry(__string(device, pci_name(pdev))
				     __field(bool, write)
				     __field(u16, pos)
				     __field(u8, len)
				     __field(u32, val)
				     __field(int, ret)),
		    TP_fast_assign(__assign_str(device);
				   __entry->write = write;
				   __entry->pos = pos;
				   __entry->len = len;
				   __entry->val = val;
				   __entry->ret = ret;),
		    TP_printk("%s %s pos=0x%03x len=%u val=0x%x ret=%d",
			      __get_str(device),
			      __entry->write ? "write" : "read", __entry->pos,
			      __entry->len, __entry->val, __entry->ret)
);

/* What the user asked of config space; what became of it follows below */
DEFINE_EVENT(vfio_pci_cfg, vfio_pci_cfg_access,
	     TP_PROTO(struct pci_dev *pdev, bool write, unsigned int pos,
		      unsigned int len, u32 val, int ret),
	     TP_ARGS(pdev, write, pos, len, val, ret)
);

/* The part of it that reached the device; an access without one was virtual */
DEFINE_EVENT(vfio_pci_cfg, vfio_pci_cfg_hardware,
	     TP_PROTO(struct pci_dev *pdev, bool write, unsigned int pos,
		      unsigned int len, u32 val, int ret),
	     TP_ARGS(pdev, write, pos, len, val, ret)
);

TRACE_EVENT(vfio_pci_irq_set,
	    TP_PROTO(struct pci_dev *pdev, unsigned int index, u32 flags,
		     unsigned int start, unsigned int count, int ret),
	    TP_ARGS(pdev, index, flags, start, count, ret),
	    TP_STRUCT__entry(__string(device, pci_name(pdev))
			     __field(u32, index)
			     __field(u32, flags)
			     __field(u32, start)
			     __field(u32, count)
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(device);
			   __entry->index = index;
			   __entry->flags = flags;
			   __entry->start = start;
			   __entry->count = count;
			   __entry->ret = ret;),
	    TP_printk("%s %s %s start=%u count=%u ret=%d", __get_str(device),
		      __print_symbolic(__entry->index,
				       { VFIO_PCI_INTX_IRQ_INDEX, "intx" },
				       { VFIO_PCI_MSI_IRQ_INDEX, "msi" },
				       { VFIO_PCI_MSIX_IRQ_INDEX, "msix" },
				       { VFIO_PCI_ERR_IRQ_INDEX, "err" },
				       { VFIO_PCI_REQ_IRQ_INDEX, "req" }),
		      __print_flags(__entry->flags, "|",
				    { VFIO_IRQ_SET_DATA_NONE, "none" },
				    { VFIO_IRQ_SET_DATA_BOOL, "bool" },
				    { VFIO_IRQ_SET_DATA_EVENTFD, "eventfd" },
				    { VFIO_IRQ_SET_ACTION_MASK, "mask" },
				    { VFIO_IRQ_SET_ACTION_UNMASK, "unmask" },
				    { VFIO_IRQ_SET_ACTION_TRIGGER, "trigger" }),
		      __entry->start, __entry->count, __entry->ret)
);

DECLARE_EVENT_CLASS(vfio_pci_memory,
		    TP_PROTO(struct pci_dev *pdev),
		    TP_ARGS(pdev),
		    TP_STRUCT__entry(__string(device, pci_name(pdev))),
		    TP_fast_assign(__assign_str(device);),
		    TP_printk("%s", __get_str(device))
);

DEFINE_EVENT(vfio_pci_memory, vfio_pci_revoke,
	     TP_PROTO(struct pci_dev *pdev),
	     TP_ARGS(pdev)
);

DEFINE_EVENT(vfio_pci_memory, vfio_pci_restore,
	     TP_PROTO(struct pci_dev *pdev),
	     TP_ARGS(pdev)
);

/*
 * scope: "function", "close", "unbind", "hot" (a user's) or "set" (the last
 * close)
 */
TRACE_EVENT(vfio_pci_reset,
	    TP_PROTO(struct pci_dev *pdev, const char *scope, int ret),
	    TP_ARGS(pdev, scope, ret),
	    TP_STRUCT__entry(__string(device, pci_name(pdev))
			     __string(scope, scope)
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(device);
			   __assign_str(scope);
			   __entry->ret = ret;),
	    TP_printk("%s %s ret=%d", __get_str(device), __get_str(scope),
		      __entry->ret)
);

TRACE_EVENT(vfio_pci_power,
	    TP_PROTO(struct pci_dev *pdev, pci_power_t from, pci_power_t to,
		     int ret),
	    TP_ARGS(pdev, from, to, ret),
	    TP_STRUCT__entry(__string(device, pci_name(pdev))
			     __string(from, pci_power_name(from))
			     __string(to, pci_power_name(to))
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(device);
			   __assign_str(from);
			   __assign_str(to);
			   __entry->ret = ret;),
	    TP_printk("%s %s -> %s ret=%d", __get_str(device), __get_str(from),
		      __get_str(to), __entry->ret)
);

/* An open of a function that may need a VF token: was one given, was it right */
TRACE_EVENT(vfio_pci_vf_token,
	    TP_PROTO(struct pci_dev *pdev, bool given, int ret),
	    TP_ARGS(pdev, given, ret),
	    TP_STRUCT__entry(__string(device, pci_name(pdev))
			     __field(bool, given)
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(device);
			   __entry->given = given;
			   __entry->ret = ret;),
	    TP_printk("%s token %s ret=%d", __get_str(device),
		      __entry->given ? "given" : "not given", __entry->ret)
);

TRACE_EVENT(vfio_pci_refused,
	    TP_PROTO(struct pci_dev *pdev, int err, struct va_format *why),
	    TP_ARGS(pdev, err, why),
	    TP_STRUCT__entry(__string(device, pci_name(pdev))
			     __field(int, err)
			     __vstring(why, why->fmt, why->va)),
	    TP_fast_assign(__assign_str(device);
			   __entry->err = err;
			   __assign_vstr(why, why->fmt, why->va);),
	    TP_printk("%s err=%d %s", __get_str(device), __entry->err,
		      __get_str(why))
);

#endif /* TRACE_EVENTS_VFIO_PCI_H */

/* Outside the guard: this part is read once more to define the events */
#include <trace/define_trace.h>
