#include "tests.h"

/* Address translation: e500mc core reference manual chapter 6. */

CODE_OF(load_word, "lwz 3, 0(4)\n" STOP);
CODE_OF(store_word, "stw 3, 0(4)\n" STOP);
CODE_OF(go, "mtctr 4\nbctr\n");
CODE_OF(unaligned_store, "stw 3, 0(4)\n" STOP);

static bool loads(u32 ea, u32 msr, u32 value)
{
	start(load_word, msr);
	context.gpr[4] = ea;
	run();
	return stopped() && context.gpr[3] == value;
}

static u32 touch(const char *code, u32 ea, u32 msr)
{
	start(code, msr);
	context.gpr[4] = ea;
	return run();
}

static void configuration(void)
{
	check(mfspr(TLB0CFG) == 0x04110200, "TLB0CFG: 512 entries of 4 ways, 4 KiB each");
	check((mfspr(TLB1CFG) & 0xfff) == 64 && mfspr(TLB1CFG) >> 24 == 64, "TLB1CFG: 64 entries, fully associative");
	check((mfspr(TLB1CFG) & 0x8000) != 0, "TLB1CFG: entries can be protected");
}

static void entries(void)
{
	tlb_write(ESEL(2), SIZE_4K | TID(5) | TS, 0x12345000 | WRITE_THROUGH | COHERENT, 0x00678000 | 0x3c0 | SR | UW | SX);
	mtspr(MAS1, 0);
	mtspr(MAS3, 0);
	mtspr(MAS7, 0xf);
	tlb_read(ESEL(2), 0x12345000);
	check(mfspr(MAS1) == (VALID | SIZE_4K | TID(5) | TS), "tlbre: MAS1 of a TLB0 entry is what was written");
	check(mfspr(MAS2) == (0x12345000 | WRITE_THROUGH | COHERENT), "tlbre: MAS2 with WIMGE");
	check(mfspr(MAS3) == (0x00678000 | 0x3c0 | SR | UW | SX), "tlbre: MAS3 with the user bits and permissions");
	check(mfspr(MAS7) == 0, "tlbre: MAS7 is loaded");
	tlb_read(ESEL(1), 0x12345000);
	check((mfspr(MAS1) & VALID) == 0, "tlbre: another way of the set is another entry");
	tlb_write(TLB1 | ESEL(20), IPROT | SIZE_1M | TID(3), 0x70000000, 0x02300000 | SR);
	tlb_read(TLB1 | ESEL(20), 0);
	check(mfspr(MAS1) == (VALID | IPROT | SIZE_1M | TID(3)) && (mfspr(MAS2) & 0xfffff000) == 0x70000000, "tlbre: a TLB1 entry has IPROT and a size");
	tlb_write(ESEL(0), SIZE_4K | IPROT, 0x12346000, AREA | SR);
	tlb_read(ESEL(0), 0x12346000);
	check((mfspr(MAS1) & IPROT) == 0, "tlbwe: there is no IPROT in TLB0");
	tlb_clear();
}

static void sizes(void)
{
	static const struct { u32 tsize, bytes; const char *what; } all[] = {
		{SIZE_4K, 0x1000, "TLB1: a page of 4 KiB"},
		{SIZE_16K, 0x4000, "TLB1: a page of 16 KiB"},
		{SIZE_64K, 0x10000, "TLB1: a page of 64 KiB"},
	};

	for (u32 k = 0; k < 3; k++) {
		tlb_write(TLB1 | ESEL(10), all[k].tsize, WINDOW, AREA | SR | SW);
		store(AREA + all[k].bytes - 4, 0x600d0000 + k);
		bool last = loads(WINDOW + all[k].bytes - 4, 0, 0x600d0000 + k);
		check(last && touch(load_word, WINDOW + all[k].bytes, 0) == DATA_TLB && context.dear == WINDOW + all[k].bytes, all[k].what);
		tlb_clear();
	}
	tlb_write(TLB1 | ESEL(10), SIZE_16M, WINDOW, SR | SW);
	store(AREA, 0x12345678);
	check(loads(WINDOW + AREA, 0, 0x12345678), "TLB1: a page of 16 MiB, where the address gives the lower bits");
	tlb_clear();
}

static void spaces(void)
{
	store(AREA, 0xaaaa0000);
	store(AREA + 0x1000, 0xbbbb0001);
	tlb_write(ESEL(0), SIZE_4K, WINDOW, AREA | SR | SW);
	tlb_write(ESEL(1), SIZE_4K | TS, WINDOW, (AREA + 0x1000) | SR | SW);
	check(loads(WINDOW, 0, 0xaaaa0000), "TS 0 answers data with MSR[DS] clear");
	check(loads(WINDOW, MSR_DS, 0xbbbb0001), "TS 1 answers data with MSR[DS] set");
	tlb_clear();
	check(touch(load_word, WINDOW, MSR_DS) == DATA_TLB && (mfspr(MAS1) & TS) != 0 && (context.mas[6] & 1) == 1, "a miss leaves the space in MAS1[TS] and MAS6[SAS]");
	tlb_write(TLB1 | ESEL(11), SIZE_1M | TS, 0x00100000, 0x00100000 | SX | SR | SW);
	check(loads(AREA, MSR_IS, load(AREA)) || context.vector == SYSTEM_CALL, "MSR[IS] set: code comes from space 1");
	tlb_clear();
	check(run_code(load_word, MSR_IS) == INSTRUCTION_TLB && context.srr.pc == (u32)load_word && (context.srr.msr & MSR_IS) != 0, "and misses there without an entry, pc at the instruction");
	check((context.mas[1] & TS) != 0, "an instruction miss leaves MSR[IS] in MAS1[TS]");
	check((context.handler_msr & (MSR_IS | MSR_DS | MSR_PR | MSR_EE)) == 0, "an interrupt clears IS, DS, PR and EE");
}

static void processes(void)
{
	store(AREA, 1);
	store(AREA + 0x1000, 2);
	tlb_write(ESEL(0), SIZE_4K | TID(1), WINDOW, AREA | SR);
	tlb_write(ESEL(1), SIZE_4K | TID(2), WINDOW, (AREA + 0x1000) | SR);
	mtspr(PID, 1);
	check(loads(WINDOW, 0, 1), "PID 1 finds its page");
	mtspr(PID, 2);
	check(loads(WINDOW, 0, 2), "PID 2 finds its own at the same address");
	mtspr(PID, 3);
	check(touch(load_word, WINDOW, 0) == DATA_TLB, "PID 3 finds none");
	check((context.mas[1] >> 16 & 0xff) == 3, "a miss leaves PID in MAS1[TID]");
	check((context.mas[6] >> 16 & 0xff) == 3, "a miss leaves PID in MAS6[SPID]");
	mtspr(PID, 0);
	tlb_write(ESEL(2), SIZE_4K, WINDOW + 0x1000, AREA | SR);
	mtspr(PID, 7);
	check(loads(WINDOW + 0x1000, 0, 1), "TID 0 is everybody's");
	mtspr(PID, 0);
	mtspr(PID, 0xffff);
	check_not_tcg(mfspr(PID) == 0xff, "PID has eight bits");
	mtspr(PID, 0);
	tlb_clear();
}

static void permissions(void)
{
	static const struct { u32 bits, load, store, user_load, user_store; const char *what; } rows[] = {
		{0, DATA, DATA, DATA, DATA, "no permission: nobody reads or writes"},
		{SR, 8, DATA, DATA, DATA, "SR: the supervisor reads"},
		{SW, DATA, 8, DATA, DATA, "SW: the supervisor writes, and does not read"},
		{SR | SW, 8, 8, DATA, DATA, "SR, SW: the supervisor does both"},
		{UR, DATA, DATA, 8, DATA, "UR: the user reads, and the supervisor does not"},
		{UW, DATA, DATA, DATA, 8, "UW: the user writes"},
		{UR | UW, DATA, DATA, 8, 8, "UR, UW: the user does both"},
		{SX | UX, DATA, DATA, DATA, DATA, "SX, UX: neither reads nor writes"},
	};

	for (u32 k = 0; k < sizeof rows / sizeof *rows; k++) {
		map(WINDOW, AREA, rows[k].bits);
		check(touch(load_word, WINDOW, 0) == rows[k].load && touch(store_word, WINDOW, 0) == rows[k].store &&
		      touch(load_word, WINDOW, MSR_PR) == rows[k].user_load && touch(store_word, WINDOW, MSR_PR) == rows[k].user_store, rows[k].what);
	}
	map(WINDOW, AREA, SR);
	touch(store_word, WINDOW + 8, 0);
	check(ended(DATA, store_word, 0) && context.dear == WINDOW + 8 && context.esr == ESR_STORE, "a store refused: DEAR, ESR[ST], pc at the store");
	map(WINDOW, AREA, SW);
	touch(load_word, WINDOW + 12, 0);
	check(ended(DATA, load_word, 0) && context.dear == WINDOW + 12 && context.esr == 0, "a load refused: DEAR, ESR 0");
	touch(store_word, WINDOW + 0x2000, 0);
	check(ended(DATA_TLB, store_word, 0) && context.dear == WINDOW + 0x2000 && context.esr == ESR_STORE, "a store missed: DEAR, ESR[ST]");

	store(AREA, 0x44000002);
	__asm__ volatile("dcbst 0, %0; sync; icbi 0, %0; sync; isync" : : "r"(AREA) : "memory");
	map(WINDOW, AREA, SX);
	touch(go, WINDOW, 0);
	check(context.vector == SYSTEM_CALL && context.srr.pc == WINDOW + 4, "SX: the supervisor runs code there");
	touch(go, WINDOW, MSR_PR);
	check(context.vector == INSTRUCTION && context.srr.pc == WINDOW, "and the user does not: instruction storage, pc at the target");
	map(WINDOW, AREA, UX);
	touch(go, WINDOW, MSR_PR);
	check(context.vector == SYSTEM_CALL && (context.srr.msr & MSR_PR) != 0, "UX: the user runs code there");
	touch(go, WINDOW, 0);
	check(context.vector == INSTRUCTION, "and the supervisor does not");
	touch(go, WINDOW + 0x3000, MSR_PR);
	check(context.vector == INSTRUCTION_TLB && context.srr.pc == WINDOW + 0x3000, "code that is nowhere: instruction TLB miss, pc at the target");
	tlb_clear();
}

static void crossing(void)
{
	map(WINDOW, AREA, SR | SW);
	store(AREA + 0xffc, 0x11111111);
	start(unaligned_store, 0);
	context.gpr[4] = WINDOW + 0xffe;
	context.gpr[3] = 0xffffffff;
	run();
	check(context.vector == DATA_TLB && load(AREA + 0xffc) == 0x11111111, "a store over the end of a page into none stores nothing");
	check(context.dear == WINDOW + 0x1000 || context.dear == WINDOW + 0xffe, "DEAR names the access or the page that was not there");
	tlb_clear();
}

static void defaults(void)
{
	mtspr(MAS4, SIZE_16K | COHERENT);
	touch(load_word, WINDOW + 0x5678, 0);
	check(context.vector == DATA_TLB && (context.mas[1] & VALID) != 0 && (context.mas[1] & 0xf00) == SIZE_16K, "a miss: MAS1 is valid, with MAS4's size");
	check(context.mas[2] == ((WINDOW + 0x5000) | COHERENT), "a miss: MAS2 has the page, and MAS4's attributes");
	check((context.mas[0] & TLB1) == 0, "a miss: MAS0 names TLB0");
	check(context.mas[3] == 0 && context.mas[7] == 0, "a miss: MAS3 and MAS7 are 0");
	mtspr(MAS4, TLB1 | SIZE_1M);
	touch(load_word, WINDOW, 0);
	check((context.mas[0] & TLB1) != 0, "a miss: MAS0 names TLB1 if MAS4 does");
	mtspr(MAS4, 0);
}

static void search(void)
{
	tlb_write(ESEL(3), SIZE_4K | TID(9), WINDOW, AREA | SR | UW);
	tlb_search(WINDOW + 0x123, TID(9));
	check((mfspr(MAS1) & VALID) != 0 && (mfspr(MAS0) & (TLB1 | ESEL(3))) == ESEL(3), "tlbsx finds an entry of TLB0 and its way");
	check(mfspr(MAS3) == (AREA | SR | UW) && (mfspr(MAS2) & 0xfffff000) == WINDOW, "tlbsx loads MAS2 and MAS3");
	tlb_search(WINDOW, TID(8));
	check((mfspr(MAS1) & VALID) == 0, "tlbsx for another process finds none: MAS1[V] is 0");
	tlb_search(WINDOW, TID(9) | 1);
	check((mfspr(MAS1) & VALID) == 0, "nor for the other space");
	tlb_write(TLB1 | ESEL(33), SIZE_64K, WINDOW + 0x100000, AREA | SR);
	tlb_search(WINDOW + 0x10ffff, TID(4));
	check((mfspr(MAS1) & VALID) != 0 && (mfspr(MAS0) & (TLB1 | 0x3f0000)) == (TLB1 | ESEL(33)), "tlbsx finds an entry of TLB1 of everybody's");
	tlb_clear();
}

static bool valid0(u32 way, u32 ea)
{
	tlb_read(ESEL(way), ea);
	return (mfspr(MAS1) & VALID) != 0;
}

static bool valid1(u32 entry)
{
	tlb_read(TLB1 | ESEL(entry), 0);
	return (mfspr(MAS1) & VALID) != 0;
}

static void fill_both(void)
{
	tlb_write(ESEL(0), SIZE_4K | TID(1), WINDOW, AREA | SR);
	tlb_write(ESEL(1), SIZE_4K | TID(2), WINDOW, AREA | SR);
	tlb_write(ESEL(2), SIZE_4K | TID(2), WINDOW + 0x80000, AREA | SR);
	tlb_write(TLB1 | ESEL(40), SIZE_64K | TID(2), WINDOW + 0x100000, AREA | SR);
	tlb_write(TLB1 | ESEL(41), IPROT | SIZE_64K | TID(2), WINDOW + 0x200000, AREA | SR);
}

static void tlbivax(u32 address)
{
	__asm__ volatile("tlbivax 0, %0; tlbsync; msync; isync" : : "r"(address) : "memory");
}

static void invalidation(void)
{
	fill_both();
	tlbivax(WINDOW);
	check(!valid0(0, WINDOW) && !valid0(1, WINDOW), "tlbivax: every process's entry for a page goes from TLB0");
	check(valid0(2, WINDOW + 0x80000), "tlbivax: another page of the same set stays");
	fill_both();
	tlbivax(WINDOW + 0x100000 + 8);
	check(!valid1(40) && valid0(0, WINDOW), "tlbivax with EA[60]: TLB1");
	tlbivax(WINDOW + 0x200000 + 8);
	check(valid1(41), "tlbivax: a protected entry stays");
	fill_both();
	tlbivax(4);
	check(!valid0(0, WINDOW) && !valid0(2, WINDOW + 0x80000) && valid1(40), "tlbivax with EA[61]: all of TLB0");
	fill_both();
	tlbivax(4 | 8);
	check(!valid1(40) && valid1(41) && valid0(0, WINDOW), "tlbivax with EA[60] and EA[61]: all of TLB1 but protected entries");

	fill_both();
	mtspr(MAS6, TID(2));
	__asm__ volatile("tlbilxva 0, %0; isync" : : "r"(WINDOW) : "memory");
	check(valid0(0, WINDOW) && !valid0(1, WINDOW) && valid0(2, WINDOW + 0x80000), "tlbilx T=3: one page of one process");
	fill_both();
	mtspr(MAS6, TID(2));
	__asm__ volatile("tlbilxpid; isync" : : : "memory");
	check(valid0(0, WINDOW) && !valid0(1, WINDOW) && !valid0(2, WINDOW + 0x80000), "tlbilx T=1: a process's entries of TLB0");
	check(!valid1(40) && valid1(41), "tlbilx T=1: and of TLB1, but protected ones");
	fill_both();
	__asm__ volatile("tlbilxlpid; isync" : : : "memory");
	check(!valid0(0, WINDOW) && !valid0(1, WINDOW) && !valid1(40) && valid1(41), "tlbilx T=0: everything but protected entries");
	fill_both();
	mtspr(MMUCSR0, 4);
	check(!valid0(0, WINDOW) && !valid0(2, WINDOW + 0x80000) && valid1(40), "MMUCSR0[TLB0_FI] empties TLB0");
	mtspr(MMUCSR0, 2);
	check(!valid1(40) && valid1(41), "MMUCSR0[TLB1_FI] empties TLB1 but for protected entries");
	check((mfspr(MMUCSR0) & 6) == 0, "MMUCSR0: the bits clear themselves");
	tlb_clear();
}

static void ways(void)
{
	bool all = true;

	for (u32 k = 0; k < 4; k++) {
		store(AREA + 0x1000 * k, k);
		tlb_write(ESEL(k), SIZE_4K, WINDOW + 0x80000 * k, (AREA + 0x1000 * k) | SR);
	}
	for (u32 k = 0; k < 4; k++)
		all = all && loads(WINDOW + 0x80000 * k, 0, k);
	check(all, "TLB0: four pages of one set at once");
	tlb_write(ESEL(1), SIZE_4K, WINDOW + 0x80000 * 5, AREA | SR);
	check(touch(load_word, WINDOW + 0x80000, 0) == DATA_TLB && loads(WINDOW + 0x80000 * 5, 0, 0), "TLB0: an entry that is written over is gone");
	tlb_clear();
}

void tlb_tests(void)
{
	tlb_clear();
	configuration();
	entries();
	sizes();
	spaces();
	processes();
	permissions();
	crossing();
	defaults();
	search();
	invalidation();
	ways();
}
