#include "kernel.h"

/* The PC: its tables, paging by 4 KiB pages, the first serial port, the time-stamp counter against the 8254. */
enum {
	KERNEL_CODE = 0x08,
	KERNEL_DATA = 0x10,
	USER_CODE = 0x1b,
	USER_DATA = 0x23,
	TASK = 0x28,

	PAGE_FAULT = 14,

	PRESENT = 1,
	WRITE = 2,
	USER = 4,

	RAM_TABLES = 16, /* 64 MiB where they are */
	PIT_HZ = 1193182,
};

struct frame {
	u32 es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, vector, error, eip, cs, eflags, user_esp, user_ss;
};

struct task_state {
	u32 link, esp0, ss0, rest[22], map;
};

extern u8 vectors[32][16];
void call_vector(void);
void fast_call(void);
void process_start(void);
void stack_switch(u32 *save, u32 load);

const u32 page_flags = PRESENT | WRITE | USER;

static u64 gdt[6], idt[256];
static struct task_state task;
static u32 directories[PROCESSES][1024] __attribute__((aligned(4096)));
static u32 ram_tables[RAM_TABLES * 1024] __attribute__((aligned(4096)));
static u8 kernel_stacks[PROCESSES][8192] __attribute__((aligned(16)));
static u8 fast_stack[4096] __attribute__((aligned(16)));
static u8 other_stack[4096] __attribute__((aligned(16)));
static u32 saved_stacks[PROCESSES];
static u64 ticks_at_start;
static u32 ticks_per_millisecond;

static void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void write_msr(u32 number, u32 value)
{
	__asm__ volatile("wrmsr" : : "c"(number), "a"(value), "d"(0));
}

/* --- tables (Intel SDM volume 3, sections 3.4.5, 6.11, 7.2.1) */

static u64 segment(u32 base, u32 limit, u32 access)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 | (u64)(limit >> 16) << 48 | (u64)(base >> 24) << 56;
}

static void set_gate(u32 vector, u32 entry, u32 privilege)
{
	idt[vector] = (entry & 0xffff) | KERNEL_CODE << 16 | (u64)(0x8e00 | privilege << 13) << 32 | (u64)(entry >> 16) << 48;
}

static void load_tables(void)
{
	enum { CODE = 0x9a, DATA = 0x92, RING3 = 0x60, BIG = 0xcf, TASK_STATE = 0x89 };
	struct __attribute__((packed)) { u16 limit; u32 base; } table = {sizeof(gdt) - 1, (u32)gdt};

	gdt[1] = segment(0, 0xfffff, CODE) | (u64)0xc << 52;
	gdt[2] = segment(0, 0xfffff, DATA) | (u64)0xc << 52;
	gdt[3] = segment(0, 0xfffff, CODE | RING3) | (u64)0xc << 52;
	gdt[4] = segment(0, 0xfffff, DATA | RING3) | (u64)0xc << 52;
	gdt[5] = segment((u32)&task, sizeof(task) - 1, TASK_STATE);
	__asm__ volatile("lgdt %0\n\tljmp %1, $1f\n1:\tmov %2, %%ds\n\tmov %2, %%es\n\tmov %2, %%ss\n\tmov %3, %%fs\n\tmov %3, %%gs"
	                 : : "m"(table), "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(0) : "memory");
	task.ss0 = KERNEL_DATA;
	task.esp0 = (u32)kernel_stacks[0] + sizeof(kernel_stacks[0]);
	task.map = sizeof(task) << 16;
	__asm__ volatile("ltr %w0" : : "r"(TASK));
	for (u32 n = 0; n < 32; n++)
		set_gate(n, (u32)vectors[n], 0);
	set_gate(0x80, (u32)call_vector, 3);
	table.limit = sizeof(idt) - 1;
	table.base = (u32)idt;
	__asm__ volatile("lidt %0" : : "m"(table));
}

/* --- paging */

static void start_paging(void)
{
	u32 register_0;

	for (u32 page = 1; page < RAM_TABLES * 1024; page++)
		ram_tables[page] = page * 4096 | page_flags;
	for (u32 p = 0; p < PROCESSES; p++) {
		for (u32 n = 0; n < RAM_TABLES; n++)
			directories[p][n] = (u32)&ram_tables[n * 1024] | page_flags;
		for (u32 n = 0; n < PAGED_PAGES / 1024; n++)
			directories[p][PAGED / 0x400000 + n] = (u32)&page_tables[p][n * 1024] | page_flags;
	}
	__asm__ volatile("mov %0, %%cr3" : : "r"(directories[0]));
	__asm__ volatile("mov %%cr0, %0" : "=r"(register_0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(register_0 | 0x80010000) : "memory"); /* PG, WP */
}

void page_forget(u32 address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* --- floating point, and what else a processor may have */

static u32 features(void)
{
	u32 eax = 1, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return edx;
}

bool has_vectors(void)
{
	return features() >> 26 & 1;
}

static void start_floating_point(void)
{
	u32 r;

	__asm__ volatile("mov %%cr0, %0" : "=r"(r));
	__asm__ volatile("mov %0, %%cr0" : : "r"((r & ~0xcu) | 0x22)); /* not EM, TS; MP, NE */
	if (has_vectors()) {
		__asm__ volatile("mov %%cr4, %0" : "=r"(r));
		__asm__ volatile("mov %0, %%cr4" : : "r"(r | 0x200)); /* OSFXSR */
	}
}

static void start_fast_calls(void)
{
	write_msr(0x174, KERNEL_CODE);
	write_msr(0x175, (u32)fast_stack + sizeof(fast_stack));
	write_msr(0x176, (u32)fast_call);
}

/* --- processes */

void trap(struct frame *frame)
{
	u32 address;

	__asm__ volatile("mov %%cr2, %0" : "=r"(address));
	if ((frame->cs & 3) == 0)
		panic("exception in the kernel", frame->eip, frame->vector);
	if (frame->vector != PAGE_FAULT || !page_fault(address))
		fail("exception", frame->eip, frame->vector == PAGE_FAULT ? address : frame->vector);
}

void process_prepare(u32 process, u32 start)
{
	u32 *stack = (u32 *)(kernel_stacks[process] + sizeof(kernel_stacks[process])) - 10;

	stack[4] = (u32)process_start;
	stack[5] = start;
	stack[6] = USER_CODE;
	stack[7] = 2;
	stack[8] = (u32)other_stack + sizeof(other_stack) - 16;
	stack[9] = USER_DATA;
	saved_stacks[process] = (u32)stack;
}

void process_switch(u32 from, u32 to)
{
	task.esp0 = (u32)kernel_stacks[to] + sizeof(kernel_stacks[to]);
	__asm__ volatile("mov %0, %%cr3" : : "r"(directories[to]) : "memory");
	stack_switch(&saved_stacks[from], saved_stacks[to]);
}

/* --- console and time */

void console_put(char c)
{
	while ((in8(0x3fd) & 0x20) == 0)
		;
	out8(0x3f8, (u8)c);
}

static u64 ticks(void)
{
	u64 value;

	__asm__ volatile("rdtsc" : "=A"(value));
	return value;
}

static u32 pit_count(void)
{
	out8(0x43, 0x80); /* latch counter 2 */
	u32 low = in8(0x42);
	return low | (u32)in8(0x42) << 8;
}

/* How far the time-stamp counter goes in ten milliseconds of the 8254's counter 2, which nobody else uses. */
static void measure_ticks(void)
{
	enum { WAIT = PIT_HZ / 100 };

	out8(0x61, (in8(0x61) & ~2u) | 1); /* gate on, speaker off */
	out8(0x43, 0xb0);                  /* counter 2, both bytes, mode 0 */
	out8(0x42, 0xff);
	out8(0x42, 0xff);
	ticks_at_start = ticks();
	for (u32 tries = 0; tries < 1000000 && pit_count() > 0xffff - WAIT; tries++)
		;
	ticks_per_millisecond = (u32)(ticks() - ticks_at_start) / 10;
}

u64 microseconds(void)
{
	return (ticks() - ticks_at_start) * 1000 / (ticks_per_millisecond | 1);
}

/* The exit register of Barzero and of QEMU's isa-debug-exit; elsewhere the end is the last mark. */
void power_off(void)
{
	while ((in8(0x3fd) & 0x40) == 0)
		;
	out8(0xf4, 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void machine_main(u32 magic, const u32 *information)
{
	enum { MULTIBOOT = 0x2badb002, HAS_COMMAND_LINE = 4 };

	out8(0x3fb, 0x80); /* 115200 baud, eight bits */
	out8(0x3f8, 1);
	out8(0x3f9, 0);
	out8(0x3fb, 3);
	out8(0x21, 0xff); /* no interrupts */
	out8(0xa1, 0xff);
	load_tables();
	start_floating_point();
	start_fast_calls();
	start_paging();
	measure_ticks();
	kernel_main(magic == MULTIBOOT && information[0] & HAS_COMMAND_LINE ? (const char *)information[4] : "");
}
