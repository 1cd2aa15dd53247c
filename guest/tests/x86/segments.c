/* Segment limits and rights: SDM vol. 3 chapter 5, sections 5.3 to 5.7. TCG checks neither limits nor rights of an access. */
#include "tests.h"

enum { S = FREE };

CODE_OF(read_byte, "movb (%ebx), %al\n" STOP);
CODE_OF(read_long, "movl (%ebx), %eax\n" STOP);
CODE_OF(write_byte, "movb %al, (%ebx)\n" STOP);
CODE_OF(read_stack, "movl (%ebp), %eax\n" STOP);
CODE_OF(load_ds, "movw %ax, %ds\n" STOP);
CODE_OF(load_ss, "movw %ax, %ss\n" STOP);
CODE_OF(load_cs_through_es, "movl %es:(%ebx), %eax\n" STOP);
CODE_OF(call_far, "pushl %ecx\npushl %ebx\nlcall *(%esp)\nnop\n" STOP);
CODE_OF(conforming, "movl %cs, %eax\n" STOP);
CODE_OF(short_code, "nop\nnop\nnop\nnop\n" STOP);
CODE_OF(jump_out, "jmp .+0x1000\n" STOP);
CODE_OF(ask, "larl %eax, %ecx\nsetz %dl\nlsll %eax, %esi\nsetz %dh\nverr %ax\nsetz %bl\nverw %ax\nsetz %bh\n" STOP);
CODE_OF(adjust, "arpl %cx, %ax\nsetz %dl\n" STOP);
CODE_OF(push16, "movl %esp, %ecx\npushw %ax\npushw %bx\n" STOP);

static u32 with(u32 ds, const char *code, u32 ebx)
{
	ring3(code);
	context.ds = ds;
	context.ebx = ebx;
	return run();
}

static void limits(void)
{
	u32 base = (u32)scratch;

	set_segment(S, base, 0xfff, PRESENT | RING3 | DATA, true);
	with(S | 3, read_byte, 0xfff);
	check(stopped(), "segment: the last byte may be read");
	with(S | 3, read_byte, 0x1000);
	check_not_tcg(faulted(GP, 0), "segment: the byte behind the limit is #GP(0)");
	with(S | 3, read_long, 0xffd);
	check_not_tcg(faulted(GP, 0), "segment: an access that ends behind the limit is #GP(0)");

	ring3(read_stack);
	context.ss = S | 3;
	context.ebp = 0x1000;
	run();
	check_not_tcg(faulted(SS, 0), "segment: behind the limit of SS it is #SS(0)");

	set_segment(S, base - 0x1000, 0xfff, PRESENT | RING3 | DATA_DOWN, true);
	with(S | 3, read_byte, 0x1000);
	check(stopped(), "expand-down: the byte above the limit may be read");
	with(S | 3, read_byte, 0xfff);
	check_not_tcg(faulted(GP, 0), "expand-down: the limit itself may not");
	set_segment(S, base - 0x1000, 0xfff, PRESENT | RING3 | DATA_DOWN, false);
	with(S | 3, read_byte, 0xffff);
	check(stopped(), "expand-down: with B clear the segment ends at 64 KiB");
	with(S | 3, read_byte, 0x10000);
	check_not_tcg(faulted(GP, 0), "expand-down: with B clear there is nothing behind 64 KiB");
}

static void rights(void)
{
	u32 base = (u32)scratch;

	set_segment(S, base, 0xfff, PRESENT | RING3 | DATA_RO, true);
	with(S | 3, read_byte, 0);
	check(stopped(), "segment: read-only data may be read");
	with(S | 3, write_byte, 0);
	check_not_tcg(faulted(GP, 0), "segment: read-only data may not be written");
	set_segment(S, base, 0xfff, PRESENT | RING3 | CODE, true);
	with(S | 3, read_byte, 0);
	check(stopped(), "segment: readable code may be read through DS");
	with(S | 3, write_byte, 0);
	check_not_tcg(faulted(GP, 0), "segment: code may not be written");
	with(0, read_byte, (u32)scratch);
	check_not_tcg(faulted(GP, 0), "segment: nothing can be reached through a null selector");
}

static u32 loading(const char *code, u32 selector)
{
	ring3(code);
	context.eax = selector;
	return run();
}

static void loads(void)
{
	set_segment(S, 0, 0xfff, PRESENT | RING3 | DATA, true);
	loading(load_ds, S | 3);
	check(stopped() && access_of(S) == (PRESENT | RING3 | DATA | ACCESSED), "loading: a segment register marks the descriptor accessed");
	set_segment(S, 0, 0xfff, RING3 | DATA, true);
	loading(load_ds, S | 3);
	check(faulted(NP, S), "loading: DS with an absent segment is #NP(selector)");
	check(context.ds == USER_DATA, "loading: a refused load leaves the register");
	loading(load_ss, S | 3);
	check(faulted(SS, S), "loading: SS with an absent segment is #SS(selector)");
	set_segment(S, 0, 0xfff, PRESENT | DATA, true);
	loading(load_ds, S);
	check(faulted(GP, S), "loading: DS with data of ring 0 from ring 3 is #GP(selector)");
	set_segment(S, 0, 0xfff, PRESENT | RING3 | CODE_XO, true);
	loading(load_ds, S | 3);
	check(faulted(GP, S), "loading: DS with execute-only code is #GP(selector)");
	set_segment(S, 0, 0xfff, PRESENT | RING3 | DATA_RO, true);
	loading(load_ss, S | 3);
	check(faulted(GP, S), "loading: SS with read-only data is #GP(selector)");
	set_segment(S, 0, 0xfff, PRESENT | RING3 | DATA, true);
	loading(load_ss, S | 2);
	check(faulted(GP, S), "loading: SS needs RPL equal to CPL");
	loading(load_ss, 0);
	check(faulted(GP, 0), "loading: SS with a null selector is #GP(0)");
	loading(load_ds, sizeof(gdt) | 3);
	check(faulted(GP, sizeof(gdt)), "loading: a selector behind the end of the GDT is #GP(selector)");
	loading(load_ds, 0x0c | 3);
	check(faulted(GP, 0x0c), "loading: a selector of the LDT without one is #GP(selector)");
	loading(load_ds, MAIN_TASK);
	check(faulted(GP, MAIN_TASK), "loading: a system segment in DS is #GP(selector)");
	loading(load_ds, 3);
	check(stopped(), "loading: DS takes a null selector");

	static u64 ldt[2];
	set_segment(S, (u32)ldt, sizeof(ldt) - 1, PRESENT | LDT, false);
	ldt[1] = gdt[USER_DATA >> 3];
	__asm__ volatile("lldt %w0" :: "r"(S));
	loading(load_ds, 0x0f);
	check(stopped() && context.ds == 0x0f, "LDT: a selector with TI set is found in it");
	loading(load_ds, 0x17);
	check(faulted(GP, 0x14), "LDT: its limit holds");
	__asm__ volatile("lldt %w0" :: "r"(0));
}

static void code(void)
{
	set_segment(S, 0, 0xffffffff, PRESENT | CODE_CONFORMING, true);
	ring3(call_far);
	context.ebx = (u32)conforming;
	context.ecx = S;
	run();
	check(stopped() && context.eax == (S | 3), "conforming: called from ring 3 it runs in ring 3");
	set_segment(S, 0, 0xffffffff, PRESENT | CODE, true);
	ring3(call_far);
	context.ebx = (u32)conforming;
	context.ecx = S;
	run();
	check(faulted(GP, S), "code: of ring 0 cannot be called from ring 3");

	set_segment(S, (u32)short_code, 2, PRESENT | RING3 | CODE, true);
	ring3(0);
	context.cs = S | 3;
	run();
	check_not_tcg(faulted(GP, 0) && context.eip == 3, "code: running past the limit is #GP(0) at the first byte behind it");
	set_segment(S, (u32)jump_out, 0xff, PRESENT | RING3 | CODE, true);
	ring3(0);
	context.cs = S | 3;
	run();
	check_not_tcg(faulted(GP, 0) && context.eip == 0, "code: a jump behind the limit is #GP(0) at the jump");

	set_segment(S, 0, 0xffff, PRESENT | RING3 | DATA, false);
	ring3(push16);
	context.ss = S | 3;
	context.esp = 2;
	context.ebx = 0x5566;
	run();
	check(stopped() && context.esp == (context.ecx & 0xffff0000 | 0xfffe) && *(u16 *)0xfffe == 0x5566,
	      "stack: one of 16 bits wraps at 64 KiB and leaves the upper half of ESP");
	ring3(push16);
	context.ss = S | 3;
	context.esp = 1;
	run();
	check_not_tcg(faulted(SS, 0), "stack: what would lie on both ends of 64 KiB is #SS(0)");
}

static void asked(u32 selector)
{
	ring3(ask);
	context.eax = selector;
	context.ebx = context.edx = 0;
	context.ecx = context.esi = 0xdeadbeef;
	run();
}

static void questions(void)
{
	set_segment(S, 0x123456, 0x12345, PRESENT | RING3 | DATA_RO, true);
	asked(S | 3);
	check(stopped() && (context.edx & 1) != 0 && (context.ecx & 0xf0ff00) == ((PRESENT | RING3 | DATA_RO) << 8 | 0x400000),
	      "LAR: gives the rights of a segment");
	check((context.edx & 0x100) != 0 && context.esi == 0x12345, "LSL: gives the limit");
	check((context.ebx & 0x101) == 1, "VERR and VERW: read-only data may be read and not written");
	set_segment(S, 0, 0x12345fff, PRESENT | RING3 | CODE, true);
	asked(S | 3);
	check(context.esi == 0x12345fff && (context.ebx & 0x101) == 1, "LSL: scales by granularity; code can be read");
	set_segment(S, 0, 0xfff, PRESENT | DATA, true);
	asked(S);
	check(context.edx == 0 && context.ebx == 0 && context.ecx == 0xdeadbeef && context.esi == 0xdeadbeef,
	      "LAR, LSL, VERR, VERW: what the ring may not see only clears ZF");
	asked(0);
	check(context.edx == 0 && context.ebx == 0, "LAR, LSL, VERR, VERW: nor a null selector");
	set_gate(&gdt[S >> 3], KERNEL_CODE, 0, PRESENT | RING3 | CALL32, 0);
	asked(S | 3);
	check((context.edx & 0x101) == 1 && (context.ecx & 0xff00) == (PRESENT | RING3 | CALL32) << 8, "LAR: knows a call gate, LSL does not");
	set_gate(&gdt[S >> 3], KERNEL_CODE, 0, PRESENT | RING3 | INTERRUPT32, 0);
	asked(S | 3);
	check((context.edx & 0x101) == 0, "LAR: does not know an interrupt gate");

	ring3(adjust);
	context.eax = 0x30;
	context.ecx = 0x3;
	run();
	check(context.eax == 0x33 && (context.edx & 1) != 0, "ARPL: raises the RPL and sets ZF");
	ring3(adjust);
	context.eax = 0x33;
	context.ecx = 1;
	run();
	check(context.eax == 0x33 && (context.edx & 1) == 0, "ARPL: leaves a higher RPL and clears ZF");
}

void segment_tests(void)
{
	limits();
	rights();
	loads();
	code();
	questions();
	reset_tables();
}
