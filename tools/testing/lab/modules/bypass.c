// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM is to an assigned device, as far as its interrupts are concerned: the
 * other side of the interrupt bypass, for an eventfd that a test names. An
 * emulated machine has no KVM of its own.
 *
 *	echo 7 > /sys/module/bypass/parameters/watch	the eventfd 7 of the writer
 *	echo -1 > /sys/module/bypass/parameters/watch	no longer
 */
#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/irqbypass.h>
#include <linux/module.h>

static unsigned int added;
module_param(added, uint, 0444);
MODULE_PARM_DESC(added, "interrupts that were offered");

static unsigned int removed;
module_param(removed, uint, 0444);
MODULE_PARM_DESC(removed, "interrupts that were taken back");

static unsigned int late;
module_param(late, uint, 0444);
MODULE_PARM_DESC(late, "of both, those that were nobody's interrupt at the time");

static int irq;
module_param(irq, int, 0444);
MODULE_PARM_DESC(irq, "the one that is offered now, 0 if none");

/* Serialised by the bypass manager. */
static int add_producer(struct irq_bypass_consumer *cons,
			struct irq_bypass_producer *prod)
{
	added++;
	late += !irq_has_action(prod->irq);
	irq = prod->irq;
	return 0;
}

static void del_producer(struct irq_bypass_consumer *cons,
			 struct irq_bypass_producer *prod)
{
	removed++;
	late += !irq_has_action(prod->irq);
	irq = 0;
}

static struct irq_bypass_consumer consumer = {
	.add_producer = add_producer,
	.del_producer = del_producer,
};

static void forget(void)
{
	if (!consumer.token)
		return;
	irq_bypass_unregister_consumer(&consumer);
	eventfd_ctx_put(consumer.token);
	consumer.token = NULL;
}

/* The kernel serialises writes to a module's parameters. */
static int watch_set(const char *val, const struct kernel_param *kp)
{
	struct eventfd_ctx *ctx;
	int fd, ret;

	ret = kstrtoint(val, 0, &fd);
	if (ret)
		return ret;
	forget();
	if (fd < 0)
		return 0;

	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	consumer.token = ctx;
	ret = irq_bypass_register_consumer(&consumer);
	if (ret) {
		consumer.token = NULL;
		eventfd_ctx_put(ctx);
	}
	return ret;
}

static const struct kernel_param_ops watch_ops = { .set = watch_set };
module_param_cb(watch, &watch_ops, NULL, 0200);
MODULE_PARM_DESC(watch, "the writer's eventfd whose interrupt is wanted, or -1");

static int __init bypass_init(void)
{
	return 0;
}
module_init(bypass_init);

static void __exit bypass_exit(void)
{
	forget();
}
module_exit(bypass_exit);

MODULE_DESCRIPTION("The other side of the interrupt bypass, for the tests");
MODULE_LICENSE("GPL");
