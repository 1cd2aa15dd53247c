#include "tests.h"

struct context context;
struct tss main_tss;
u64 gdt[64], idt[256];
u8 user_stack[4096], inner_stack[4096], scratch[3 * 4096] __attribute__((aligned(4096)));

extern u8 vectors[256][16];
extern u32 trap_frame;
void enter(void);

u8 main_task_access;

static int checks, failures, skipped;
bool on_tcg;

/* --- the first serial port */

static void put(char c)
{
	while ((in8(0x3fd) & 0x20) == 0)
		;
	out8(0x3f8, (u8)c);
}

static void print(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			put('\r');
		put(*s);
	}
}

static void print_hex(u32 v)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		put("0123456789abcdef"[v >> shift & 15]);
}

static void print_number(int n)
{
	if (n >= 10)
		print_number(n / 10);
	put((char)('0' + n % 10));
}

void note(const char *what, u32 value)
{
	print("# ");
	print(what);
	put(' ');
	print_hex(value);
	print("\n");
}

/* --- checks */

static void result(bool holds, const char *what, const char *tail)
{
	print(holds ? "ok " : "not ok ");
	print_number(++checks);
	print(" - ");
	print(what);
	print(tail);
	print("\n");
}

void check(bool holds, const char *what)
{
	result(holds, what, "");
	if (holds)
		return;
	failures++;
	note("vector", context.vector);
	note("code", context.code);
	note("eip", context.eip);
	note("eflags", context.eflags);
	note("eax", context.eax);
	note("esp", context.esp);
}

void check_not_tcg(bool holds, const char *what)
{
	if (!on_tcg) {
		check(holds, what);
		return;
	}
	skipped++;
	result(true, what, " # SKIP TCG has it wrong");
}

void copy(void *to, const void *from, u32 size)
{
	for (u32 k = 0; k < size; k++)
		((volatile u8 *)to)[k] = ((const u8 *)from)[k];
}

void fill(void *to, u8 with, u32 size)
{
	for (u32 k = 0; k < size; k++)
		((volatile u8 *)to)[k] = with;
}

/* --- tables */

void set_segment(u32 selector, u32 base, u32 limit, u32 access, bool big)
{
	u32 granular = limit > 0xfffff;
	u32 raw = granular ? limit >> 12 : limit;
	u32 low = (raw & 0xffff) | base << 16;
	u32 high = (base >> 16 & 0xff) | access << 8 | (raw & 0xf0000) | (big ? 0x400000 : 0) | granular << 23 | (base & 0xff000000);

	gdt[selector >> 3] = (u64)high << 32 | low;
}

void set_gate(u64 *where, u32 selector, u32 offset, u32 access, u32 count)
{
	*where = (u64)((offset & 0xffff0000) | access << 8 | count) << 32 | selector << 16 | (offset & 0xffff);
}

u8 access_of(u32 selector)
{
	return (u8)(gdt[selector >> 3] >> 40);
}

static void load_gdt(u32 limit)
{
	struct { u16 limit; u32 base; } __attribute__((packed)) table = { (u16)limit, (u32)gdt };
	__asm__ volatile("lgdt %0" :: "m"(table));
}

static void load_task(u16 selector)
{
	gdt[selector >> 3] &= ~((u64)BUSY << 40);
	__asm__ volatile("ltr %0" :: "r"(selector));
}

static u16 task(void)
{
	u32 selector;
	__asm__ volatile("str %0" : "=r"(selector));
	return (u16)selector;
}

/* What a test changed in the tables is put back. */
void reset_tables(void)
{
	for (u32 selector = FREE; selector < sizeof(gdt); selector += 8)
		gdt[selector >> 3] = 0;
	set_segment(KERNEL_CODE, 0, 0xffffffff, PRESENT | CODE, true);
	set_segment(KERNEL_DATA, 0, 0xffffffff, PRESENT | DATA, true);
	set_segment(USER_CODE & ~3, 0, 0xffffffff, PRESENT | RING3 | CODE, true);
	set_segment(USER_DATA & ~3, 0, 0xffffffff, PRESENT | RING3 | DATA, true);
	for (u32 n = 0; n < 256; n++)
		set_gate(&idt[n], KERNEL_CODE, (u32)vectors[n], PRESENT | INTERRUPT32 | (n == STOP_VECTOR ? RING3 : 0), 0);
	fill(&main_tss, 0, sizeof(main_tss));
	fill(main_tss.ports, 0xff, sizeof(main_tss.ports));
	main_tss.map = (u16)((u32)main_tss.ports - (u32)&main_tss);
	main_tss.ss0 = KERNEL_DATA;
	main_tss.esp0 = (u32)inner_stack + sizeof(inner_stack);
	set_segment(MAIN_TASK, (u32)&main_tss, sizeof(main_tss) - 1, PRESENT | TSS32, false);
	load_task(MAIN_TASK);
	__asm__ volatile("lldt %w0" :: "r"(0));
}

static void load_tables(void)
{
	struct { u16 limit; u32 base; } __attribute__((packed)) table = { sizeof(idt) - 1, (u32)idt };

	set_segment(KERNEL_CODE, 0, 0xffffffff, PRESENT | CODE, true);
	set_segment(KERNEL_DATA, 0, 0xffffffff, PRESENT | DATA, true);
	load_gdt(sizeof(gdt) - 1);
	__asm__ volatile("ljmp %0, $1f\n1:\tmov %1, %%ds\n\tmov %1, %%es\n\tmov %1, %%ss\n\tmov %2, %%fs\n\tmov %2, %%gs"
	                 :: "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(0) : "memory");
	__asm__ volatile("lidt %0" :: "m"(table));
	reset_tables();
}

/* --- code under test */

static void start(const char *code, u32 cs, u32 ss)
{
	fill(&context, 0, sizeof(context));
	context.eip = (u32)code;
	context.cs = cs;
	context.ss = context.ds = context.es = ss;
	context.esp = (u32)user_stack + sizeof(user_stack) - 64;
	context.eflags = 2;
}

void ring0(const char *code)
{
	start(code, KERNEL_CODE, KERNEL_DATA);
}

void ring3(const char *code)
{
	start(code, USER_CODE, USER_DATA);
}

void v86(const char *code, const char *end)
{
	copy((void *)0x80000, code, (u32)end - (u32)code);
	start(0, 0x8000, 0x9000);
	context.ds = context.es = 0;
	context.eip = 0;
	context.esp = 0xf000;
	context.v86_ds = context.v86_es = context.v86_fs = context.v86_gs = 0x9000;
	context.eflags = FLAG_VM | 2;
}

u32 run(void)
{
	enter();
	/* A push of a segment register may leave what lay above it. */
	context.ds &= 0xffff;
	context.es &= 0xffff;
	context.fs &= 0xffff;
	context.gs &= 0xffff;
	if ((context.cs & 3) == 0 && (context.eflags & FLAG_VM) == 0) {
		context.esp = trap_frame + ((u32)&context.esp - (u32)&context);
		context.ss = KERNEL_DATA;
	}
	main_task_access = access_of(MAIN_TASK);
	if (task() != MAIN_TASK)
		load_task(MAIN_TASK);
	return context.vector;
}

bool stopped(void)
{
	return context.vector == STOP_VECTOR;
}

bool faulted(u32 vector, u32 code)
{
	return context.vector == vector && context.code == code;
}

u32 features(void)
{
	u32 eax = 1, ebx, ecx, edx;
	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return edx;
}

static bool has_word(const char *line, const char *word)
{
	for (; *line; line++) {
		u32 k = 0;
		while (word[k] && line[k] == word[k])
			k++;
		if (!word[k])
			return true;
	}
	return false;
}

void main(u32 magic, const u32 *information)
{
	if (magic == 0x2badb002 && (information[0] & 4) != 0)
		on_tcg = has_word((const char *)information[4], "tcg");
	/* 115200 baud, eight bits, no parity. */
	out8(0x3fb, 0x80);
	out8(0x3f8, 1);
	out8(0x3f9, 0);
	out8(0x3fb, 3);
	out8(0x3f9, 0);
	/* No interrupts from outside. */
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
	load_tables();
	note("cpuid features", features());
	segment_tests();
	gate_tests();
	return_tests();
	task_tests();
	fault_tests();
	debug_tests();
	alignment_tests();
	register_tests();
	v86_tests();
	real_tests();
	paging_tests();
	pae_tests();
	print("1..");
	print_number(checks);
	print("\n# x86: ");
	print_number(checks);
	print(" checks, ");
	print_number(failures);
	print(" failed, ");
	print_number(skipped);
	print(" skipped\n");
	out8(0xf4, failures != 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}
