#include "tests.h"

/* Cache instructions: Power ISA 2.06 Book II chapter 4 and Book III-E, "Cache Locking". Lines have 64 bytes. */

CODE_OF(dcbz, "dcbz 0, 4\n" STOP);
CODE_OF(dcbst, "dcbst 0, 4\n" STOP);
CODE_OF(dcbf, "dcbf 0, 4\n" STOP);
CODE_OF(dcbi, "dcbi 0, 4\n" STOP);
CODE_OF(icbi, "icbi 0, 4\n" STOP);
CODE_OF(dcba, "dcba 0, 4\n" STOP);
CODE_OF(dcbt, "dcbt 0, 4\n" STOP);
CODE_OF(dcbtst, "dcbtst 0, 4\n" STOP);
CODE_OF(icbt, ".long 0x7c00202c\n" STOP);
CODE_OF(dcbtls, ".long 0x7c00214c\n" STOP);
CODE_OF(dcbtstls, ".long 0x7c00210c\n" STOP);
CODE_OF(dcblc, ".long 0x7c00230c\n" STOP);
CODE_OF(icbtls, ".long 0x7c0023cc\n" STOP);
CODE_OF(icblc, ".long 0x7c0021cc\n" STOP);
CODE_OF(patched, "li 3, 1\n" STOP);
CODE_OF(barriers, "msync\nisync\nmbar\nlwsync\n" STOP);

static u32 at(const char *code, u32 address, u32 msr)
{
	start(code, msr);
	context.gpr[4] = address;
	return run();
}

static void zeroes(void)
{
	fill(AREA, 0xff, 0x200);
	at(dcbz, AREA + 0x5d, 0);
	check(stopped() && load(AREA + 0x3c) == 0xffffffff && load(AREA + 0x40) == 0 && load(AREA + 0x7c) == 0 && load(AREA + 0x80) == 0xffffffff, "dcbz zeroes the 64 bytes around its address, and no others");
	at(dcbz, WINDOW + 0x123, 0);
	check(ended(DATA_TLB, dcbz, 0) && context.esr == ESR_STORE, "dcbz misses as a store");
	check(context.dear == WINDOW + 0x123 || context.dear == WINDOW + 0x100, "DEAR in its line");
	map(WINDOW, AREA, SR | UR);
	at(dcbz, WINDOW, 0);
	check(context.vector == DATA && context.esr == ESR_STORE, "dcbz of a read-only page: data storage, ESR[ST]");
	tlb_write(0, SIZE_4K, WINDOW | INHIBITED, AREA | ALL);
	fill(AREA, 0xff, 64);
	at(dcbz, WINDOW, 0);
	check_not_tcg(context.vector == ALIGNMENT && load(AREA) == 0xffffffff, "dcbz of a cache-inhibited page: alignment, and nothing is zeroed");
	tlb_write(0, SIZE_4K, WINDOW | WRITE_THROUGH, AREA | ALL);
	at(dcbz, WINDOW, 0);
	check_not_tcg(context.vector == ALIGNMENT, "and of one that is written through");
	tlb_write(0, SIZE_4K, WINDOW | COHERENT, AREA | ALL);
	at(dcbz, WINDOW, MSR_PR);
	check(stopped() && load(AREA) == 0, "dcbz for a user, of an ordinary page");
	tlb_clear();
}

static void blocks(void)
{
	static const struct { const char *code, *what; } all[] = {
		{dcbst, "dcbst misses as a load"},
		{dcbf, "dcbf misses as a load"},
		{icbi, "icbi misses as a load"},
	};
	static const struct { const char *code, *what; } hints[] = {
		{dcbt, "dcbt of nothing does nothing"},
		{dcbtst, "dcbtst of nothing does nothing"},
		{icbt, "icbt of nothing does nothing"},
		{dcba, "dcba of nothing does nothing"},
	};

	for (u32 k = 0; k < 3; k++) {
		at(all[k].code, WINDOW, 0);
		check(ended(DATA_TLB, all[k].code, 0) && context.esr == 0, all[k].what);
	}
	map(WINDOW, AREA, SR);
	check(at(dcbst, WINDOW, 0) == SYSTEM_CALL && at(dcbf, WINDOW, 0) == SYSTEM_CALL && at(icbi, WINDOW, 0) == SYSTEM_CALL, "a page that can be read will do");
	check(at(dcbi, WINDOW, 0) == DATA && context.esr == ESR_STORE, "dcbi is a store");
	check(at(dcbi, AREA, MSR_PR) == PROGRAM && context.esr == ESR_PRIVILEGED, "and the supervisor's");
	tlb_clear();
	for (u32 k = 0; k < 4; k++)
		check(at(hints[k].code, WINDOW, 0) == SYSTEM_CALL, hints[k].what);
	check(run_code(barriers, MSR_PR) == SYSTEM_CALL, "msync, isync, mbar and lwsync are everybody's");
}

static void locks(void)
{
	static const struct { const char *code; u32 syndrome; const char *what; } all[] = {
		{dcbtls, ESR_DATA_LOCK, "dcbtls of a user: data storage, ESR[DLK]"},
		{dcbtstls, ESR_DATA_LOCK, "dcbtstls: ESR[DLK]"},
		{dcblc, ESR_DATA_LOCK, "dcblc: ESR[DLK]"},
		{icbtls, ESR_INSTRUCTION_LOCK, "icbtls: ESR[ILK]"},
		{icblc, ESR_INSTRUCTION_LOCK, "icblc: ESR[ILK]"},
	};

	for (u32 k = 0; k < 5; k++) {
		at(all[k].code, AREA, MSR_PR);
		check_not_tcg(ended(DATA, all[k].code, 0) && context.esr == all[k].syndrome, all[k].what);
	}
	bool allowed = true;
	for (u32 k = 0; k < 5; k++)
		allowed = allowed && at(all[k].code, AREA, MSR_PR | MSR_UCLE) == SYSTEM_CALL;
	check_not_tcg(allowed, "MSR[UCLE] lets a user lock");
	allowed = true;
	for (u32 k = 0; k < 5; k++)
		allowed = allowed && at(all[k].code, AREA, 0) == SYSTEM_CALL;
	check_not_tcg(allowed, "the supervisor always may");
	mtspr(L1CSR0, 0);
	at(dcbtls, AREA, 0);
	check((mfspr(L1CSR0) & 0x400) != 0, "a data cache that is off cannot lock: L1CSR0[CUL]");
	mtspr(L1CSR0, 0);
}

static void code_is_data(void)
{
	u32 *word = (u32 *)(u32)patched;

	run_code(patched, 0);
	bool before = context.gpr[3] == 1;
	*word = 0x38600002; /* li 3, 2 */
	__asm__ volatile("dcbst 0, %0; msync; icbi 0, %0; msync; isync" : : "r"(word) : "memory");
	run_code(patched, 0);
	check(before && context.gpr[3] == 2, "code that was written, then dcbst and icbi: the new code runs");
	*word = 0x38600001;
	__asm__ volatile("dcbst 0, %0; msync; icbi 0, %0; msync; isync" : : "r"(word) : "memory");
}

void cache_tests(void)
{
	zeroes();
	blocks();
	locks();
	code_is_data();
}
