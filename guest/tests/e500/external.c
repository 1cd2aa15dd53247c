#include "tests.h"

/* Loads and stores of another process: Power ISA 2.06 Book III-E, "External Process ID Instructions". */

enum { EPR_USER = 1u << 31, EAS = 1 << 30 };

CODE_OF(lwepx, ".long 0x7c60203e\n" STOP);  /* lwepx r3, 0, r4 */
CODE_OF(lbepx, ".long 0x7c6020be\n" STOP);
CODE_OF(lhepx, ".long 0x7c60223e\n" STOP);
CODE_OF(stwepx, ".long 0x7c60213e\n" STOP);
CODE_OF(stbepx, ".long 0x7c6021be\n" STOP);
CODE_OF(sthepx, ".long 0x7c60233e\n" STOP);
CODE_OF(lfdepx, ".long 0x7c2024be\nstfd 1, 0(5)\n" STOP); /* f1 */
CODE_OF(stfdepx, "lfd 1, 0(5)\n.long 0x7c2025be\n" STOP);
CODE_OF(dcbzep, ".long 0x7c0027fe\n" STOP);
CODE_OF(dcbstep, ".long 0x7c00207e\n" STOP);
CODE_OF(dcbfep, ".long 0x7c0020fe\n" STOP);
CODE_OF(icbiep, ".long 0x7c0027be\n" STOP);
CODE_OF(dcbtep, ".long 0x7c00227e\n" STOP);

static u32 external(const char *code, u32 ea, u32 value, u32 msr)
{
	start(code, msr);
	context.gpr[4] = ea;
	context.gpr[3] = value;
	context.gpr[5] = AREA + 0x8000;
	return run();
}

void external_tests(void)
{
	tlb_clear();
	fill(AREA, 0, 0x3000);
	store(AREA, 0x11223344);
	store(AREA + 4, 0x55667788);
	store(AREA + 0x1000, 0xa1a2a3a4);
	tlb_write(ESEL(0), SIZE_4K | TID(1), WINDOW, AREA | UR | UW | SR | SW);
	tlb_write(ESEL(1), SIZE_4K | TID(2), WINDOW, (AREA + 0x1000) | UR | UW);
	tlb_write(ESEL(2), SIZE_4K | TID(1) | TS, WINDOW, (AREA + 0x2000) | SR | SW);
	mtspr(PID, 2);
	mtspr(EPLC, 1);
	mtspr(EPSC, 1);
	check(external(lwepx, WINDOW, 0, 0) == SYSTEM_CALL && context.gpr[3] == 0x11223344, "lwepx loads a word of EPLC's process");
	check(external(lhepx, WINDOW + 2, -1, 0) == SYSTEM_CALL && context.gpr[3] == 0x3344, "lhepx a halfword, with zeros above");
	check(external(lbepx, WINDOW + 5, -1, 0) == SYSTEM_CALL && context.gpr[3] == 0x66, "lbepx a byte");
	check(external(lwepx, WINDOW + 1, 0, 0) == SYSTEM_CALL && context.gpr[3] == 0x22334455, "lwepx of no multiple of 4");
	external(stwepx, WINDOW + 0x10, 0xcafef00d, 0);
	check(stopped() && load(AREA + 0x10) == 0xcafef00d, "stwepx stores a word");
	external(sthepx, WINDOW + 0x14, 0x12345678, 0);
	check(stopped() && load(AREA + 0x14) == 0x56780000, "sthepx a halfword");
	external(stbepx, WINDOW + 0x1b, 0x12345678, 0);
	check(stopped() && load(AREA + 0x18) == 0x78, "stbepx a byte");
	external(lfdepx, WINDOW, 0, MSR_FP);
	check(stopped() && load(AREA + 0x8000) == 0x11223344 && load(AREA + 0x8004) == 0x55667788, "lfdepx a double");
	external(stfdepx, WINDOW + 0x20, 0, MSR_FP);
	check(stopped() && load(AREA + 0x20) == 0x11223344 && load(AREA + 0x24) == 0x55667788, "stfdepx a double");
	check(external(lfdepx, WINDOW, 0, 0) == FP_UNAVAILABLE, "lfdepx needs MSR[FP]");
	mtspr(EPLC, 2 | EPR_USER);
	check(external(lwepx, WINDOW, 0, 0) == SYSTEM_CALL && context.gpr[3] == 0xa1a2a3a4, "EPLC[EPR]: with the user's permissions");
	mtspr(EPLC, 2);
	external(lwepx, WINDOW, 0, 0);
	check(ended(DATA, lwepx, 0) && context.dear == WINDOW, "without: the supervisor's, data storage");
	check((context.esr & ESR_EXTERNAL_PID) != 0, "ESR[EPID]");
	mtspr(EPSC, 2);
	external(stwepx, WINDOW, 0, 0);
	check(ended(DATA, stwepx, 0) && context.esr == (ESR_STORE | ESR_EXTERNAL_PID), "a store: ESR[ST] too");
	mtspr(EPLC, 3);
	external(lwepx, WINDOW, 0, 0);
	check(ended(DATA_TLB, lwepx, 0) && (context.esr & ESR_EXTERNAL_PID) != 0, "a process without the page: data TLB miss");
	check((context.mas[1] >> 16 & 0xff) == 3 && (context.mas[6] >> 16 & 0xff) == 3, "which leaves EPLC's process in MAS1 and MAS6");
	mtspr(EPLC, 1 | EAS);
	store(AREA + 0x2000, 0x77);
	check(external(lwepx, WINDOW, 0, 0) == SYSTEM_CALL && context.gpr[3] == 0x77, "EPLC[EAS]: space 1");
	mtspr(EPSC, 1);
	fill(AREA, 0xff, 0x200);
	external(dcbzep, WINDOW + 0x77, 0, 0);
	check(stopped() && load(AREA + 0x3c) == 0xffffffff && load(AREA + 0x40) == 0 && load(AREA + 0x7c) == 0 && load(AREA + 0x80) == 0xffffffff, "dcbzep zeroes a line of EPSC's process");
	mtspr(EPLC, 1);
	check(external(dcbstep, WINDOW, 0, 0) == SYSTEM_CALL && external(dcbfep, WINDOW, 0, 0) == SYSTEM_CALL, "dcbstep and dcbfep of a page that is there");
	check(external(icbiep, WINDOW, 0, 0) == SYSTEM_CALL, "icbiep too");
	mtspr(EPLC, 4);
	mtspr(EPSC, 4);
	check(external(dcbstep, WINDOW, 0, 0) == DATA_TLB, "dcbstep of one that is not: a miss");
	check(external(dcbtep, WINDOW, 0, 0) == SYSTEM_CALL, "dcbtep never");
	static const char *const all[] = {lwepx, lbepx, lhepx, stwepx, stbepx, sthepx};
	bool refused = true;
	for (u32 k = 0; k < 6; k++)
		refused = refused && external(all[k], WINDOW, 0, MSR_PR) == PROGRAM && context.esr == ESR_PRIVILEGED;
	check(refused, "all are the supervisor's");
	static const char *const caches[] = {dcbzep, dcbstep, dcbfep, icbiep, dcbtep};
	refused = true;
	for (u32 k = 0; k < 5; k++)
		refused = refused && external(caches[k], WINDOW, 0, MSR_PR) == PROGRAM && context.esr == ESR_PRIVILEGED;
	check_not_tcg(refused, "those for caches too");
	mtspr(PID, 0);
	mtspr(EPLC, 0);
	mtspr(EPSC, 0);
	tlb_clear();
}
