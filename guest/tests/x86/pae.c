/* Page tables of 64-bit entries: SDM vol. 3 section 4.4, and execute-disable (4.6). */
#include "tests.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, LARGE = 0x80 };
#define NX (1ull << 63)
#define AT 0x40000000u
#define LARGE_AT 0x40200000u
#define PAGE0 ((u32)scratch)
#define PAGE1 ((u32)scratch + 4096)
enum { MSR_EFER = 0xc0000080, NXE = 1 << 11 };

CODE_OF(load, "movl (%ebx), %eax\n" STOP);
CODE_OF(store, "movl %eax, (%ebx)\n" STOP);
CODE_OF(jump, "jmp *%ebx\n");
CODE_OF(set_cr3, "movl %eax, %cr3\n" STOP);
CODE_OF(nops, "nop\n" STOP);

static u64 pointers[4] __attribute__((aligned(32)));
static u64 directories[2][512] __attribute__((aligned(4096)));
static u64 table[512] __attribute__((aligned(4096)));

static void map(u64 entry)
{
	table[0] = entry;
	__asm__ volatile("invlpg (%0)" :: "r"(AT) : "memory");
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

static void entries(void)
{
	*(u32 *)PAGE0 = 0x1111;
	*(u32 *)PAGE1 = 0x2222;
	map(PAGE0 | P | W | U);
	at(ring3, load, AT);
	check(stopped() && context.eax == 0x1111 && ((u32)table[0] & (A | D)) == A, "PAE: 4 KiB pages");
	at(ring3, store, AT);
	check(stopped() && ((u32)table[0] & (A | D)) == (A | D), "PAE: a write sets dirty");
	map(0);
	at(ring3, store, AT + 4);
	check(page_fault(6, AT + 4), "PAE: an absent page");
	at(ring3, load, 0x80000000);
	check(page_fault(4, 0x80000000), "PAE: an absent directory");
	map(PAGE0 | P | U);
	at(ring3, store, AT);
	check(page_fault(7, AT), "PAE: a read-only page");
	map(PAGE0 | P | W | U | 1ull << 52);
	at(ring3, load, AT);
	check_not_tcg(page_fault(13, AT), "PAE: an address bit that is not there is #PF(RSVD)");
	map(PAGE0 | P | W | U);

	directories[1][LARGE_AT >> 21 & 511] = P | W | U | LARGE;
	at(ring3, load, LARGE_AT + (PAGE1 & 0x1fffff));
	check(stopped() && context.eax == 0x2222, "PAE: 2 MiB pages");
	directories[1][LARGE_AT >> 21 & 511] = 0x2000 | P | W | U | LARGE;
	__asm__ volatile("invlpg (%0)" :: "r"(LARGE_AT + 0x100000) : "memory");
	at(ring3, load, LARGE_AT);
	check_not_tcg(page_fault(13, LARGE_AT), "PAE: reserved bits of a 2 MiB page");

	pointers[1] = 0;
	at(ring3, load, AT);
	check_not_tcg(stopped(), "PAE: the pointers are read by MOV CR3");
	pointers[1] = (u32)directories[1] | P | W;
	ring0(set_cr3);
	context.eax = (u32)pointers;
	run();
	check_not_tcg(faulted(GP, 0), "PAE: a reserved bit in a pointer is #GP(0)");
	pointers[1] = 0;
	ring0(set_cr3);
	context.eax = (u32)pointers;
	run();
	at(ring3, load, AT);
	check(page_fault(4, AT), "PAE: a quarter without a directory");
	pointers[1] = (u32)directories[1] | P;
	write_cr3((u32)pointers);
}

static bool has_nx(void)
{
	u32 eax = 0x80000000, ebx, ecx, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	if (eax < 0x80000001)
		return false;
	eax = 0x80000001;
	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return (edx & 1 << 20) != 0;
}

static void execution(void)
{
	map(PAGE0 | P | W | U | NX);
	at(ring3, load, AT);
	check_not_tcg(page_fault(13, AT), "NX: the bit is reserved without EFER.NXE");
	if (!has_nx())
		return;
	__asm__ volatile("wrmsr" :: "c"(MSR_EFER), "a"(NXE), "d"(0));
	copy((void *)PAGE0, nops, 3);
	at(ring3, load, AT);
	check(stopped(), "NX: data can be read from such a page");
	at(ring3, jump, AT);
	check(page_fault(0x15, AT) && context.eip == AT, "NX: a fetch from it is #PF(I, U, P)");
	at(ring0, jump, AT);
	check(page_fault(0x11, AT), "NX: in ring 0 as well");
	map(PAGE0 | P | W | U);
	at(ring3, jump, AT);
	check(stopped(), "NX: code runs from others");
	map(0);
	at(ring3, jump, AT);
	check(page_fault(0x14, AT), "NX: a fetch from an absent page is #PF(I, U)");
	map(PAGE0 | P | W | U);
	directories[1][0] |= NX;
	write_cr3((u32)pointers);
	at(ring3, jump, AT);
	check(page_fault(0x15, AT), "NX: the directory can forbid it for all");
	directories[1][0] &= ~NX;
	directories[1][LARGE_AT >> 21 & 511] = P | W | U | LARGE | NX;
	write_cr3((u32)pointers);
	at(ring3, jump, LARGE_AT + (PAGE0 & 0x1fffff));
	check(page_fault(0x15, LARGE_AT + (PAGE0 & 0x1fffff)), "NX: as can a page of 2 MiB");
	__asm__ volatile("wrmsr" :: "c"(MSR_EFER), "a"(0), "d"(0));
}

void pae_tests(void)
{
	if (!(features() & HAS_PAE))
		return;
	for (u32 k = 0; k < 32; k++)
		directories[0][k] = (u64)k << 21 | P | W | U | LARGE;
	directories[1][0] = (u32)table | P | W | U;
	pointers[0] = (u32)directories[0] | P;
	pointers[1] = (u32)directories[1] | P;
	write_cr4(read_cr4() | CR4_PAE);
	write_cr3((u32)pointers);
	write_cr0(read_cr0() | CR0_PG);
	entries();
	execution();
	write_cr0(read_cr0() & ~CR0_PG);
	write_cr4(read_cr4() & ~CR4_PAE);
}
