#include "tests.h"

/* Timers: e500mc core reference manual, "Timer Facilities". All loops end at some time even if what they wait for does not come. */

enum { DIE = 1 << 26, ARE = 1 << 22, FIE = 1 << 23, WIE = 1 << 27, DIS = 1 << 27, FIS = 1 << 26 };
#define ENW 0x80000000u
#define WIS 0x40000000u

/* Counts until an interrupt, or for so long that one should have come. */
CODE_OF(wait_long, "lis 3, 4\nmtctr 3\n1: addi 4, 4, 1\nbdnz 1b\n" STOP);
CODE_OF(just_stop, "nop\nnop\n" STOP);
CODE_OF(sleep, "wait\naddi 3, 3, 1\n" STOP);
CODE_OF(read_time, "mftb 3\nmftbu 4\nmfspr 5, 526\nmfspr 6, 527\n" STOP);
CODE_OF(write_time, "mtspr 284, 3\n" STOP);

static void quiet(void)
{
	mtspr(TCR, 0);
	mtspr(DEC, 0);
	mtspr(TSR, 0xffffffff);
}

/* Bit 2^k of the timebase in TCR's six bits for a period, from the left. */
static u32 fixed(u32 k) { u32 n = 63 - k; return (n & 3) << 24 | (n >> 2 & 15) << 13; }
static u32 watchdog(u32 k) { u32 n = 63 - k; return (n & 3) << 30 | (n >> 2 & 15) << 17; }

static bool wait_for(u32 bits)
{
	for (u32 k = 0; k < 2000000; k++)
		if ((mfspr(TSR) & bits) == bits)
			return true;
	return false;
}

static void timebase(void)
{
	u32 before = ticks();

	for (u32 k = 0; k < 1000 && ticks() == before; k++)
		;
	check(ticks() - before > 0 && ticks() - before < 0x10000000, "the timebase runs");
	run_code(read_time, MSR_PR);
	check_not_tcg(stopped(), "a user reads it, and the alternate timebase");
	run_code(write_time, MSR_PR);
	check(context.vector == PROGRAM && context.esr == ESR_PRIVILEGED, "and does not write it");
	mtspr(TBL_W, 0);
	mtspr(TBU_W, 0x1234);
	mtspr(TBL_W, 0);
	check(mfspr(TBU) == 0x1234 && ticks() < 0x1000000, "TBU and TBL are written");
	mtspr(TBL_W, 0xfffffff0);
	for (u32 k = 0; k < 1000000 && mfspr(TBU) == 0x1234; k++)
		;
	check(mfspr(TBU) == 0x1235, "TBL carries into TBU");
	mtspr(TBU_W, 0);
}

static void decrementer(void)
{
	quiet();
	mtspr(DEC, 0x10000000);
	u32 first = mfspr(DEC);
	for (u32 k = 0; k < 1000 && mfspr(DEC) == first; k++)
		;
	u32 then = mfspr(DEC);
	check_not_tcg(then < first && then > 0x0f000000, "DEC counts down");
	check((mfspr(TSR) & DIS) == 0, "and sets no TSR[DIS] on the way");
	mtspr(DEC, 100);
	check(wait_for(DIS), "DEC at 0 sets TSR[DIS]");
	mtspr(DEC, 0x7fffffff);
	check((mfspr(TSR) & DIS) != 0, "a new count leaves it");
	mtspr(TSR, DIS);
	check((mfspr(TSR) & DIS) == 0, "a one clears it");
	mtspr(DEC, 100);
	wait_for(DIS);
	check(run_code(wait_long, MSR_CE) == SYSTEM_CALL, "TCR[DIE] clear: no interrupt");
	mtspr(TCR, DIE);
	check(run_code(wait_long, 0) == SYSTEM_CALL, "MSR[EE] clear: no interrupt");
	check(run_code(just_stop, MSR_EE) == DECREMENTER && context.srr.pc == (u32)just_stop, "both set: decrementer interrupt, before the first instruction");
	check((mfspr(TSR) & DIS) != 0, "which leaves TSR[DIS]");
	mtspr(TSR, DIS);
	mtspr(DEC, 20000);
	check(run_code(wait_long, MSR_EE) == DECREMENTER && context.gpr[4] > 0, "it comes in the middle of a loop");
	quiet();
	mtspr(TCR, DIE);
	mtspr(DEC, 20000);
	run_code(sleep, MSR_EE);
	check(ended(DECREMENTER, sleep, 4) && context.gpr[3] == 0, "wait ends by it, and pc is behind wait");
	quiet();
	mtspr(DECAR, 0x1000);
	mtspr(TCR, ARE);
	mtspr(DEC, 100);
	check_not_tcg(wait_for(DIS) && mfspr(DEC) <= 0x1000 && mfspr(DEC) > 0, "TCR[ARE]: DEC starts again from DECAR");
	mtspr(TSR, DIS);
	check(wait_for(DIS), "and comes to 0 again and again");
	quiet();
	mtspr(DEC, 100);
	wait_for(DIS);
	for (u32 k = 0; k < 100; k++)
		ticks();
	check_not_tcg(mfspr(DEC) == 0, "without ARE it stays at 0");
	quiet();
}

static void interval(void)
{
	quiet();
	mtspr(TCR, fixed(10));
	mtspr(TSR, FIS);
	check_not_tcg(wait_for(FIS), "the fixed-interval timer: TSR[FIS] when its bit of the timebase rises");
	mtspr(TCR, fixed(10) | FIE);
	mtspr(TSR, FIS);
	check_not_tcg(run_code(wait_long, MSR_EE) == FIXED_INTERVAL, "TCR[FIE]: interrupt");
	check_not_tcg((context.handler_msr & MSR_EE) == 0 && (mfspr(TSR) & FIS) != 0, "of the base class; TSR[FIS] stays");
	check(run_code(wait_long, MSR_CE) == SYSTEM_CALL, "not with MSR[EE] clear");
	mtspr(TCR, 0);
	mtspr(TSR, FIS);
	check((mfspr(TSR) & FIS) == 0, "a one clears TSR[FIS]");
	quiet();
}

static void dog(void)
{
	quiet();
	mtspr(TCR, watchdog(10) | WIE);
	check_not_tcg(wait_for(ENW), "the watchdog: the first time-out sets TSR[ENW]");
	check_not_tcg(wait_for(WIS), "the second sets TSR[WIS]");
	check(run_code(wait_long, MSR_EE) == SYSTEM_CALL, "it is no matter of MSR[EE]");
	run_code(just_stop, MSR_CE | MSR_EE);
	check_not_tcg(context.vector == WATCHDOG && context.csrr.pc == (u32)just_stop, "with MSR[CE] it interrupts: CSRR0");
	check_not_tcg(context.csrr.msr == (MSR_CE | MSR_EE), "and CSRR1");
	check((context.handler_msr & (MSR_CE | MSR_EE)) == 0, "which clears CE and EE");
	mtspr(TCR, 0);
	mtspr(TSR, ENW | WIS);
	check((mfspr(TSR) & (ENW | WIS)) == 0, "ones clear its status");
	quiet();
}

void timer_tests(void)
{
	timebase();
	decrementer();
	interval();
	dog();
}
