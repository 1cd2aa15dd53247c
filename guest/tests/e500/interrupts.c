#include "tests.h"

/* Interrupts and their classes: e500mc core reference manual chapter 4; Power ISA 2.06 Book III-E chapter 7. */

CODE_OF(illegal_word, ".long 0\n");
CODE_OF(trap_word, "trap\n");
CODE_OF(trap_if_less, "twlti 3, 5\n" STOP);
CODE_OF(read_msr, "mfmsr 3\n" STOP);
CODE_OF(call, "sc\n");
CODE_OF(call_hypervisor, ".long 0x44000022\n");
CODE_OF(float_load, "lfd 0, 0(4)\n" STOP);
CODE_OF(float_move, "fmr 0, 1\n" STOP);
CODE_OF(reserve, "lwarx 3, 0, 4\n" STOP);
CODE_OF(conditional, "stwcx. 3, 0, 4\n" STOP);
CODE_OF(multiple, "lmw 28, 0(4)\n" STOP);
CODE_OF(store_multiple, "stmw 28, 0(4)\n" STOP);
CODE_OF(ehpriv, ".long 0x7c00021c\n");
CODE_OF(return_base, "mtspr 26, 3\nmtspr 27, 4\nrfi\n");
CODE_OF(return_critical, "mtspr 58, 3\nmtspr 59, 4\nrfci\n");
CODE_OF(return_debug, "mtspr 574, 3\nmtspr 575, 4\n.long 0x4c00004e\n");
CODE_OF(return_machine_check, "mtspr 570, 3\nmtspr 571, 4\n.long 0x4c00004c\n");
CODE_OF(landing, "nop\n" STOP);
CODE_OF(set_ee, "wrteei 1\nmfmsr 3\nwrteei 0\nmfmsr 4\n" STOP);
CODE_OF(set_ee_of, "wrtee 5\nmfmsr 3\n" STOP);
CODE_OF(write_msr, "mtmsr 4\nisync\nmfmsr 3\n" STOP);
CODE_OF(reservation, "lwarx 3, 0, 4\nstwcx. 5, 0, 4\nmfcr 6\nstwcx. 7, 0, 4\nmfcr 8\n" STOP);
CODE_OF(reservation_elsewhere, "lwarx 3, 0, 4\nstwcx. 5, 0, 9\nmfcr 6\nstwcx. 7, 0, 4\nmfcr 8\n" STOP);

static void program(void)
{
	run_code(illegal_word, 0);
	check(ended(PROGRAM, illegal_word, 0) && context.esr == ESR_ILLEGAL, "an illegal instruction: program, ESR[PIL], pc at it");
	run_code(trap_word, MSR_PR);
	check(ended(PROGRAM, trap_word, 0) && context.esr == ESR_TRAP && (context.srr.msr & MSR_PR) != 0, "a trap: program, ESR[PTR], MSR saved");
	start(trap_if_less, 0);
	context.gpr[3] = 5;
	run();
	check(stopped(), "twlti whose condition does not hold goes on");
	start(trap_if_less, 0);
	context.gpr[3] = 0xffffffff;
	run();
	check(ended(PROGRAM, trap_if_less, 0), "and one whose does, signed, traps");
	run_code(read_msr, MSR_PR);
	check(ended(PROGRAM, read_msr, 0) && context.esr == ESR_PRIVILEGED, "mfmsr of a user: program, ESR[PPR]");
	run_code(call, MSR_PR | MSR_EE | MSR_CE);
	check(ended(SYSTEM_CALL, call, 4), "sc: pc behind it");
	check(context.srr.msr == (MSR_PR | MSR_EE | MSR_CE), "sc: MSR saved in SRR1");
	check_not_tcg((context.handler_msr & MSR_CE) != 0 && (context.handler_msr & (MSR_EE | MSR_PR)) == 0, "a base interrupt leaves CE on");
	run_code(call, MSR_ME | MSR_DE | MSR_RI | MSR_FP | MSR_UCLE);
	check_not_tcg((context.handler_msr & MSR_ME) != 0 && (context.handler_msr & MSR_DE) != 0, "and ME and DE");
	check_not_tcg((context.handler_msr & MSR_RI) != 0, "and RI");
	check((context.handler_msr & (MSR_FP | MSR_UCLE)) == 0, "and clears FP and UCLE");
	run_code(call_hypervisor, 0);
	check_not_tcg(context.vector == HYPERVISOR_CALL && context.srr.pc == (u32)call_hypervisor + 4, "sc 1: embedded hypervisor system call, pc behind it");
	run_code(ehpriv, MSR_PR);
	check_not_tcg(context.vector == HYPERVISOR_PRIVILEGE, "ehpriv: embedded hypervisor privilege");
}

static void floating(void)
{
	run_code(float_move, 0);
	check(ended(FP_UNAVAILABLE, float_move, 0), "fmr with MSR[FP] clear: floating point unavailable");
	start(float_load, 0);
	context.gpr[4] = WINDOW;
	run();
	check(context.vector == FP_UNAVAILABLE, "lfd too, before its address is looked at");
	run_code(float_move, MSR_FP);
	check(stopped(), "fmr with MSR[FP] set runs");
	run_code(float_move, MSR_FP | MSR_PR);
	check(stopped(), "for a user too");
}

static u32 at(const char *code, u32 address)
{
	start(code, 0);
	context.gpr[4] = address;
	return run();
}

static void alignment(void)
{
	at(reserve, AREA + 2);
	check(ended(ALIGNMENT, reserve, 0) && context.dear == AREA + 2, "lwarx of what is no multiple of 4: alignment, DEAR");
	check_not_tcg(context.esr == 0, "lwarx: ESR 0");
	check_not_tcg(at(conditional, AREA + 1) == ALIGNMENT && context.esr == ESR_STORE, "stwcx. too, ESR[ST]");
	check_not_tcg(at(multiple, AREA + 2) == ALIGNMENT, "lmw too");
	check_not_tcg(at(store_multiple, AREA + 2) == ALIGNMENT && context.esr == ESR_STORE, "stmw too");
	check(at(multiple, AREA + 4) == SYSTEM_CALL, "lmw of a multiple of 4 loads");
}

static void returns(void)
{
	static const struct { const char *code, *what; } all[] = {
		{return_base, "rfi returns to SRR0 with SRR1"},
		{return_critical, "rfci returns to CSRR0 with CSRR1"},
		{return_debug, "rfdi returns to DSRR0 with DSRR1"},
		{return_machine_check, "rfmci returns to MCSRR0 with MCSRR1"},
	};

	for (u32 k = 0; k < 4; k++) {
		start(all[k].code, 0);
		context.gpr[3] = (u32)landing | 3;
		context.gpr[4] = MSR_PR | MSR_ME;
		run();
		check(ended(SYSTEM_CALL, landing, 8) && context.srr.msr == (MSR_PR | MSR_ME), all[k].what);
		start(all[k].code + 8, MSR_PR);
		run();
		check(context.vector == PROGRAM && context.esr == ESR_PRIVILEGED, "and is the supervisor's");
	}
}

static void state(void)
{
	run_code(set_ee, MSR_ME);
	check(context.gpr[3] == (MSR_ME | MSR_EE) && context.gpr[4] == MSR_ME, "wrteei sets and clears EE alone");
	start(set_ee_of, MSR_ME);
	context.gpr[5] = MSR_EE | MSR_FP;
	run();
	check(context.gpr[3] == (MSR_ME | MSR_EE), "wrtee takes EE and nothing else");
	start(write_msr, 0);
	context.gpr[4] = MSR_CE | MSR_ME | MSR_RI;
	run();
	check_not_tcg(context.gpr[3] == (MSR_CE | MSR_ME | MSR_RI), "mtmsr writes MSR");
	start(write_msr, 0);
	/* All but those which would end the run or take memory away. */
	context.gpr[4] = ~(MSR_PR | MSR_IS | MSR_DS | MSR_EE | MSR_CE | MSR_DE | 1u << 28);
	run();
	check((context.gpr[3] & ~0x1402fb36u) == 0, "mtmsr: reserved bits read 0");
}

static void reservations(void)
{
	store(AREA, 1);
	start(reservation, 0);
	context.gpr[4] = AREA;
	context.gpr[5] = 2;
	context.gpr[7] = 3;
	run();
	check((context.gpr[6] & 0xf0000000) == 0x20000000, "stwcx. behind lwarx stores: CR0[EQ]");
	check((context.gpr[8] & 0xf0000000) == 0 && load(AREA) == 2, "a second one does not: the reservation is gone");
	start(reservation_elsewhere, 0);
	context.gpr[4] = AREA;
	context.gpr[9] = AREA + 256;
	context.gpr[5] = 9;
	run();
	check((context.gpr[6] & 0xf0000000) == 0 && (context.gpr[8] & 0xf0000000) == 0, "stwcx. elsewhere does not store, and takes the reservation away");
}

void interrupt_tests(void)
{
	program();
	floating();
	alignment();
	returns();
	state();
	reservations();
}
