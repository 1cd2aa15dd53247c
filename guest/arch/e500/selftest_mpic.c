#include "arch.h"
#include "e500.h"
#include "selftest.h"

/* The interrupt controller, by interrupts which the processor sends to itself. */

enum {
	IPI_VECTOR = 0x10a0, /* 0x10 apart */
	IPI_DISPATCH = 0x20040,
	PRIORITY = 0x20080,
	ACKNOWLEDGE = 0x200a0,
	SOURCE = 0x10000,
	MASK = 1u << 31,
	LOW_VECTOR = 240,
	HIGH_VECTOR = 241,
};

static u32 read(u32 offset) { return ccsr_read(MPIC_OFFSET + offset); }
static void write(u32 offset, u32 value) { ccsr_write(MPIC_OFFSET + offset, value); }

static u32 taken[2], order[4], orders;

static bool low_interrupt(void *arg)
{
	(void)arg;
	taken[0]++;
	order[orders++ & 3] = 0;
	return true;
}

static bool high_interrupt(void *arg)
{
	(void)arg;
	taken[1]++;
	order[orders++ & 3] = 1;
	return true;
}

static void listen(void)
{
	taken[0] = taken[1] = orders = 0;
	irq_register(LOW_VECTOR, "self", low_interrupt, NULL);
	irq_register(HIGH_VECTOR, "self", high_interrupt, NULL);
	write(IPI_VECTOR, 5 << 16 | LOW_VECTOR);
	write(IPI_VECTOR + 0x10, 9 << 16 | HIGH_VECTOR);
}

static void unlisten(void)
{
	write(IPI_VECTOR, MASK);
	write(IPI_VECTOR + 0x10, MASK);
	irq_unregister(LOW_VECTOR, low_interrupt, NULL);
	irq_unregister(HIGH_VECTOR, high_interrupt, NULL);
}

static void send(u32 number)
{
	write(IPI_DISPATCH + 0x10 * number, 1);
}

static void pause(void)
{
	for (int i = 0; i < 8; i++)
		cpu_relax();
}

static const char *priorities(void)
{
	u32 flags = irq_save();

	listen();
	send(0);
	send(1);
	irq_restore(flags);
	pause();
	unlisten();
	EXPECT("interrupts", orders, 2);
	EXPECT("first", order[0], 1);
	EXPECT("second", order[1], 0);
	return NULL;
}

static const char *task_priority(void)
{
	u32 held;

	listen();
	write(PRIORITY, 7);
	send(1);
	pause();
	send(0);
	pause();
	held = taken[0];
	write(PRIORITY, 0);
	pause();
	unlisten();
	EXPECT("priority 5 while the task has 7", held, 0);
	EXPECT("priority 9", taken[1], 1);
	EXPECT("priority 5 afterwards", taken[0], 1);
	return NULL;
}

static const char *spurious(void)
{
	u32 flags = irq_save();
	u32 vector = read(ACKNOWLEDGE);

	irq_restore(flags);
	EXPECT("vector when nothing is pending", vector & 0xffff, 0xffff);
	return NULL;
}

static const char *source_registers(void)
{
	u32 at = SOURCE + 20 * 0x20, before = read(at), got;

	write(at, MASK | 3 << 16 | 99);
	got = read(at);
	write(at, before);
	EXPECT("mask", got >> 31, 1);
	EXPECT("priority", got >> 16 & 15, 3);
	EXPECT("vector", got & 0xff, 99);
	return NULL;
}

static u32 messages;

static bool message(void *arg)
{
	(void)arg;
	messages++;
	return true;
}

/* What a device does over the bus, done by the processor: its store is big-endian already. */
static const char *message_register(void)
{
	static int irq = -1;
	static u32 data;
	u64 address;
	u32 all = irq_count_messages();

	if (irq < 0)
		irq = arch_message(&address, &data);
	if (irq < 0)
		return SKIP("no message is left");
	irq_register(irq, "message", message, NULL);
	messages = 0;
	ccsr_write(MPIC_MSIIR_OFFSET, data << 24);
	pause();
	ccsr_write(MPIC_MSIIR_OFFSET, data << 24);
	pause();
	irq_unregister(irq, message, NULL);
	EXPECT("messages", messages, 2);
	EXPECT("messages counted by the kernel", irq_count_messages() - all, 2);
	return NULL;
}

static const struct check checks[] = {
	{"MPIC: the higher priority goes first", priorities},
	{"MPIC: the task priority holds back what is below", task_priority},
	{"MPIC: acknowledging nothing gives the spurious vector", spurious},
	{"MPIC: a source's register reads back", source_registers},
	{"MPIC: a write to the message index register interrupts", message_register},
};
const struct check_list checks_mpic = {checks, COUNT(checks)};
