#include "tests.h"

/* Processor messages: Power ISA 2.06 Book III-E, "Processor Control". A message for this core: type 0 a doorbell, 1 a critical one. */

enum { NORMAL = 0 << 27, CRIT = 1 << 27, BROADCAST = 1 << 26, TAG = 7 };

CODE_OF(one_nop, "nop\n" STOP);
CODE_OF(send, ".long 0x7c00199c\n" STOP); /* msgsnd r3 */
CODE_OF(take_back, ".long 0x7c0019dc\n" STOP); /* msgclr r3 */

static void send_message(u32 message)
{
	__asm__ volatile("mr 3, %0; .long 0x7c00199c; msync" : : "r"(message) : "r3", "memory");
}

static void clear_message(u32 message)
{
	__asm__ volatile("mr 3, %0; .long 0x7c0019dc; msync" : : "r"(message) : "r3", "memory");
}

void doorbell_tests(void)
{
	u32 me = mfspr(PIR);

	send_message(NORMAL | me);
	check(run_code(one_nop, 0) == SYSTEM_CALL, "msgsnd: nothing while MSR[EE] is clear");
	run_code(one_nop, MSR_EE);
	check(ended(DOORBELL, one_nop, 0), "a doorbell to this processor, when EE is set");
	check(run_code(one_nop, MSR_EE) == SYSTEM_CALL, "it is over when it is taken");
	send_message(NORMAL | (me + 1));
	check(run_code(one_nop, MSR_EE) == SYSTEM_CALL, "a doorbell to another does not ring here");
	send_message(NORMAL | BROADCAST | TAG);
	check(run_code(one_nop, MSR_EE) == DOORBELL, "a broadcast does");
	send_message(CRIT | me);
	check_not_tcg(run_code(one_nop, MSR_EE) == SYSTEM_CALL, "a critical doorbell waits for MSR[CE]");
	run_code(one_nop, MSR_CE);
	check_not_tcg(context.vector == DOORBELL_CRITICAL && context.csrr.pc == (u32)one_nop && context.csrr.msr == MSR_CE, "and is a critical interrupt");
	send_message(NORMAL | me);
	clear_message(NORMAL | me);
	check(run_code(one_nop, MSR_EE) == SYSTEM_CALL, "msgclr takes it back");
	send_message(CRIT | me);
	clear_message(NORMAL | me);
	check_not_tcg(run_code(one_nop, MSR_CE) == DOORBELL_CRITICAL, "but not one of another type");
	send_message(NORMAL | me);
	send_message(CRIT | me);
	check(run_code(one_nop, MSR_CE | MSR_EE) == DOORBELL_CRITICAL, "the critical one comes first");
	check(run_code(one_nop, MSR_CE | MSR_EE) == DOORBELL, "then the other");
	run_code(send, MSR_PR);
	check(context.vector == PROGRAM && context.esr == ESR_PRIVILEGED, "msgsnd is the supervisor's");
	run_code(take_back, MSR_PR);
	check(context.vector == PROGRAM && context.esr == ESR_PRIVILEGED, "and msgclr");
	start(send, MSR_EE);
	context.gpr[3] = NORMAL | me;
	run();
	check_not_tcg(context.vector == DOORBELL && context.srr.pc == (u32)send + 4, "to oneself with EE set: behind msgsnd");
	mtspr(PIR, 0);
}
