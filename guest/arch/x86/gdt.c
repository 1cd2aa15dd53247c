#include "x86.h"

/* Flat segments for both privileges, and the one task segment from which the processor takes the stack of a trap. */
static u64 gdt[8];
u32 small_data[4] = {0x11111111, 0x22222222, 0x33333333, 0x44444444};

static struct {
	u32 previous;
	u32 esp0, ss0;
	u32 unused[22];
	u16 trap, io_map; /* io_map beyond the limit: no port is open to privilege 3 */
} task;

static u8 trap_stack[4096] __attribute__((aligned(16)));

/* Descriptor layout: Intel SDM vol. 3 section 3.4.5; access is bits 40-47, flags bits 52-55. */
static u64 descriptor(u32 base, u32 limit, u32 access, u32 flags)
{
	return (u64)(base >> 24) << 56 | (u64)flags << 52 | (u64)(limit >> 16 & 15) << 48 | (u64)access << 40 |
	       (u64)(base & 0xffffff) << 16 | (limit & 0xffff);
}

void gdt_init(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) pointer = {sizeof(gdt) - 1, (u32)gdt};

	gdt[KERNEL_CODE / 8] = descriptor(0, 0xfffff, 0x9a, 0xc);
	gdt[KERNEL_DATA / 8] = descriptor(0, 0xfffff, 0x92, 0xc);
	gdt[USER_CODE / 8] = descriptor(0, 0xfffff, 0xfa, 0xc);
	gdt[USER_DATA / 8] = descriptor(0, 0xfffff, 0xf2, 0xc);
	gdt[TASK / 8] = descriptor((u32)&task, sizeof(task) - 1, 0x89, 0);
	gdt[ABSENT_DATA / 8] = descriptor(0, 0xfffff, 0x12, 0xc);

	gdt[SMALL_DATA / 8] = descriptor((u32)small_data, sizeof(small_data) - 1, 0x90, 0x4);

	task.esp0 = (u32)trap_stack + sizeof(trap_stack);
	task.ss0 = KERNEL_DATA;
	task.io_map = sizeof(task);

	__asm__ volatile("lgdt %0\n\t"
	                 "ljmp %1, $1f\n"
	                 "1:\tmovl %2, %%ds\n\t"
	                 "movl %2, %%es\n\t"
	                 "movl %2, %%fs\n\t"
	                 "movl %2, %%gs\n\t"
	                 "movl %2, %%ss\n\t"
	                 "ltr %w3"
	                 :
	                 : "m"(pointer), "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(TASK)
	                 : "memory");
}
