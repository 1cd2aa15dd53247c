#ifndef E500_H
#define E500_H

#include "cpu.h"
#include "kernel.h"
#include "layout.h"

/* Special purpose registers (e500mc core reference manual, table 2-2) */
enum {
	SPR_DEC = 22,
	SPR_PID = 48,
	SPR_DEAR = 61,
	SPR_ESR = 62,
	SPR_IVPR = 63,
	SPR_TSR = 336,
	SPR_TCR = 340,
	SPR_IVOR0 = 400,
	SPR_MAS0 = 624,
	SPR_MAS1 = 625,
	SPR_MAS2 = 626,
	SPR_MAS3 = 627,
	SPR_MAS6 = 630,
	SPR_TLB0CFG = 688,
	SPR_TLB1CFG = 689,
	SPR_MAS7 = 944,
	SPR_HID0 = 1008,
};
#define mfspr(spr)                                                        \
	({                                                                \
		u32 v_;                                                   \
		__asm__ volatile("mfspr %0, %1" : "=r"(v_) : "i"(spr));   \
		v_;                                                       \
	})
#define mtspr(spr, value) __asm__ volatile("mtspr %0, %1; isync" : : "i"(spr), "r"((u32)(value)) : "memory")

/* Exceptions, by the number of the IVOR which leads there */
enum {
	TRAP_MACHINE_CHECK = 1,
	TRAP_DATA = 2,
	TRAP_INSTRUCTION = 3,
	TRAP_EXTERNAL = 4,
	TRAP_ALIGNMENT = 5,
	TRAP_PROGRAM = 6,
	TRAP_SYSTEM_CALL = 8,
	TRAP_DECREMENTER = 10,
	TRAP_DATA_TLB = 13,
	TRAP_INSTRUCTION_TLB = 14,
	TRAP_COUNT = 16,
};
/* Exception syndrome */
enum { ESR_ILLEGAL = 1 << 27, ESR_PRIVILEGED = 1 << 26, ESR_TRAP = 1 << 25, ESR_STORE = 1 << 23 };

/* What vectors.S saves. */
struct trap_frame {
	u32 gpr[32];
	u32 pc, msr, cr, lr, ctr, xer, esr, dear, vector;
};
void trap_init(void);
void trap(struct trap_frame *frame);
/* Looks at an exception before anything else; true: go on where frame->pc says. */
extern bool (*volatile trap_hook)(struct trap_frame *frame);
/* Runs at privilege 1 (MSR[PR]) until it traps. */
void enter_user(u32 pc, u32 stack) __attribute__((noreturn));

/* tlb.c */
enum {
	MAP_SUPERVISOR_READ = 0x01,
	MAP_USER_READ = 0x02,
	MAP_SUPERVISOR_WRITE = 0x04,
	MAP_USER_WRITE = 0x08,
	MAP_SUPERVISOR_RUN = 0x10,
	MAP_USER_RUN = 0x20,
	MAP_GUARDED = 0x0a, /* of the second word: uncached and guarded */
};
/* Addresses where devices are seen */
enum { EA_PCI_MEMORY = 0xc0000000, EA_CCSR = 0xe0000000, EA_PCI_IO = 0xe0100000 };
void tlb_early(void);
void tlb_init(void);
void tlb0_write(u32 way, u32 virtual, u64 physical, u32 permissions);
void tlb0_clear(u32 way, u32 virtual);
void tlb_invalidate(u32 virtual);

static inline u32 ccsr_read(u32 offset)
{
	u32 v = *(volatile u32 *)(EA_CCSR + offset);

	device_barrier();
	return v;
}
static inline void ccsr_write(u32 offset, u32 value)
{
	device_barrier();
	*(volatile u32 *)(EA_CCSR + offset) = value;
	device_barrier();
}

/* mpic.c */
void mpic_init(void);
void mpic_open(u32 source, bool level, bool high);
void mpic_dispatch(void);

/* pci_host.c */
void pci_host_ranges(const void *ranges, u32 length); /* of the device tree: which windows the bridge has */
void pci_host_init(void);

#endif
