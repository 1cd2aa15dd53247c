#ifndef CPU_H
#define CPU_H

#include "types.h"

/* 0-255: sources of the interrupt controller; then the messages; then the decrementer. */
#define IRQ_MESSAGE 256
#define IRQ_MESSAGES 64
#define IRQ_TIMER (IRQ_MESSAGE + IRQ_MESSAGES)
#define IRQ_COUNT (IRQ_TIMER + 1)

struct cpu_context {
	u32 r1, lr, cr, r2, r13_r31[19];
};

enum { MSR_EE = 1 << 15, MSR_PR = 1 << 14 };

static inline u32 irq_save(void)
{
	u32 msr;

	__asm__ volatile("mfmsr %0; wrteei 0" : "=r"(msr) : : "memory");
	return msr;
}

static inline void irq_restore(u32 msr)
{
	__asm__ volatile("wrtee %0" : : "r"(msr) : "memory");
}

static inline bool irq_enabled(void)
{
	u32 msr;

	__asm__ volatile("mfmsr %0" : "=r"(msr));
	return msr & MSR_EE;
}

/* Sleeps until an interrupt has been handled. Called with interrupts off, returns with them off (vectors.S). */
void cpu_wait(void);

/* For loops which look again and again. */
static inline void cpu_relax(void)
{
	__asm__ volatile("nop" : : : "memory");
}

/* The upper half is read again, in case the lower one went over meanwhile. */
static inline u64 cpu_ticks(void)
{
	u32 high, low, again;

	do
		__asm__ volatile("mftbu %0; mftb %1; mftbu %2" : "=r"(high), "=r"(low), "=r"(again));
	while (high != again);
	return (u64)high << 32 | low;
}

static inline void memory_barrier(void)
{
	__asm__ volatile("sync" : : : "memory");
}

/* Between accesses to guarded, uncached memory: keeps their order. */
static inline void device_barrier(void)
{
	__asm__ volatile("mbar" : : : "memory");
}

#endif
