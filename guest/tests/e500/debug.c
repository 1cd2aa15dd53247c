#include "tests.h"

/* The debug facility: Power ISA 2.06 Book III-E chapter 10; e500mc core reference manual, "Debug Facilities". DSRR0 and DSRR1 save. */

#define IDM 0x40000000u
enum { ICMP = 1 << 27, BRT = 1 << 26, IRPT = 1 << 25, TRAP = 1 << 24, E_IAC1 = 1 << 23, E_IAC2 = 1 << 22, DAC1R = 1 << 19, DAC1W = 1 << 18, DAC2R = 1 << 17, DAC2W = 1 << 16, RET = 1 << 15 };
#define IDE 0x80000000u

CODE_OF(steps, "addi 3, 3, 1\naddi 3, 3, 1\naddi 3, 3, 1\n" STOP);
CODE_OF(turns, "addi 3, 3, 1\nb 1f\nnop\n1: addi 3, 3, 1\n" STOP);
CODE_OF(no_turn, "cmpwi 3, 0\nbne 1f\naddi 3, 3, 1\n1:" STOP);
CODE_OF(touches, "lwz 3, 0(4)\nstw 3, 8(4)\nlbz 5, 15(4)\n" STOP);
CODE_OF(traps, "nop\ntrap\n" STOP);
CODE_OF(calls, "sc\n");
CODE_OF(returns, "mtspr 26, 3\nrfi\n");
CODE_OF(allow, "mtmsr 4\nnop\nnop\n" STOP);

static u32 debugged(const char *code, u32 events, u32 msr)
{
	mtspr(DBSR, 0xffffffff);
	mtspr(DBCR0, IDM | events);
	return run_code(code, msr);
}

static bool hit(const char *at, u32 offset, u32 status)
{
	return context.vector == DEBUG && context.dsrr.pc == (u32)at + offset && (context.dbsr & status) == status;
}

static void stepping(void)
{
	debugged(steps, ICMP, MSR_DE);
	check(hit(steps, 4, ICMP) && context.gpr[3] == 1, "ICMP: an interrupt behind each instruction");
	check((context.dsrr.msr & MSR_DE) != 0 && (context.handler_msr & MSR_DE) == 0, "which saves MSR in DSRR1 and clears DE");
	check((context.handler_msr & (MSR_CE | MSR_EE)) == 0, "and CE and EE");
	debugged(steps, ICMP, 0);
	check(stopped() && context.gpr[3] == 3, "none with MSR[DE] clear");
	mtspr(DBSR, 0xffffffff);
	mtspr(DBCR0, ICMP);
	run_code(steps, MSR_DE);
	check_not_tcg(stopped(), "none with DBCR0[IDM] clear");
	mtspr(DBCR0, IDM | ICMP);
	debugged(steps, ICMP, MSR_DE | MSR_PR);
	check(hit(steps, 4, ICMP) && (context.dsrr.msr & MSR_PR) != 0, "a user is stepped too");
}

static void branches(void)
{
	debugged(turns, BRT, MSR_DE);
	check_not_tcg(hit(turns, 4, BRT) && context.gpr[3] == 1, "BRT: before a branch that is taken");
	debugged(no_turn, BRT, MSR_DE);
	/* The first that is taken behind it is the handler's own. */
	check_not_tcg(hit((const char *)vectors[SYSTEM_CALL], 8, BRT), "not at one that is not");
	debugged(turns, BRT, 0);
	check(stopped(), "nor with MSR[DE] clear");
}

static void instructions(void)
{
	mtspr(DBCR1, 0);
	mtspr(IAC1, steps + 4);
	mtspr(IAC2, steps + 8);
	debugged(steps, E_IAC1, MSR_DE);
	check_not_tcg(hit(steps, 4, E_IAC1) && context.gpr[3] == 1, "IAC1: before the instruction at its address");
	debugged(steps, E_IAC2, MSR_DE);
	check_not_tcg(hit(steps, 8, E_IAC2) && context.gpr[3] == 2, "IAC2");
	debugged(steps, E_IAC1, 0);
	check_not_tcg(stopped() && (context.dbsr & (IDE | E_IAC1)) == (IDE | E_IAC1), "MSR[DE] clear: recorded as imprecise");
	mtspr(DBCR1, 2u << 30); /* IAC1US: supervisor */
	debugged(steps, E_IAC1, MSR_DE | MSR_PR);
	check(stopped(), "DBCR1[IAC1US] 2: not for a user");
	debugged(steps, E_IAC1, MSR_DE);
	check_not_tcg(hit(steps, 4, E_IAC1), "but for the supervisor");
	mtspr(DBCR1, 3u << 30);
	debugged(steps, E_IAC1, MSR_DE | MSR_PR);
	check_not_tcg(hit(steps, 4, E_IAC1), "3: for a user");
	mtspr(DBCR1, 2u << 22); /* IAC12M: inside of the range */
	mtspr(IAC1, steps + 4);
	mtspr(IAC2, steps + 12);
	debugged(steps, E_IAC1, MSR_DE);
	check_not_tcg(hit(steps, 4, E_IAC1), "DBCR1[IAC12M] 2: from IAC1 to IAC2");
	mtspr(DBCR1, 3u << 22);
	mtspr(IAC2, steps + 4);
	mtspr(IAC1, steps);
	debugged(steps, E_IAC1, MSR_DE);
	check_not_tcg(hit(steps, 0, IDE | E_IAC1), "3: outside of it, as the kernel's own code was when DE was clear");
	mtspr(DBCR1, 0);
}

static u32 watched(u32 events, u32 msr)
{
	mtspr(DBSR, 0xffffffff);
	mtspr(DBCR0, IDM | events);
	start(touches, msr);
	context.gpr[4] = AREA;
	return run();
}

static void data(void)
{
	mtspr(DBCR2, 0);
	mtspr(DAC1, AREA);
	mtspr(DAC2, AREA + 8);
	store(AREA, 0x77);
	store(AREA + 8, 0);
	watched(DAC1R, MSR_DE);
	check_not_tcg(hit(touches, 0, DAC1R) && context.gpr[3] == 0, "DAC1 for loads: before the load");
	watched(DAC1W, MSR_DE);
	check(stopped(), "DAC1 for stores: not at a load");
	store(AREA + 8, 0);
	watched(DAC2W, MSR_DE);
	check_not_tcg(hit(touches, 4, DAC2W) && load(AREA + 8) == 0, "DAC2 for stores: before the store");
	mtspr(DAC1, AREA + 15);
	watched(DAC1R, MSR_DE);
	check_not_tcg(hit(touches, 8, DAC1R), "a byte load at its address");
	mtspr(DAC1, AREA + 2);
	watched(DAC1R, MSR_DE);
	check_not_tcg(hit(touches, 0, DAC1R), "a word load that has the byte among its four");
	watched(DAC1R, 0);
	check_not_tcg(stopped() && (context.dbsr & (IDE | DAC1R)) == (IDE | DAC1R), "MSR[DE] clear: recorded as imprecise");
	mtspr(DBCR2, 3u << 30);
	watched(DAC1R, MSR_DE);
	check(stopped(), "DBCR2[DAC1US] 3: not for the supervisor");
	mtspr(DBCR2, 2u << 22);
	mtspr(DAC1, AREA + 8);
	mtspr(DAC2, AREA + 12);
	watched(DAC1R | DAC1W, MSR_DE);
	check_not_tcg(hit(touches, 4, DAC1W), "DBCR2[DAC12M] 2: from DAC1 to DAC2");
	mtspr(DBCR2, 0);
}

static void events(void)
{
	debugged(traps, TRAP, MSR_DE);
	check_not_tcg(hit(traps, 4, TRAP), "TRAP: in the place of the program interrupt");
	debugged(traps, TRAP, 0);
	check(context.vector == PROGRAM, "MSR[DE] clear: the program interrupt");
	debugged(calls, IRPT, MSR_DE);
	check_not_tcg(context.vector == DEBUG && (context.dbsr & IRPT) != 0 && context.srr.pc == (u32)calls + 4, "IRPT: behind the entry of a base interrupt");
	mtspr(DBSR, 0xffffffff);
	mtspr(DBCR0, IDM | RET);
	start(returns, MSR_DE);
	context.gpr[3] = (u32)steps;
	run();
	check_not_tcg(hit(returns, 4, RET), "RET: before rfi");
	mtspr(DBCR0, 0);
	mtspr(DBSR, 0xffffffff);
	mtspr(DBSRWR, E_IAC1);
	check_not_tcg(mfspr(DBSR) == E_IAC1, "DBSRWR writes DBSR");
	mtspr(DBSR, E_IAC1);
	check((mfspr(DBSR) & E_IAC1) == 0, "and DBSR is cleared by ones");
	mtspr(DBSRWR, ICMP);
	mtspr(DBCR0, IDM);
	start(allow, 0);
	context.gpr[4] = MSR_DE;
	run();
	check_not_tcg(context.vector == DEBUG && context.dsrr.pc == (u32)allow + 4, "an event that waits is taken behind the mtmsr that sets DE");
	mtspr(DBCR0, 0);
	mtspr(DBSR, 0xffffffff);
}

void debug_tests(void)
{
	stepping();
	branches();
	instructions();
	data();
	events();
}
