/* Hardware task switches: SDM vol. 3 chapter 7. */
#include "tests.h"

enum { TASK = FREE, OTHER_TASK = FREE + 8, GATE = FREE + 16, S = FREE + 24 };

CODE_OF(jump_task, "ljmp $0x30, $0\n" STOP);
CODE_OF(call_task, "lcall $0x30, $0\n" STOP);
CODE_OF(call_twice, "lcall $0x30, $0\nlcall $0x30, $0\n" STOP);
CODE_OF(call_gate, "lcall $0x43, $0\n" STOP);
CODE_OF(in_task, STOP);
CODE_OF(count, "1:\tincl %eax\niret\njmp 1b\n");
CODE_OF(own_int, "int $0x50\n" STOP);
CODE_OF(undefined, "ud2\n");
CODE_OF(bad_ds, "movw %ax, %ds\n");
CODE_OF(nested_return, "pushfl\norl $0x4000, (%esp)\npopfl\niret\n");

static struct tss task2, task3;
static u16 narrow[22];

static void new_task(struct tss *tss, u32 selector, const char *code)
{
	fill(tss, 0, sizeof(*tss));
	tss->eip = (u32)code;
	tss->cs = KERNEL_CODE;
	tss->ss = tss->ds = tss->es = KERNEL_DATA;
	tss->esp = (u32)scratch + (tss == &task2 ? 4096 : 8192);
	tss->ss0 = KERNEL_DATA;
	tss->esp0 = (u32)scratch + 3 * 4096;
	tss->eflags = 2;
	__asm__("mov %%cr3, %0" : "=r"(tss->cr3));
	set_segment(selector, (u32)tss, 0x67, PRESENT | TSS32, false);
}

static void jumps(void)
{
	new_task(&task2, TASK, in_task);
	task2.eax = 0x12345678;
	task2.eflags = FLAG_CF | 2;
	ring0(jump_task);
	context.ebx = 0xabcdef01;
	context.eflags |= FLAG_AC;
	run();
	check(stopped() && context.eip == (u32)in_task + 2 && context.eax == 0x12345678 && (context.eflags & FLAG_CF) != 0, "JMP: runs the new task with its registers");
	check((context.eflags & FLAG_NT) == 0 && task2.link == 0, "JMP: does not nest");
	check(main_task_access == (PRESENT | TSS32) && access_of(TASK) == (PRESENT | TSS32 | BUSY), "JMP: the busy bit moves");
	check(main_tss.eip == (u32)jump_task + 7 && main_tss.ebx == 0xabcdef01 && main_tss.cs == KERNEL_CODE && (main_tss.eflags & FLAG_AC) != 0, "JMP: saves the old task");
	check((read_cr0() & CR0_TS) != 0, "JMP: sets CR0.TS");
	__asm__ volatile("clts");

	ring0(jump_task);
	run();
	check(faulted(GP, TASK), "JMP: to a busy task is #GP(selector)");
	new_task(&task2, TASK, in_task);
	set_segment(TASK, (u32)&task2, 0x67, TSS32, false);
	ring0(jump_task);
	run();
	check(faulted(NP, TASK), "JMP: to an absent task is #NP(selector)");
	set_segment(TASK, (u32)&task2, 0x66, PRESENT | TSS32, false);
	ring0(jump_task);
	run();
	check(faulted(TS, TASK), "JMP: to a task segment that is too short is #TS(selector)");
	new_task(&task2, TASK, in_task);
	ring3(jump_task);
	run();
	check(faulted(GP, TASK), "JMP: ring 3 may not enter a task of ring 0");
}

static void calls(void)
{
	new_task(&task2, TASK, in_task);
	ring0(call_task);
	run();
	check(stopped() && (context.eflags & FLAG_NT) != 0 && task2.link == MAIN_TASK, "CALL: nests, with a link to the old task");
	check((main_task_access & BUSY) != 0 && (access_of(TASK) & BUSY) != 0, "CALL: both tasks are busy");

	new_task(&task2, TASK, count);
	ring0(call_task);
	run();
	check(stopped() && context.eip == (u32)call_task_end, "IRET: goes back to the task that called");
	check((access_of(TASK) & BUSY) == 0 && (main_task_access & BUSY) != 0 && (context.eflags & FLAG_NT) == 0, "IRET: the task that returns is not busy any more");
	check(task2.eax == 1 && task2.eip == (u32)count + 2, "IRET: saves where the task goes on, behind the IRET");
	new_task(&task2, TASK, count);
	ring0(call_twice);
	run();
	check(stopped() && task2.eax == 2, "CALL: the second call goes on behind the IRET");

	ring0(nested_return);
	main_tss.link = TASK;
	run();
	check(faulted(TS, TASK), "IRET: back to a task that is not busy is #TS(selector)");

	new_task(&task2, TASK, in_task);
	set_gate(&gdt[GATE >> 3], TASK, 0, PRESENT | RING3 | TASK_GATE, 0);
	ring3(call_gate);
	run();
	check(stopped() && task2.link == MAIN_TASK && context.cs == KERNEL_CODE, "task gate: lets ring 3 into a task of ring 0");
	check(main_tss.eip == (u32)call_gate + 7 && main_tss.cs == USER_CODE && main_tss.ss == USER_DATA, "task gate: the old task is saved as ring 3 was");
	set_gate(&gdt[GATE >> 3], TASK, 0, RING3 | TASK_GATE, 0);
	ring3(call_gate);
	run();
	check(faulted(NP, GATE), "task gate: an absent one is #NP(gate)");
	set_gate(&gdt[GATE >> 3], KERNEL_DATA, 0, PRESENT | RING3 | TASK_GATE, 0);
	ring3(call_gate);
	run();
	check(faulted(GP, KERNEL_DATA), "task gate: to what is no task is #GP(selector)");
}

static void interrupts(void)
{
	new_task(&task2, TASK, in_task);
	set_gate(&idt[OWN_VECTOR], TASK, 0, PRESENT | RING3 | TASK_GATE, 0);
	ring3(own_int);
	context.eflags |= FLAG_IF;
	run();
	check(stopped() && task2.link == MAIN_TASK && main_tss.eip == (u32)own_int + 2, "task gate: serves INT n, which is over when it is left");
	new_task(&task2, TASK, in_task);
	set_gate(&idt[UD], TASK, 0, PRESENT | TASK_GATE, 0);
	ring3(undefined);
	run();
	check(stopped() && main_tss.eip == (u32)undefined && context.esp == task2.esp, "task gate: serves an exception, which has not moved EIP");
	new_task(&task2, TASK, in_task);
	set_gate(&idt[GP], TASK, 0, PRESENT | TASK_GATE, 0);
	ring3(bad_ds);
	context.eax = KERNEL_DATA;
	run();
	check(stopped() && context.esp == task2.esp - 4 && *(u32 *)context.esp == KERNEL_DATA, "task gate: the error code is on the new task's stack");

	/* #GP, whose handler is absent: two contributory faults. */
	new_task(&task2, TASK, in_task);
	set_gate(&idt[DF], TASK, 0, PRESENT | TASK_GATE, 0);
	set_gate(&idt[GP], KERNEL_CODE, (u32)in_task, INTERRUPT32, 0);
	ring3(bad_ds);
	context.eax = KERNEL_DATA;
	run();
	check(stopped() && context.esp == task2.esp - 4 && *(u32 *)context.esp == 0 && main_tss.eip == (u32)bad_ds, "double fault: through a task gate, with an error code of 0");
	reset_tables();
}

static u32 into(u32 *field, u32 value)
{
	new_task(&task2, TASK, in_task);
	task2.cs = USER_CODE;
	task2.ss = task2.ds = task2.es = USER_DATA;
	if (field)
		*field = value;
	ring0(jump_task);
	return run();
}

/* Faults that belong to the new task: its registers are loaded, none of its instructions has run. TCG takes them too early. */
static void bad_tasks(void)
{
	into(0, 0);
	check(stopped() && context.cs == USER_CODE, "new task: may be of ring 3");
	into(&task2.ss, KERNEL_DATA);
	check_not_tcg(faulted(TS, KERNEL_DATA), "new task: a stack segment of another ring is #TS(selector)");
	check_not_tcg(context.eip == (u32)in_task && context.esp == task2.esp, "new task: the fault is before its first instruction");
	into(&task2.ds, KERNEL_DATA);
	check_not_tcg(faulted(TS, KERNEL_DATA) && context.eip == (u32)in_task && context.cs == USER_CODE, "new task: data of ring 0 for ring 3 is #TS(selector)");
	into(&task2.cs, USER_DATA);
	check_not_tcg(faulted(TS, USER_DATA & ~3) && context.eip == (u32)in_task, "new task: CS with data is #TS(selector)");
	set_segment(S, 0, 0xffffffff, RING3 | DATA, true);
	into(&task2.gs, S | 3);
	check_not_tcg(faulted(NP, S) && context.eip == (u32)in_task, "new task: absent data is #NP(selector)");
	into(&task2.ss, S | 3);
	check_not_tcg(faulted(SS, S), "new task: an absent stack is #SS(selector)");
	into(&task2.ldt, KERNEL_DATA);
	check_not_tcg(faulted(TS, KERNEL_DATA) && context.eip == (u32)in_task, "new task: an LDT which is none is #TS(selector)");
	set_segment(S, 0, 0xffff, PRESENT | RING3 | CODE, true);
	into(&task2.cs, S | 3);
	check_not_tcg(faulted(GP, 0) && context.eip == (u32)in_task, "new task: EIP behind the limit of CS is #GP(0)");

	/* In ring 0 a bad stack leaves none for a handler: a third task has to serve it. */
	new_task(&task2, TASK, in_task);
	new_task(&task3, OTHER_TASK, in_task);
	set_gate(&idt[TS], OTHER_TASK, 0, PRESENT | TASK_GATE, 0);
	task2.ss = USER_DATA;
	ring0(jump_task);
	run();
	check_not_tcg(stopped() && task3.link == TASK && task2.eip == (u32)in_task && *(u32 *)context.esp == (USER_DATA & ~3), "new task: #TS may be served by a task itself");
	reset_tables();
}

static void odds(void)
{
	new_task(&task2, TASK, in_task);
	task2.trap = 1;
	write_dr6(0);
	ring0(jump_task);
	run();
	check_not_tcg(faulted(DB, 0) && context.eip == (u32)in_task && (read_dr6() & 0x8000) != 0, "T flag: #DB before the first instruction, with DR6.BT");
	write_dr6(0);

	new_task(&task2, TASK, in_task);
	write_dr0((u32)scratch);
	write_dr1((u32)scratch);
	write_dr7(0x00000009);
	ring0(jump_task);
	run();
	check(stopped() && (read_dr7() & 0xff) == 8, "local breakpoints: end with the task, global ones stay");
	write_dr7(0);

	copy((void *)0x9000, in_task, (u32)in_task_end - (u32)in_task);
	fill(narrow, 0, sizeof(narrow));
	narrow[7] = 0x9000;
	narrow[8] = FLAG_CF | 2;
	narrow[9] = 0x1234;
	narrow[13] = 0x7000;
	/* What the upper half of ESP becomes, no manual says. */
	set_segment(S, 0, 0xffff, PRESENT | DATA, false);
	narrow[17] = narrow[20] = KERNEL_DATA;
	narrow[19] = S;
	narrow[18] = KERNEL_CODE;
	set_segment(TASK, (u32)narrow, sizeof(narrow) - 1, PRESENT | TSS16, false);
	ring0(call_task);
	run();
	check(stopped() && context.eip == 0x9002 && (u16)context.eax == 0x1234 && narrow[0] == MAIN_TASK && (access_of(TASK) & 0xf) == 3, "16-bit task: runs, linked and busy");
	narrow[7] = 0x9000;
	copy((void *)0x9000, "\xcf", 1);
	set_segment(TASK, (u32)narrow, sizeof(narrow) - 1, PRESENT | TSS16, false);
	ring0(call_task);
	run();
	check(stopped() && context.eip == (u32)call_task_end && narrow[7] == 0x9001, "16-bit task: goes back to one of 32 bits");
	reset_tables();
	__asm__ volatile("clts");
}

void task_tests(void)
{
	jumps();
	calls();
	interrupts();
	bad_tasks();
	odds();
}
