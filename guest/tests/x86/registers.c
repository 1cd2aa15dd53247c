/* Control registers, flags by privilege, model-specific registers, SYSENTER: SDM vol. 3 chapters 2 and 5, vol. 2 by instruction. */
#include "tests.h"

CODE_OF(set_cr0, "movl %eax, %cr0\n" STOP);
CODE_OF(set_cr4, "movl %eax, %cr4\n" STOP);
CODE_OF(get_cr0, "movl %cr0, %eax\n" STOP);
CODE_OF(set_msw, "lmsw %ax\n" STOP);
CODE_OF(get_msw, "smsw %ax\n" STOP);
CODE_OF(read_msr, "rdmsr\n" STOP);
CODE_OF(write_msr, "wrmsr\n" STOP);
CODE_OF(read_tsc, "rdtsc\n" STOP);
CODE_OF(load_flags, "pushl %eax\npopfl\npushfl\npopl %eax\n" STOP);
CODE_OF(load_flags16, "pushw %ax\npopfw\npushfl\npopl %eax\n" STOP);
CODE_OF(clear_ts, "clts\n" STOP);
CODE_OF(invalidate, "invlpg (%eax)\n" STOP);
CODE_OF(enter, "sysenter\n");
CODE_OF(entered, "movl %cs, %eax\nmovl %ss, %ebx\nmovl %esp, %esi\npushfl\npopl %edi\nsysexit\n");
CODE_OF(left, "movl %cs, %ecx\nmovl %ss, %edx\n" STOP);
CODE_OF(leave, "sysexit\n");
CODE_OF(store_tables, "sgdt (%ebx)\nsidt 8(%ebx)\nstrw 16(%ebx)\nsldtw 18(%ebx)\n" STOP);

enum { MSR_TSC = 0x10, MSR_CS = 0x174, MSR_ESP, MSR_EIP, MSR_MTRR_CAP = 0xfe, MSR_MTRR_BASE0 = 0x200, MSR_MTRR_MASK0 = 0x201, MSR_MTRR_TYPE = 0x2ff, MSR_NONE = 0x12345 };

static u32 with(void (*ring)(const char *), const char *code, u32 eax)
{
	ring(code);
	context.eax = eax;
	return run();
}

static void wrmsr(u32 index, u32 value)
{
	__asm__ volatile("wrmsr" :: "c"(index), "a"(value), "d"(0));
}

static u32 msr(const char *code, u32 index, u32 low, u32 high)
{
	ring0(code);
	context.ecx = index;
	context.eax = low;
	context.edx = high;
	return run();
}

static void control(void)
{
	u32 cr0 = read_cr0();

	/* TCG goes on without protection. */
	with(ring0, on_tcg ? get_cr0 : set_cr0, (cr0 & ~CR0_PE) | CR0_PG);
	check_not_tcg(faulted(GP, 0), "CR0: paging without protection is #GP(0)");
	with(ring0, set_cr0, (cr0 & ~0x40000000u) | 0x20000000);
	check_not_tcg(faulted(GP, 0), "CR0: NW without CD is #GP(0)");
	write_cr0(cr0);
	with(ring0, set_cr4, read_cr4() | (on_tcg ? 0 : 0x80000000));
	check_not_tcg(faulted(GP, 0), "CR4: a bit that does not exist is #GP(0)");
	with(ring3, get_cr0, 0);
	check(faulted(GP, 0), "CR0: ring 3 may not read it");
	with(ring3, get_msw, 0);
	check(stopped() && (u16)context.eax == (u16)cr0, "SMSW: ring 3 may");
	with(ring3, set_msw, 1);
	check(faulted(GP, 0), "LMSW: ring 3 may not");
	with(ring0, set_msw, 0);
	check(stopped() && (read_cr0() & CR0_PE) != 0, "LMSW: does not leave protected mode");
	with(ring0, set_msw, 1 | CR0_TS);
	check((read_cr0() & CR0_TS) != 0, "LMSW: sets TS");
	with(ring0, clear_ts, 0);
	check(stopped() && (read_cr0() & CR0_TS) == 0, "CLTS: clears it");
	with(ring3, clear_ts, 0);
	check(faulted(GP, 0), "CLTS: is #GP(0) in ring 3");
	with(ring3, invalidate, 0);
	check(faulted(GP, 0), "INVLPG: is #GP(0) in ring 3");
	ring3(store_tables);
	context.ebx = (u32)scratch;
	run();
	check(stopped() && *(u16 *)scratch == sizeof(gdt) - 1 && *(u32 *)(scratch + 10) == (u32)idt && *(u16 *)(scratch + 16) == MAIN_TASK, "SGDT, SIDT, STR: ring 3 may ask");
	write_cr0(cr0);
}

static void flags(void)
{
	u32 all = FLAG_CF | FLAG_IF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC | FLAG_VIF | FLAG_VIP | FLAG_ID | 2;

	with(ring3, load_flags, all);
	check(stopped() && (context.eax & ~(FLAG_CF | FLAG_NT | FLAG_AC | FLAG_ID | 2u)) == 0 && (context.eax & (FLAG_NT | FLAG_AC | FLAG_ID)) == (FLAG_NT | FLAG_AC | FLAG_ID), "POPF: ring 3 changes NT, AC and ID, not IF and IOPL");
	ring3(load_flags);
	context.eax = 2;
	context.eflags |= FLAG_IOPL | FLAG_IF;
	run();
	check((context.eax & (FLAG_IF | FLAG_IOPL)) == FLAG_IOPL, "POPF: with an IOPL of 3 it changes IF");
	with(ring0, load_flags, all & ~FLAG_IF);
	check((context.eax & (FLAG_IOPL | FLAG_VM | FLAG_RF)) == FLAG_IOPL, "POPF: ring 0 changes IOPL; VM and RF stay clear");
	ring3(load_flags16);
	context.eax = FLAG_CF | 2;
	context.eflags |= FLAG_AC;
	run();
	check((context.eax & (FLAG_AC | FLAG_CF)) == (FLAG_AC | FLAG_CF), "POPF: of 16 bits leaves the upper half");
}

static void model_specific(void)
{
	if (!(features() & HAS_MSR))
		return;
	msr(read_msr, MSR_NONE, 0, 0);
	check_not_tcg(faulted(GP, 0), "RDMSR: of a register that is not there is #GP(0)");
	ring3(read_msr);
	context.ecx = MSR_TSC;
	run();
	check(faulted(GP, 0), "RDMSR: is #GP(0) in ring 3");
	msr(write_msr, MSR_TSC, 0, 0);
	msr(read_msr, MSR_TSC, 0, 0);
	check(stopped() && context.edx == 0, "TSC: can be written");
	write_cr4(read_cr4() | CR4_TSD);
	with(ring3, read_tsc, 0);
	check(faulted(GP, 0), "RDTSC: is #GP(0) in ring 3 under CR4.TSD");
	with(ring0, read_tsc, 0);
	check(stopped(), "RDTSC: and not in ring 0");
	write_cr4(read_cr4() & ~CR4_TSD);
	with(ring3, read_tsc, 0);
	check(stopped(), "RDTSC: runs in ring 3 without it");

	if (!(features() & HAS_MTRR))
		return;
	msr(read_msr, MSR_MTRR_CAP, 0, 0);
	check(stopped() && (context.eax & 0xff) >= 6, "MTRR: there are variable ranges");
	msr(write_msr, MSR_MTRR_BASE0, 0xe0000006, 0);
	msr(write_msr, MSR_MTRR_MASK0, 0xff000800, 0xf);
	msr(read_msr, MSR_MTRR_BASE0, 0, 0);
	check(stopped() && context.eax == 0xe0000006, "MTRR: a range keeps what was written");
	msr(write_msr, MSR_MTRR_BASE0, 0xe0000002, 0);
	check_not_tcg(faulted(GP, 0), "MTRR: a memory type that is reserved is #GP(0)");
	msr(write_msr, MSR_MTRR_TYPE, 0x1000, 0);
	check_not_tcg(faulted(GP, 0), "MTRR: a reserved bit is #GP(0)");
	wrmsr(MSR_MTRR_MASK0, 0);
	wrmsr(MSR_MTRR_BASE0, 0);
}

static void fast_calls(void)
{
	if (!(features() & HAS_SEP))
		return;
	/* Code and stack of ring 0, and of ring 3, follow one another. */
	wrmsr(MSR_CS, KERNEL_CODE);
	wrmsr(MSR_ESP, (u32)scratch + 4096);
	wrmsr(MSR_EIP, (u32)entered);
	ring3(enter);
	context.edx = (u32)left;
	context.ecx = (u32)user_stack + 2048;
	context.eflags |= FLAG_IF;
	run();
	check(stopped() && context.eax == KERNEL_CODE && context.ebx == KERNEL_DATA && context.esi == (u32)scratch + 4096, "SYSENTER: CS, SS, EIP and ESP come from its registers");
	check((context.edi & FLAG_IF) == 0, "SYSENTER: clears IF");
	check(context.ecx == USER_CODE && context.edx == USER_DATA && context.esp == (u32)user_stack + 2048, "SYSEXIT: to ring 3, at EDX with the stack ECX");
	ring3(leave);
	run();
	check(faulted(GP, 0), "SYSEXIT: is #GP(0) in ring 3");
	wrmsr(MSR_CS, 0);
	ring3(enter);
	run();
	check(faulted(GP, 0), "SYSENTER: is #GP(0) while its CS is null");
}

void register_tests(void)
{
	control();
	flags();
	model_specific();
	fast_calls();
	reset_tables();
}
