#ifndef X86_H
#define X86_H

#include "cpu.h"
#include "kernel.h"
#include "layout.h"

/* Selectors (gdt.c) */
enum {
	KERNEL_CODE = 0x08,
	KERNEL_DATA = 0x10,
	USER_CODE = 0x1b,
	USER_DATA = 0x23,
	TASK = 0x28,
	ABSENT_DATA = 0x30, /* a good data segment but for its present bit, for tests */
	SMALL_DATA = 0x38,  /* likewise: small_data, 16 bytes, read-only */
};
extern u32 small_data[4];

/* Exceptions (Intel SDM vol. 3 table 6-1) */
enum {
	TRAP_DIVIDE = 0,
	TRAP_DEBUG = 1,
	TRAP_BREAKPOINT = 3,
	TRAP_OVERFLOW = 4,
	TRAP_BOUND = 5,
	TRAP_INVALID_OPCODE = 6,
	TRAP_DOUBLE_FAULT = 8,
	TRAP_INVALID_TSS = 10,
	TRAP_NOT_PRESENT = 11,
	TRAP_STACK = 12,
	TRAP_PROTECTION = 13,
	TRAP_PAGE = 14,
};

/* Which interrupt has which vector. */
enum {
	VECTOR_I8259 = 0x20,  /* 16 */
	VECTOR_IOAPIC = 0x30, /* one a pin, up to 32 */
	VECTOR_MESSAGE = 0x50,
	VECTOR_MESSAGE_END = 0xe0,
	VECTOR_SELF = 0xe0, /* for tests */
	VECTOR_SELF_HIGH = 0xf0,
	VECTOR_TIMER = 0xfd,
	VECTOR_SPURIOUS = 0xff,
};

/* What vectors.S pushes, lowest address first. */
struct trap_frame {
	u32 edi, esi, ebp, unused_esp, ebx, edx, ecx, eax;
	u32 gs, fs, es, ds;
	u32 vector, error;
	u32 eip, cs, eflags;
	u32 esp, ss; /* only when the privilege changed */
};

static inline u8 in8(u16 port)
{
	u8 v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u16 in16(u16 port)
{
	u16 v;
	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u32 in32(u16 port)
{
	u32 v;
	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline void out8(u16 port, u8 v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory"); }
static inline void out16(u16 port, u16 v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory"); }
static inline void out32(u16 port, u32 v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory"); }

/* gdt.c */
void gdt_init(void);
/* Runs at privilege 3 until it traps. */
void enter_user(u32 eip, u32 esp) __attribute__((noreturn));

/* trap.c */
void trap_init(void);
void trap(struct trap_frame *frame);
void trap_set_present(u32 vector, bool present);
/* Looks at an exception before anything else; true: go on where frame->eip says. */
extern bool (*volatile trap_hook)(struct trap_frame *frame);

/* paging.c */
enum { PAGE_PRESENT = 1, PAGE_WRITE = 2, PAGE_USER = 4, PAGE_UNCACHED = 0x18, PAGE_ACCESSED = 0x20, PAGE_DIRTY = 0x40, PAGE_LARGE = 0x80 };
void paging_init(void);
void paging_map(u32 virtual, u64 physical, u32 size, u32 flags);
u32 *paging_entry(u32 virtual); /* of a 4 KiB page; makes the table if need be */
void paging_flush(u32 virtual);
bool paging_large(void);

/* i8259.c, i8254.c */
void i8259_init(void);
void i8259_open(u32 line, bool level);
bool i8259_spurious(u32 line);
void i8259_end(u32 line);
void i8254_one_shot(u32 us);

/* lapic.c, ioapic.c: a pin's vector is VECTOR_IOAPIC + pin */
void lapic_init(bool i8259_through);
u32 lapic_read(u32 offset);
void lapic_write(u32 offset, u32 value);
void lapic_end(void);
u32 lapic_id(void);
void lapic_calibrate(void);
enum {
	LAPIC_ID = 0x20,
	LAPIC_VERSION = 0x30,
	LAPIC_TPR = 0x80,
	LAPIC_EOI = 0xb0,
	LAPIC_SPURIOUS = 0xf0,
	LAPIC_ISR = 0x100,
	LAPIC_IRR = 0x200,
	LAPIC_ICR = 0x300,
	LAPIC_ICR_HIGH = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
};
void ioapic_init(void);
u32 ioapic_pins(void);
u32 ioapic_read(u32 index);
void ioapic_write(u32 index, u32 value);
void ioapic_open(u32 pin, bool level, bool low);

/* mptable.c: before paging, since the table may be anywhere */
bool mp_find(void);
bool mp_present(void);
/* The IO-APIC pin of an ISA interrupt or of a PCI slot's pin (0 = A); -1 if the table has none. */
int mp_isa_pin(u32 irq, bool *level, bool *low);
int mp_pci_pin(u32 device, u32 pin, bool *level, bool *low);

/* interrupts.c: lines by either controller */
int line_open_isa(u32 irq);

#endif
