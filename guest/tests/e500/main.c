#include "layout-ppce500.h"
#include "tests.h"

_Static_assert(sizeof(struct interrupted) == 240, "entry.S knows its places");

void enter(void);

u8 area[65536] __attribute__((aligned(65536)));
static u32 words[4] __attribute__((aligned(16)));
static u32 boot_entry, device_entry;
static int checks, failures, skipped;
bool on_tcg;

/* --- the first serial port */

static void put(char c)
{
	while ((*(volatile u8 *)(CCSR + UART0_OFFSET + 5) & 0x20) == 0)
		;
	*(volatile u8 *)(CCSR + UART0_OFFSET) = (u8)c;
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
	note("srr0", context.srr.pc);
	note("srr1", context.srr.msr);
	note("esr", context.esr);
	note("dear", context.dear);
	note("dbsr", context.dbsr);
	note("r3", context.gpr[3]);
	note("r4", context.gpr[4]);
}

void check_not_tcg(bool holds, const char *what)
{
	if (!on_tcg) {
		check(holds, what);
		return;
	}
	skipped++;
	result(true, what, holds ? " # SKIP TCG is known to have it wrong, and has it right" : " # SKIP TCG has it wrong");
}

void fill(u32 at, u8 with, u32 size)
{
	for (u32 k = 0; k < size; k++)
		((volatile u8 *)at)[k] = with;
}

u32 ticks(void)
{
	return mfspr(TBL);
}

/* --- translation: the loader's entry maps us, one of ours the devices; both stay */

static void tlbwe(u32 mas0, u32 mas1, u32 mas2, u32 mas3, u32 mas7)
{
	mtspr(MAS0, mas0);
	mtspr(MAS1, mas1);
	mtspr(MAS2, mas2);
	mtspr(MAS3, mas3);
	mtspr(MAS7, mas7);
	__asm__ volatile("isync; tlbwe; isync; msync" : : : "memory");
}

void tlb_write(u32 mas0, u32 mas1, u32 mas2, u32 mas3)
{
	tlbwe(mas0, mas1 | VALID, mas2, mas3, 0);
}

void tlb_read(u32 mas0, u32 mas2)
{
	mtspr(MAS0, mas0);
	mtspr(MAS2, mas2);
	__asm__ volatile("isync; tlbre; isync" : : : "memory");
}

void tlb_search(u32 address, u32 mas6)
{
	mtspr(MAS6, mas6);
	__asm__ volatile("isync; tlbsx 0, %0; isync" : : "r"(address) : "memory");
}

void tlb_clear(void)
{
	for (u32 set = 0; set < 128; set++)
		for (u32 way = 0; way < 4; way++)
			tlbwe(ESEL(way), 0, set << 12, 0, 0);
	for (u32 entry = 0; entry < 64; entry++)
		if (entry != boot_entry && entry != device_entry)
			tlbwe(TLB1 | ESEL(entry), 0, 0, 0, 0);
}

void map(u32 ea, u32 pa, u32 permissions)
{
	tlb_write(0, SIZE_4K, ea, pa | permissions);
}

static void map_devices(void)
{
	tlb_search((u32)map_devices, 0);
	boot_entry = mfspr(MAS0) >> 16 & 63;
	mtspr(MAS1, mfspr(MAS1) | IPROT);
	__asm__ volatile("isync; tlbwe; isync" : : : "memory");
	device_entry = boot_entry == 1 ? 2 : 1;
	tlbwe(TLB1 | ESEL(device_entry), VALID | IPROT | SIZE_1M, CCSR | INHIBITED | GUARDED, ((u32)CCSR_BASE & 0xfffff000) | SR | SW,
	      (u32)(CCSR_BASE >> 32));
}

/* The register's number is part of the instruction, hence no loop. */
static void set_vectors(void)
{
	mtspr(IVPR, (u32)vectors & 0xffff0000);
#define IVOR(n, spr) mtspr(spr, (u32)vectors[n] & 0xffff)
	IVOR(0, 400); IVOR(1, 401); IVOR(2, 402); IVOR(3, 403); IVOR(4, 404); IVOR(5, 405); IVOR(6, 406); IVOR(7, 407);
	IVOR(8, 408); IVOR(9, 409); IVOR(10, 410); IVOR(11, 411); IVOR(12, 412); IVOR(13, 413); IVOR(14, 414); IVOR(15, 415);
	IVOR(35, 531); IVOR(36, 532); IVOR(37, 533); IVOR(38, 432); IVOR(39, 433); IVOR(40, 434); IVOR(41, 435);
}

/* --- code under test */

void start(const char *code, u32 msr)
{
	fill((u32)&context, 0, sizeof(context));
	context.pc = (u32)code;
	context.msr = msr;
}

u32 run(void)
{
	enter();
	return context.vector;
}

u32 run_code(const char *code, u32 msr)
{
	start(code, msr);
	return run();
}

bool stopped(void)
{
	return context.vector == SYSTEM_CALL;
}

bool ended(u32 vector, const char *code, u32 offset)
{
	return context.vector == vector && context.srr.pc == (u32)code + offset;
}

const char *word_code(u32 word)
{
	words[0] = word;
	words[1] = 0x44000002; /* sc */
	__asm__ volatile("dcbst 0, %0; sync; icbi 0, %0; sync; isync" : : "r"(words) : "memory");
	return (const char *)words;
}

/* --- where the command line is: the only text in the device tree that matters */

static bool has_word(const u32 *fdt, const char *word)
{
	const char *at = (const char *)fdt;

	if (fdt[0] != 0xd00dfeed)
		return false;
	for (u32 k = 0; k + 12 < fdt[1]; k++) {
		u32 n = 0;
		while (word[n] && at[k + n] == word[n])
			n++;
		if (!word[n] && at[k + n] == 0)
			return true;
	}
	return false;
}

/* The GPIO pin, which QEMU has too; the exit register, which it has not. */
static void leave(u32 status)
{
	if (!on_tcg)
		set_ccsr(EXIT_OFFSET, status);
	set_ccsr(GPIO_OFFSET + 8, 0);
	set_ccsr(GPIO_OFFSET, GPIO_POWEROFF_MASK);
	set_ccsr(GPIO_OFFSET + 8, GPIO_POWEROFF_MASK);
	for (;;)
		;
}

void main(const u32 *fdt)
{
	map_devices();
	set_vectors();
	on_tcg = has_word(fdt, "tcg");
	mtspr(HID0, mfspr(HID0) | 1 << 14); /* the timebase runs */
	mtspr(TCR, 0);
	note("pvr", mfspr(PVR));
	tlb_tests();
	interrupt_tests();
	timer_tests();
	debug_tests();
	doorbell_tests();
	external_tests();
	cache_tests();
	register_tests();
	mpic_tests();
	print("1..");
	print_number(checks);
	print("\n# e500: ");
	print_number(checks);
	print(" checks, ");
	print_number(failures);
	print(" failed, ");
	print_number(skipped);
	print(" skipped\n");
	leave(failures != 0);
}
