#include "arch.h"
#include "kernel.h"

/* Handlers by interrupt number. A line may be shared, so each number has a list; all of them are asked. */
struct action {
	const char *name;
	irq_handler handler;
	void *arg;
	struct action *next;
};
static struct action pool[64];
static struct action *actions[IRQ_COUNT];
static u32 counts[IRQ_COUNT];
static u32 all, messages, unclaimed;

void irq_register(int irq, const char *name, irq_handler handler, void *arg)
{
	u32 flags = irq_save();

	for (u32 i = 0; i < COUNT(pool); i++) {
		if (pool[i].handler != NULL)
			continue;
		pool[i] = (struct action){name, handler, arg, actions[irq]};
		actions[irq] = &pool[i];
		irq_restore(flags);
		return;
	}
	panic("irq_register: no room for %s", name);
}

void irq_unregister(int irq, irq_handler handler, void *arg)
{
	u32 flags = irq_save();

	for (struct action **at = &actions[irq]; *at != NULL; at = &(*at)->next) {
		if ((*at)->handler == handler && (*at)->arg == arg) {
			(*at)->handler = NULL;
			*at = (*at)->next;
			break;
		}
	}
	irq_restore(flags);
}

void irq_dispatch(int irq)
{
	bool claimed = false;

	counts[irq]++;
	all++;
	if (arch_is_message(irq))
		messages++;
	for (struct action *a = actions[irq]; a != NULL; a = a->next)
		claimed |= a->handler(a->arg);
	if (!claimed)
		unclaimed++;
}

u32 irq_count(int irq) { return counts[irq]; }
u32 irq_count_all(void) { return all; }
u32 irq_count_messages(void) { return messages; }
u32 irq_count_unclaimed(void) { return unclaimed; }

void irq_print(void)
{
	for (int irq = 0; irq < IRQ_COUNT; irq++) {
		if (counts[irq] == 0 && actions[irq] == NULL)
			continue;
		kprintf("  %3d %6u %-8s", irq, counts[irq], arch_is_message(irq) ? "message" : "line");
		for (struct action *a = actions[irq]; a != NULL; a = a->next)
			kprintf(" %s", a->name);
		kprintf("\n");
	}
	kprintf("  all %6u, %u as messages, %u unclaimed\n", all, messages, unclaimed);
}
