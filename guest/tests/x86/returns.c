/* IRET and RET to other rings: SDM vol. 2, IRET and RET; vol. 3 section 6.12.1. */
#include "tests.h"

enum { S = FREE, T = FREE + 8 };

/* What is on the stack is set by the test. */
CODE_OF(iret, "iret\n");
CODE_OF(lret, "lret\n");
CODE_OF(stop_at, STOP);
CODE_OF(stop_and_flags, "pushfl\npopl %eax\n" STOP);

static u32 *stack_top(void)
{
	return (u32 *)(user_stack + sizeof(user_stack) - 128);
}

static u32 from_ring0(const char *code, u32 a, u32 b, u32 c, u32 d, u32 e)
{
	u32 *top = stack_top();

	top[0] = a;
	top[1] = b;
	top[2] = c;
	top[3] = d;
	top[4] = e;
	ring0(code);
	context.esp = (u32)top;
	return run();
}

static u32 from_ring3(u32 a, u32 b, u32 c)
{
	u32 *top = stack_top();

	top[0] = a;
	top[1] = b;
	top[2] = c;
	ring3(iret);
	context.esp = (u32)top;
	return run();
}

void return_tests(void)
{
	u32 stack = (u32)user_stack + 1024;

	from_ring0(iret, (u32)stop_at, KERNEL_CODE, 2, 0, 0);
	check(stopped() && context.cs == KERNEL_CODE && context.esp == (u32)stack_top() + 12, "IRET: within a ring pops three words");
	from_ring0(iret, (u32)stop_and_flags, USER_CODE, FLAG_IOPL | FLAG_IF | FLAG_ID | 2, stack, USER_DATA);
	check(stopped() && context.cs == USER_CODE && context.esp == stack && context.ss == USER_DATA, "IRET: to ring 3 pops SS and ESP as well");
	check((context.eax & (FLAG_IOPL | FLAG_IF | FLAG_ID)) == (FLAG_IOPL | FLAG_IF | FLAG_ID), "IRET: ring 0 may set IOPL and IF");
	check(context.ds == 0 && context.es == 0, "IRET: data segments of ring 0 become null on the way out");

	from_ring0(iret, (u32)stop_at, 0, 2, stack, USER_DATA);
	check(faulted(GP, 0) && context.eip == (u32)iret && context.esp == (u32)stack_top(), "IRET: a null CS is #GP(0), and nothing has moved");
	from_ring0(iret, (u32)stop_at, KERNEL_DATA, 2, 0, 0);
	check(faulted(GP, KERNEL_DATA), "IRET: CS with data is #GP(selector)");
	from_ring0(iret, (u32)stop_at, sizeof(gdt) | 3, 2, 0, 0);
	check(faulted(GP, sizeof(gdt)), "IRET: CS behind the GDT is #GP(selector)");
	from_ring0(iret, (u32)stop_at, KERNEL_CODE | 3, 2, stack, USER_DATA);
	check(faulted(GP, KERNEL_CODE), "IRET: CS whose RPL is not its DPL is #GP(selector)");
	from_ring0(iret, (u32)stop_at, USER_CODE, 2, stack, 0);
	check(faulted(GP, 0), "IRET: a null SS for ring 3 is #GP(0)");
	from_ring0(iret, (u32)stop_at, USER_CODE, 2, stack, KERNEL_DATA);
	check(faulted(GP, KERNEL_DATA), "IRET: SS of another ring is #GP(selector)");
	set_segment(S, 0, 0xffffffff, RING3 | DATA, true);
	from_ring0(iret, (u32)stop_at, USER_CODE, 2, stack, S | 3);
	check(faulted(NP, S), "IRET: an absent SS is #NP(selector)");
	from_ring0(lret, (u32)stop_at, USER_CODE, stack, S | 3, 0);
	check_not_tcg(faulted(SS, S), "RET far: an absent SS is #SS(selector)");
	set_segment(S, 0, 0xffffffff, RING3 | CODE, true);
	from_ring0(iret, (u32)stop_at, S | 3, 2, stack, USER_DATA);
	check(faulted(NP, S), "IRET: an absent CS is #NP(selector)");
	set_segment(S, 0, 0xffff, PRESENT | RING3 | CODE, true);
	from_ring0(iret, 0x10000, S | 3, 2, stack, USER_DATA);
	check_not_tcg(faulted(GP, 0) && context.eip == (u32)iret, "IRET: EIP behind the limit of CS is #GP(0) at the IRET");
	set_segment(S, (u32)stop_at, 0xffff, PRESENT | RING3 | CODE_CONFORMING, true);
	from_ring0(iret, 0, S | 3, 2, stack, USER_DATA);
	check(stopped() && context.cs == (S | 3), "IRET: to conforming code of ring 3");

	from_ring3((u32)stop_at, KERNEL_CODE, 2);
	check(faulted(GP, KERNEL_CODE), "IRET: there is no way inwards");
	/* TCG takes VM at any privilege, and is lost. */
	from_ring3((u32)stop_and_flags, USER_CODE, FLAG_IF | FLAG_IOPL | (on_tcg ? 0 : FLAG_VM) | FLAG_VIF | FLAG_ID | FLAG_CF | 2);
	check(stopped() && (context.eax & (FLAG_IF | FLAG_IOPL | FLAG_VM | FLAG_VIF)) == 0 && (context.eax & FLAG_ID) != 0 && (context.eax & FLAG_CF) != 0,
	      "IRET: ring 3 changes neither IF nor IOPL, VM or VIF");

	from_ring0(lret, (u32)stop_at, USER_CODE, stack, USER_DATA, 0);
	check(stopped() && context.cs == USER_CODE && context.esp == stack && context.ds == 0, "RET far: to ring 3 pops SS and ESP");
	from_ring0(lret, (u32)stop_at, KERNEL_CODE | 1, stack, USER_DATA, 0);
	check(faulted(GP, KERNEL_CODE), "RET far: CS whose RPL is not its DPL is #GP(selector)");
	set_segment(T, 0, 0xffffffff, PRESENT | RING3 | DATA_RO, true);
	from_ring0(lret, (u32)stop_at, USER_CODE, stack, T | 3, 0);
	check(faulted(GP, T), "RET far: a stack that cannot be written is #GP(selector)");
	reset_tables();
}
