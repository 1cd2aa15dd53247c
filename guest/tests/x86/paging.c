/* Page tables of 32-bit entries: SDM vol. 3 section 4.3, with faults (4.7), accessed and dirty flags (4.8) and invalidation (4.10). */
#include "tests.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, LARGE = 0x80, G = 0x100 };

/* Where the pages under test appear, and which physical pages they are. */
#define AT 0x10000000u
#define LARGE_AT 0x10400000u
#define PAGE0 ((u32)scratch)
#define PAGE1 ((u32)scratch + 4096)

CODE_OF(load, "movl (%ebx), %eax\n" STOP);
CODE_OF(store, "movl %eax, (%ebx)\n" STOP);
CODE_OF(add, "addl %eax, (%ebx)\n" STOP);
CODE_OF(jump, "jmp *%ebx\n");
CODE_OF(two_bytes, "nop\n" STOP);
CODE_OF(undefined, "ud2\n");
CODE_OF(push_all, "pushal\n" STOP);
CODE_OF(stop_here, STOP);

static u32 directory[1024] __attribute__((aligned(4096)));
static u32 table[1024] __attribute__((aligned(4096)));
static u32 identity[16][1024] __attribute__((aligned(4096)));

static void begin(void)
{
	for (u32 k = 0; k < 16 * 1024; k++)
		identity[k / 1024][k % 1024] = k * 4096 | P | W | U;
	fill(directory, 0, sizeof(directory));
	fill(table, 0, sizeof(table));
	for (u32 k = 0; k < 16; k++)
		directory[k] = (u32)identity[k] | P | W | U;
	directory[AT >> 22] = (u32)table | P | W | U;
	write_cr3((u32)directory);
	write_cr0(read_cr0() | CR0_PG);
}

static void end(void)
{
	write_cr0(read_cr0() & ~(CR0_PG | CR0_WP));
}

static void map(u32 index, u32 entry)
{
	table[index] = entry;
	__asm__ volatile("invlpg (%0)" :: "r"(AT + index * 4096) : "memory");
}

static u32 at(void (*ring)(const char *), const char *code, u32 address)
{
	ring(code);
	context.ebx = address;
	return run();
}

static bool page_fault(u32 code, u32 address)
{
	return faulted(PF, code) && read_cr2() == address;
}

static void faults(void)
{
	map(0, 0);
	at(ring0, load, AT + 8);
	check(page_fault(0, AT + 8), "paging: a read of an absent page is #PF(0), with its address in CR2");
	at(ring0, store, AT + 8);
	check(page_fault(2, AT + 8), "paging: a write is #PF(W)");
	at(ring3, load, AT + 8);
	check(page_fault(4, AT + 8), "paging: ring 3 is #PF(U)");
	at(ring3, add, AT + 8);
	check_not_tcg(page_fault(6, AT + 8), "paging: a read-modify-write of ring 3 is #PF(U, W)");
	at(ring3, load, 0x20000000);
	check(page_fault(4, 0x20000000), "paging: as where there is no table");
	at(ring3, jump, AT + 8);
	check(page_fault(4, AT + 8) && context.eip == AT + 8, "paging: a fetch from an absent page is a read, at its own address");

	map(0, PAGE0 | P | W);
	at(ring3, load, AT);
	check(page_fault(5, AT), "paging: a page of the supervisor is #PF(U, P) for ring 3");
	at(ring0, store, AT);
	check(stopped(), "paging: and not for ring 0");
	map(0, PAGE0 | P | U);
	at(ring3, load, AT);
	check(stopped(), "paging: a read-only page can be read");
	at(ring3, store, AT);
	check(page_fault(7, AT), "paging: and not be written by ring 3");
	at(ring0, store, AT);
	check(stopped(), "paging: but by ring 0");
	write_cr0(read_cr0() | CR0_WP);
	at(ring0, store, AT);
	check(page_fault(3, AT), "paging: unless CR0.WP");
	write_cr0(read_cr0() & ~CR0_WP);
	directory[AT >> 22] &= ~(u32)W;
	write_cr3((u32)directory);
	map(0, PAGE0 | P | W | U);
	at(ring3, store, AT);
	check(page_fault(7, AT), "paging: both levels have to allow a write");
	directory[AT >> 22] = (u32)table | P | W;
	write_cr3((u32)directory);
	at(ring3, load, AT);
	check(page_fault(5, AT), "paging: and the user");
	directory[AT >> 22] = (u32)table | P | W | U;
	write_cr3((u32)directory);
}

static void marks(void)
{
	map(0, PAGE0 | P | W | U);
	directory[AT >> 22] = (u32)table | P | W | U;
	write_cr3((u32)directory);
	at(ring3, load, AT);
	check((table[0] & (A | D)) == A, "paging: a read sets the accessed flag alone");
	check((directory[AT >> 22] & A) != 0, "paging: in the directory too");
	at(ring3, store, AT);
	check((table[0] & (A | D)) == (A | D), "paging: a write sets the dirty flag");
	map(0, PAGE0 | P | U);
	at(ring3, store, AT);
	check((table[0] & D) == 0, "paging: one that is refused does not");
	map(0, PAGE0 | P | W);
	at(ring3, load, AT);
	check((table[0] & A) == 0, "paging: nor does a refused read set accessed");
	map(0, PAGE0 | P | W | U);
	at(ring3, add, AT);
	check((table[0] & (A | D)) == (A | D), "paging: a read-modify-write sets both");
}

static void crossings(void)
{
	u32 *last = (u32 *)(scratch + 4092);

	map(0, 0);
	write_cr0(read_cr0() | CR0_AM);
	ring3(load);
	context.eflags |= FLAG_AC;
	context.ebx = AT + 1;
	run();
	check_not_tcg(faulted(AC, 0), "alignment: #AC comes before #PF");
	write_cr0(read_cr0() & ~CR0_AM);

	map(0, PAGE0 | P | W | U);
	map(1, 0);
	*last = 0x55555555;
	ring3(store);
	context.ebx = AT + 4094;
	context.eax = 0xffffffff;
	run();
	check(page_fault(6, AT + 4096) && *last == 0x55555555, "paging: a write across pages faults at the second, and writes nothing");
	at(ring3, load, AT + 4093);
	check(page_fault(4, AT + 4096), "paging: a read across pages as well");
	map(1, PAGE1 | P | W | U);
	ring3(store);
	context.ebx = AT + 4094;
	context.eax = 0x11223344;
	run();
	check(stopped() && *(u16 *)(scratch + 4094) == 0x3344 && *(u16 *)(scratch + 4096) == 0x1122, "paging: and goes to both when they are there");
	ring3(push_all);
	map(0, 0);
	context.esp = AT + 4096 + 16;
	run();
	check(page_fault(6, AT + 4092) || page_fault(6, AT + 4096 - 16), "paging: PUSHA with half of its room absent is #PF");
	check(context.esp == AT + 4096 + 16, "paging: and has not moved ESP");

	copy((void *)(PAGE0 + 4095), two_bytes, 1);
	map(0, PAGE0 | P | W | U);
	map(1, 0);
	at(ring3, jump, AT + 4095);
	check(page_fault(4, AT + 4096) && context.eip == AT + 4096, "paging: running into an absent page faults there");
	copy((void *)(PAGE0 + 4095), undefined, 1);
	at(ring3, jump, AT + 4095);
	check(page_fault(4, AT + 4096) && context.eip == AT + 4095, "paging: an instruction across pages faults at its own address");
	map(1, PAGE1 | P | W | U);
	copy((void *)PAGE1, undefined + 1, 1);
	at(ring3, jump, AT + 4095);
	check(context.vector == UD && context.eip == AT + 4095, "paging: and runs when both are there");
}

static void invalidation(void)
{
	*(u32 *)PAGE0 = 0x1111;
	*(u32 *)PAGE1 = 0x2222;
	map(0, PAGE0 | P | W | U);
	at(ring3, load, AT);
	map(0, PAGE1 | P | W | U);
	at(ring3, load, AT);
	check(context.eax == 0x2222, "INVLPG: the new entry is in force");
	table[0] = PAGE0 | P | W | U;
	write_cr3((u32)directory);
	at(ring3, load, AT);
	check(context.eax == 0x1111, "CR3: writing it forgets what was known");
	map(0, 0);
	table[0] = PAGE1 | P | W | U;
	at(ring3, load, AT);
	check(context.eax == 0x2222, "an absent page is not remembered as such");
	if (!(features() & HAS_PGE))
		return;
	write_cr4(read_cr4() | CR4_PGE);
	map(0, PAGE0 | P | W | U | G);
	at(ring3, load, AT);
	map(0, PAGE1 | P | W | U | G);
	at(ring3, load, AT);
	check(context.eax == 0x2222, "global: INVLPG forgets a global page");
	table[0] = PAGE0 | P | W | U | G;
	write_cr4(read_cr4() & ~CR4_PGE);
	at(ring3, load, AT);
	check(context.eax == 0x1111, "global: a change of CR4.PGE forgets all of them");
}

static void large(void)
{
	if (!(features() & HAS_PSE))
		return;
	write_cr4(read_cr4() | CR4_PSE);
	directory[LARGE_AT >> 22] = P | W | U | LARGE;
	write_cr3((u32)directory);
	*(u32 *)PAGE0 = 0x12344321;
	at(ring3, load, LARGE_AT + PAGE0);
	check(stopped() && context.eax == 0x12344321, "4 MiB pages: map under CR4.PSE");
	check((directory[LARGE_AT >> 22] & (A | D)) == A, "4 MiB pages: a read sets accessed");
	at(ring3, store, LARGE_AT + PAGE0);
	check((directory[LARGE_AT >> 22] & (A | D)) == (A | D), "4 MiB pages: a write sets dirty");
	directory[LARGE_AT >> 22] = P | W | LARGE;
	__asm__ volatile("invlpg (%0)" :: "r"(LARGE_AT + 0x3ff000) : "memory");
	at(ring3, load, LARGE_AT + PAGE0);
	check(page_fault(5, LARGE_AT + PAGE0), "4 MiB pages: INVLPG anywhere in one forgets all of it");
	directory[LARGE_AT >> 22] = 0x200000 | P | W | U | LARGE;
	write_cr3((u32)directory);
	at(ring0, load, LARGE_AT);
	check_not_tcg(page_fault(9, LARGE_AT), "4 MiB pages: a reserved bit is #PF(RSVD, P)");
	at(ring3, store, LARGE_AT);
	check_not_tcg(page_fault(15, LARGE_AT), "4 MiB pages: whoever asks");
	write_cr4(read_cr4() & ~CR4_PSE);
	directory[LARGE_AT >> 22] = 0;
	write_cr3((u32)directory);
}

/* Ring 0 has no stack any more when its page is gone. */
static void double_fault(void)
{
	static struct tss task;
	enum { TASK = FREE };

	fill(&task, 0, sizeof(task));
	task.eip = (u32)stop_here;
	task.cs = KERNEL_CODE;
	task.ss = task.ds = task.es = KERNEL_DATA;
	task.esp = PAGE1;
	task.eflags = 2;
	task.cr3 = (u32)directory;
	set_segment(TASK, (u32)&task, 0x67, PRESENT | TSS32, false);
	set_gate(&idt[DF], TASK, 0, PRESENT | TASK_GATE, 0);
	map(0, 0);
	map(1, PAGE1 | P | W | U);
	/* What `enter` pushes fits; the error code of the first fault does not. */
	ring0(load);
	context.esp = AT + 4096 + 12;
	context.ebx = AT;
	run();
	check(stopped() && task.link == MAIN_TASK && main_tss.eip == (u32)load && *(u32 *)context.esp == 0, "double fault: #PF, and #PF again where its frame should go");
	check(read_cr2() == AT + 4096 - 4, "double fault: CR2 is that of the second");
	__asm__ volatile("clts");
	reset_tables();
}

void paging_tests(void)
{
	begin();
	faults();
	marks();
	crossings();
	invalidation();
	large();
	double_fault();
	end();
}
