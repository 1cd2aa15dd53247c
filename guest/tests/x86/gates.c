/* Interrupt, trap and call gates: SDM vol. 3 sections 5.8 and 6.12. */
#include "tests.h"

enum { GATE = FREE, INNER = FREE + 8, INNER_STACK = FREE + 16, OTHER = FREE + 24 };

CODE_OF(own_int, "int $0x50\nnop\n" STOP);
CODE_OF(undefined, "ud2\n");
CODE_OF(to_gate, "pushl $0x11111111\npushl $0x22222222\nlcall $0x30, $0\n" STOP);
CODE_OF(to_gate_rpl3, "pushl $0x11111111\npushl $0x22222222\nlcall $0x33, $0\n" STOP);
CODE_OF(jump_gate, "ljmp $0x33, $0\n");
CODE_OF(stop_here, STOP);
CODE_OF(return_two, "lret $8\n");
CODE_OF(return_two16, "data16 lret $4\n");

static u32 through(const char *from, u32 access)
{
	set_gate(&idt[OWN_VECTOR], KERNEL_CODE, (u32)stop_here, access, 0);
	ring3(from);
	context.eflags |= FLAG_IF;
	return run();
}

static void interrupts(void)
{
	u32 *frame = (u32 *)inner_stack;

	through(own_int, PRESENT | RING3 | INTERRUPT32);
	frame = (u32 *)context.esp;
	check(stopped() && (context.cs & 3) == 0 && (context.eflags & FLAG_IF) == 0, "interrupt gate: clears IF");
	check(context.esp == main_tss.esp0 - 20, "interrupt gate: the stack comes from the TSS");
	check(frame[0] == (u32)own_int + 2 && frame[1] == USER_CODE && (frame[2] & FLAG_IF) != 0 && frame[4] == USER_DATA,
	      "interrupt gate: pushes EIP, CS, EFLAGS, ESP and SS");
	check(frame[3] == (u32)user_stack + sizeof(user_stack) - 64, "interrupt gate: ESP as it was");
	through(own_int, PRESENT | RING3 | TRAP32);
	check(stopped() && (context.eflags & FLAG_IF) != 0, "trap gate: leaves IF");

	through(own_int, PRESENT | INTERRUPT32);
	check(faulted(GP, OWN_VECTOR * 8 + 2) && context.eip == (u32)own_int, "INT n: a gate of ring 0 is #GP(vector, IDT) for ring 3");
	through(own_int, RING3 | INTERRUPT32);
	check(faulted(NP, OWN_VECTOR * 8 + 2), "INT n: an absent gate is #NP(vector, IDT)");
	through(own_int, PRESENT | RING3 | DATA);
	check(faulted(GP, OWN_VECTOR * 8 + 2), "INT n: what is no gate is #GP(vector, IDT)");
	set_gate(&idt[OWN_VECTOR], 0, (u32)stop_here, PRESENT | RING3 | INTERRUPT32, 0);
	ring3(own_int);
	run();
	check(faulted(GP, 0), "INT n: a gate with a null selector is #GP(0)");
	set_gate(&idt[OWN_VECTOR], KERNEL_DATA, (u32)stop_here, PRESENT | RING3 | INTERRUPT32, 0);
	ring3(own_int);
	run();
	check(faulted(GP, KERNEL_DATA), "INT n: a gate to data is #GP(selector)");
	set_segment(INNER, 0, 0xffffffff, CODE, true);
	set_gate(&idt[OWN_VECTOR], INNER, (u32)stop_here, PRESENT | RING3 | INTERRUPT32, 0);
	ring3(own_int);
	run();
	check(faulted(NP, INNER), "INT n: a gate to absent code is #NP(selector)");
	set_segment(INNER, 0, 0xffff, PRESENT | CODE, true);
	set_gate(&idt[OWN_VECTOR], INNER, 0x10000, PRESENT | RING3 | INTERRUPT32, 0);
	ring3(own_int);
	run();
	check_not_tcg(faulted(GP, 0), "INT n: a gate behind the limit of its code is #GP(0)");

	set_gate(&idt[UD], KERNEL_CODE, (u32)stop_here, INTERRUPT32, 0);
	ring3(undefined);
	run();
	check_not_tcg(faulted(NP, UD * 8 + 2 + 1), "exceptions: a fault on the way to their handler has EXT set");
	reset_tables();
}

static void narrow_gates(void)
{
	u16 *frame;
	u8 *low = (u8 *)0x9000;

	copy(low, stop_here, (u32)stop_here_end - (u32)stop_here);
	set_gate(&idt[OWN_VECTOR], KERNEL_CODE, (u32)low, PRESENT | RING3 | INTERRUPT16, 0);
	copy(low + 16, own_int, (u32)own_int_end - (u32)own_int);
	ring3((char *)low + 16);
	context.esp = 0x12345678;
	run();
	frame = (u16 *)context.esp;
	check(stopped() && context.esp == main_tss.esp0 - 10 && frame[0] == 0x9012 && frame[1] == USER_CODE && frame[3] == 0x5678 &&
	      frame[4] == USER_DATA, "16-bit gate: pushes five words");
	reset_tables();
}

static void rings(void)
{
	u32 *frame;

	/* Ring 1 has a stack of its own in the TSS. */
	set_segment(INNER, 0, 0xffffffff, PRESENT | RING1 | CODE, true);
	set_segment(INNER_STACK, 0, 0xffffffff, PRESENT | RING1 | DATA, true);
	main_tss.ss1 = INNER_STACK | 1;
	main_tss.esp1 = (u32)scratch + 4096;
	set_gate(&idt[OWN_VECTOR], INNER, (u32)stop_here, PRESENT | RING3 | INTERRUPT32, 0);
	ring3(own_int);
	run();
	frame = (u32 *)context.esp;
	check(stopped() && context.cs == (INNER | 1) && context.ss == (INNER_STACK | 1) && context.esp == (u32)scratch + 4096 - 20,
	      "rings: a gate to ring 1 takes the stack of ring 1");
	check(frame[1] == USER_CODE && frame[4] == USER_DATA, "rings: and pushes those of ring 3");

	main_tss.ss1 = INNER_STACK;
	ring3(own_int);
	run();
	check(faulted(TS, INNER_STACK), "rings: an inner stack with the wrong RPL is #TS(selector)");
	main_tss.ss1 = 0;
	ring3(own_int);
	run();
	check(faulted(TS, 0), "rings: a null one is #TS(0)");
	main_tss.ss1 = INNER_STACK | 1;
	set_segment(INNER_STACK, 0, 0xffffffff, RING1 | DATA, true);
	ring3(own_int);
	run();
	check_not_tcg(faulted(SS, INNER_STACK), "rings: an absent one is #SS(selector)");
	set_segment(INNER_STACK, 0, 0xffffffff, PRESENT | RING1 | DATA_RO, true);
	ring3(own_int);
	run();
	check(faulted(TS, INNER_STACK), "rings: one that cannot be written is #TS(selector)");
	set_segment(INNER_STACK, (u32)scratch, 7, PRESENT | RING1 | DATA, true);
	main_tss.esp1 = 8;
	ring3(own_int);
	run();
	check_not_tcg(faulted(SS, INNER_STACK), "rings: one without room for the frame is #SS(selector)");
	check_not_tcg(context.cs == USER_CODE && context.eip == (u32)own_int, "rings: and nothing has changed then");
	reset_tables();
}

static void call_gates(void)
{
	u32 *frame;

	set_gate(&gdt[GATE >> 3], KERNEL_CODE, (u32)stop_here, PRESENT | RING3 | CALL32, 2);
	ring3(to_gate_rpl3);
	run();
	frame = (u32 *)context.esp;
	check(stopped() && (context.cs & 3) == 0 && context.esp == main_tss.esp0 - 24, "call gate: goes from ring 3 to ring 0");
	check(frame[0] == (u32)to_gate_rpl3_end - 2 && frame[1] == USER_CODE, "call gate: pushes CS and EIP");
	check(frame[2] == 0x22222222 && frame[3] == 0x11111111, "call gate: copies the parameters");
	check(frame[4] == (u32)user_stack + sizeof(user_stack) - 72 && frame[5] == USER_DATA, "call gate: pushes SS and ESP");

	set_gate(&gdt[GATE >> 3], KERNEL_CODE, (u32)return_two, PRESENT | RING3 | CALL32, 2);
	ring3(to_gate_rpl3);
	run();
	check(stopped() && context.cs == USER_CODE && context.esp == (u32)user_stack + sizeof(user_stack) - 64,
	      "RET far: goes back to ring 3 and releases the parameters on both stacks");
	ring3(to_gate_rpl3);
	context.ds = USER_DATA;
	context.es = 0;
	run();
	check(context.ds == USER_DATA && context.es == 0, "RET far: leaves segments which ring 3 may use");

	ring0(to_gate);
	run();
	check(stopped() && (context.cs & 3) == 0, "call gate: without a change of ring there is no parameter to copy");

	set_gate(&gdt[GATE >> 3], KERNEL_CODE, (u32)stop_here, PRESENT | CALL32, 0);
	ring3(to_gate);
	run();
	check(faulted(GP, GATE), "call gate: of ring 0 is #GP(gate) for ring 3");
	set_gate(&gdt[GATE >> 3], KERNEL_CODE, (u32)stop_here, RING3 | CALL32, 0);
	ring3(to_gate);
	run();
	check(faulted(NP, GATE), "call gate: an absent one is #NP(gate)");
	set_gate(&gdt[GATE >> 3], KERNEL_DATA, (u32)stop_here, PRESENT | RING3 | CALL32, 0);
	ring3(to_gate);
	run();
	check(faulted(GP, KERNEL_DATA), "call gate: to data is #GP(selector)");
	set_gate(&gdt[GATE >> 3], 0, (u32)stop_here, PRESENT | RING3 | CALL32, 0);
	ring3(to_gate);
	run();
	check(faulted(GP, 0), "call gate: with a null selector is #GP(0)");
	set_gate(&gdt[GATE >> 3], KERNEL_CODE, (u32)stop_here, PRESENT | RING3 | CALL32, 0);
	ring3(jump_gate);
	run();
	check(faulted(GP, KERNEL_CODE), "JMP: through a gate does not change the ring");
	set_gate(&gdt[GATE >> 3], USER_CODE, (u32)stop_here, PRESENT | RING3 | CALL32, 0);
	ring3(jump_gate);
	run();
	check(stopped() && context.cs == USER_CODE, "JMP: through a gate to code of the same ring");
	set_segment(OTHER, 0, 0xffffffff, PRESENT | CODE_CONFORMING, true);
	set_gate(&gdt[GATE >> 3], OTHER, (u32)stop_here, PRESENT | RING3 | CALL32, 0);
	ring3(to_gate);
	run();
	check_not_tcg(stopped() && context.cs == (OTHER | 3), "call gate: to conforming code stays in ring 3");

	copy((void *)0x9000, return_two16, 8);
	set_gate(&gdt[GATE >> 3], KERNEL_CODE, 0x9000, PRESENT | RING3 | CALL16, 2);
	set_segment(OTHER, 0, 0xffff, PRESENT | RING3 | DATA, false);
	copy((void *)0x9100, to_gate_rpl3, (u32)to_gate_rpl3_end - (u32)to_gate_rpl3);
	ring3((char *)0x9100);
	context.ss = OTHER | 3;
	context.esp = 0x7000;
	run();
	check(stopped() && context.cs == USER_CODE && (context.esp & 0xffff) == 0x6ffc, "16-bit call gate: words for parameters and pointers, there and back");
	reset_tables();
}

void gate_tests(void)
{
	interrupts();
	narrow_gates();
	rings();
	call_gates();
}
