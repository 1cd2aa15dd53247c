/* Exceptions, their order and their error codes: SDM vol. 3 chapter 6. */
#include "tests.h"

enum { TASK = FREE };

CODE_OF(divide, "xorl %ecx, %ecx\ndivl %ecx\n");
CODE_OF(divide_overflow, "movl $2, %edx\nmovl $1, %ecx\ndivl %ecx\n");
CODE_OF(int3, "int3\n");
CODE_OF(into, "movb $0x7f, %al\naddb $1, %al\ninto\n");
CODE_OF(no_into, "xorl %eax, %eax\ninto\n" STOP);
CODE_OF(bound, "movl $5, %eax\nboundl %eax, limits_of_bound\n.balign 4\nlimits_of_bound: .long 0, 4\n");
CODE_OF(undefined, "ud2\n");
CODE_OF(lock_mov, ".byte 0xf0\nmovl %eax, (%esp)\n");
CODE_OF(lock_register, ".byte 0xf0\naddl %eax, %ebx\n");
CODE_OF(too_long, ".fill 15, 1, 0x66\nnop\n" STOP);
CODE_OF(longest, ".fill 14, 1, 0x66\nnop\n" STOP);
CODE_OF(halt, "hlt\n");
CODE_OF(in, "inb $0x80, %al\n" STOP);
CODE_OF(in_word, "inw $0x87, %ax\n" STOP);
CODE_OF(cli, "cli\n" STOP);
CODE_OF(wait, "fwait\n" STOP);
CODE_OF(bad_ds, "movw %ax, %ds\n");
CODE_OF(stop_here, STOP);
CODE_OF(int1, ".byte 0xf1\n" STOP);

static u32 of_ring3(const char *code)
{
	ring3(code);
	return run();
}

static void kinds(void)
{
	of_ring3(divide);
	check(context.vector == DE && context.eip == (u32)divide + 2, "divide error: a fault at the instruction");
	of_ring3(divide_overflow);
	check(context.vector == DE, "divide error: when the quotient does not fit");
	idt[BP] |= (u64)RING3 << 40;
	idt[OF] |= (u64)RING3 << 40;
	of_ring3(int3);
	check(context.vector == BP && context.eip == (u32)int3_end, "INT3: a trap behind the instruction");
	of_ring3(into);
	check(context.vector == OF && context.eip == (u32)into_end, "INTO: a trap when OF is set");
	of_ring3(no_into);
	check(stopped(), "INTO: nothing when it is clear");
	idt[BP] &= ~((u64)RING3 << 40);
	of_ring3(int3);
	check(faulted(GP, BP * 8 + 2) && context.eip == (u32)int3, "INT3: the DPL of its gate holds");
	of_ring3(int1);
	check_not_tcg(context.vector == DB && context.eip == (u32)int1 + 1, "INT1: goes through a gate of ring 0");
	of_ring3(bound);
	check(context.vector == BR, "BOUND: #BR outside the bounds");
	of_ring3(undefined);
	check(context.vector == UD && context.eip == (u32)undefined, "UD2: #UD");
	of_ring3(lock_mov);
	check(context.vector == UD, "LOCK: #UD on MOV");
	of_ring3(lock_register);
	check(context.vector == UD, "LOCK: #UD on a register");
	of_ring3(longest);
	check(stopped(), "an instruction of 15 bytes runs");
	of_ring3(too_long);
	check(faulted(GP, 0), "one of 16 bytes is #GP(0)");
	of_ring3(halt);
	check(faulted(GP, 0), "HLT: #GP(0) in ring 3");
	of_ring3(cli);
	check(faulted(GP, 0), "CLI: #GP(0) in ring 3 with an IOPL of 0");
	ring3(cli);
	context.eflags |= FLAG_IOPL;
	run();
	check(stopped(), "CLI: allowed with an IOPL of 3");
}

static void ports(void)
{
	of_ring3(in);
	check(faulted(GP, 0), "IN: #GP(0) where the map of ports says so");
	main_tss.ports[0x80 / 8] = 0xfe;
	of_ring3(in);
	check(stopped(), "IN: allowed where it does not");
	main_tss.ports[0x80 / 8] = 0x7f;
	of_ring3(in_word);
	check(faulted(GP, 0), "IN: every port of a word has to be allowed");
	main_tss.ports[0x88 / 8] = 0xfe;
	of_ring3(in_word);
	check(stopped(), "IN: across the bytes of the map");
	main_tss.map = sizeof(main_tss);
	of_ring3(in);
	check(faulted(GP, 0), "IN: there is nothing behind the task segment's limit");
	ring3(in);
	context.eflags |= FLAG_IOPL;
	run();
	check(stopped(), "IN: with an IOPL of 3 no map is asked");
	reset_tables();
	set_segment(MAIN_TASK, (u32)&main_tss, 0x67, PRESENT | TSS32, false);
	__asm__ volatile("ltr %w0" :: "r"(MAIN_TASK) : "memory");
	of_ring3(in);
	check(faulted(GP, 0), "IN: a task segment without a map allows none");
	reset_tables();
}

static void doubles(void)
{
	static struct tss task;

	fill(&task, 0, sizeof(task));
	task.eip = (u32)stop_here;
	task.cs = KERNEL_CODE;
	task.ss = task.ds = task.es = KERNEL_DATA;
	task.esp = (u32)scratch + 4096;
	task.eflags = 2;
	__asm__("mov %%cr3, %0" : "=r"(task.cr3));

	/* A benign exception whose handler is absent is followed by #NP. */
	set_gate(&idt[UD], KERNEL_CODE, (u32)stop_here, INTERRUPT32, 0);
	of_ring3(undefined);
	check_not_tcg(faulted(NP, UD * 8 + 2 + 1) && context.eip == (u32)undefined, "#UD and then #NP: one after the other");
	/* A contributory one makes a double fault. */
	set_gate(&idt[GP], KERNEL_CODE, (u32)stop_here, INTERRUPT32, 0);
	ring3(bad_ds);
	context.eax = KERNEL_DATA;
	run();
	check(faulted(DF, 0) && context.eip == (u32)bad_ds, "#GP and then #NP: a double fault");
	set_gate(&idt[DE], KERNEL_CODE, (u32)stop_here, INTERRUPT32, 0);
	of_ring3(divide);
	check(faulted(DF, 0), "#DE and then #NP: a double fault");
	/* The stack of ring 0 cannot be used. */
	reset_tables();
	main_tss.ss0 = USER_DATA;
	set_segment(TASK, (u32)&task, 0x67, PRESENT | TSS32, false);
	set_gate(&idt[DF], TASK, 0, PRESENT | TASK_GATE, 0);
	ring3(bad_ds);
	context.eax = KERNEL_DATA;
	run();
	check(stopped() && task.link == MAIN_TASK && main_tss.eip == (u32)bad_ds && main_tss.cs == USER_CODE, "double fault: a task serves it when ring 0 has no stack");
	__asm__ volatile("clts");
	reset_tables();
}

static void coprocessor(void)
{
	write_cr0(read_cr0() | CR0_TS | 2);
	of_ring3(wait);
	check(context.vector == NM, "WAIT: #NM with CR0.MP and TS");
	write_cr0(read_cr0() & ~2u);
	of_ring3(wait);
	check(stopped(), "WAIT: runs with TS alone");
	write_cr0(read_cr0() & ~CR0_TS);
}

void fault_tests(void)
{
	kinds();
	ports();
	doubles();
	coprocessor();
}
