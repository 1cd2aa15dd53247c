#ifndef CPU_H
#define CPU_H

#include "types.h"

/* Interrupt numbers are the vectors of the interrupt descriptor table. */
#define IRQ_COUNT 256

struct cpu_context {
	u32 ebx, esi, edi, ebp, esp, eip;
};

static inline u32 irq_save(void)
{
	u32 flags;

	__asm__ volatile("pushfl; popl %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void irq_restore(u32 flags)
{
	if (flags & 0x200)
		__asm__ volatile("sti" : : : "memory");
}

static inline bool irq_enabled(void)
{
	u32 flags;

	__asm__ volatile("pushfl; popl %0" : "=r"(flags));
	return flags & 0x200;
}

/*
 * Sleeps until an interrupt has been handled. Called with interrupts off, returns with them off: STI takes effect
 * after the next instruction (Intel SDM vol. 2, STI), so nothing can slip in between the caller's test and HLT.
 */
static inline void cpu_wait(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* For loops which look again and again. */
static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline u64 cpu_ticks(void)
{
	u64 t;

	__asm__ volatile("rdtsc" : "=A"(t));
	return t;
}

/* Device memory is uncached and x86 keeps the order of stores; a load may still pass an earlier store. */
static inline void memory_barrier(void)
{
	__asm__ volatile("lock; addl $0, (%%esp)" : : : "memory", "cc");
}

/* Between accesses to uncached device memory: x86 keeps their order by itself. */
static inline void device_barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

#endif
