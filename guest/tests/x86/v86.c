/* Virtual-8086 mode and its extensions: SDM vol. 3 chapter 20. HLT ends every piece: it is #GP(0) there at any IOPL. */
#include "tests.h"

#define CODE16(name, text) CODE_OF(name, ".code16\n" text "hlt\n.code32")

enum { PORT = 0x80, CODE_AT = 0x80000, STACK_AT = 0x90000, TABLE_ENTRY = OWN_VECTOR * 4 };

CODE16(moves, "movw %cs, %ax\nmovw %ax, 0x100\nmovw %ss:0x100, %bx\npushw %ds\n");
CODE16(far_jump, "ljmp $0x8001, $0x10\n.org far_jump + 0x20\nmovw %cs, %ax\n");
CODE16(edge, "movw 0xffff, %ax\n");
CODE16(cli, "cli\n");
CODE16(sti, "sti\n");
CODE16(pushf, "pushfw\npopw %ax\n");
CODE16(pushfl, "pushfl\npopl %eax\n");
CODE16(popf, "pushw %ax\npopfw\n");
CODE16(popfl, "pushl %eax\npopfl\n");
CODE16(interrupt, "int $0x50\n");
CODE16(interrupt_and_back, "int $0x50\nmovw $0x1111, %cx\nhlt\n.org interrupt_and_back + 0x20\nmovw %sp, %bp\nmovw 4(%bp), %bx\npushfw\npopw %dx\niretw\n");
CODE16(iretw, "iretw\n");
CODE16(in, "inb $0x80, %al\n");
CODE16(int3, "int3\n");
CODE16(lar, "larw %ax, %bx\n");
CODE16(mov_cr, "movl %cr0, %eax\n");
CODE_OF(ring3_cli, "cli\n" STOP);
CODE_OF(ring3_sti, "sti\n" STOP);
CODE_OF(ring3_popf, "pushl %eax\npopfl\n" STOP);

#define V86(name) start(name, name##_end, 0)
#define V86_FLAGS(name, flags) start(name, name##_end, flags)
#define HALTED(name) (faulted(GP, 0) && context.eip == (u32)name##_end - (u32)name - 1)
#define REFUSED (faulted(GP, 0) && context.eip == 0)

static u32 accumulator;

static void start(const char *code, const char *end, u32 flags)
{
	v86(code, end);
	context.eflags |= flags;
	context.eax = accumulator;
	run();
}

static void plain(void)
{
	V86(moves);
	check(HALTED(moves) && context.eax == 0x8000 && (u16)context.ebx == 0x8000 && *(u16 *)(STACK_AT + 0x100) == 0x8000, "V86: selectors are paragraphs");
	check(context.esp == 0xeffe && *(u16 *)(STACK_AT + 0xeffe) == 0x9000, "V86: the stack is words of SS:SP");
	check(context.ds == 0 && context.es == 0 && context.fs == 0 && context.gs == 0, "V86: data segments are null in the handler");
	check(context.cs == 0x8000 && context.v86_ds == 0x9000 && context.v86_gs == 0x9000 && (context.eflags & FLAG_VM) != 0, "V86: and on its stack");
	V86(far_jump);
	check(faulted(GP, 0) && (u16)context.eax == 0x8001 && context.cs == 0x8001, "V86: a far jump takes a paragraph");
	V86(edge);
	check_not_tcg(REFUSED, "V86: a word at offset 0xffff is #GP(0)");

	V86(cli);
	check(REFUSED, "V86: CLI is #GP(0) while IOPL is below 3");
	V86(sti);
	check(REFUSED, "V86: STI is");
	V86(pushf);
	check(REFUSED, "V86: PUSHF is");
	V86(popf);
	check(faulted(GP, 0) && context.eip == 1 && context.esp == 0xeffe, "V86: POPF is, and leaves what was pushed");
	V86(interrupt);
	check(REFUSED, "V86: INT n is");
	V86(iretw);
	check(REFUSED, "V86: IRET is");
	V86_FLAGS(cli, FLAG_IOPL | FLAG_IF);
	check(HALTED(cli) && (context.eflags & FLAG_IF) == 0, "V86: with an IOPL of 3 CLI clears IF");
	V86_FLAGS(pushf, FLAG_IOPL);
	check(HALTED(pushf) && (u16)context.eax == (FLAG_IOPL | 2), "V86: PUSHF shows IOPL");
	accumulator = FLAG_CF | FLAG_IF | 2;
	V86_FLAGS(popf, FLAG_IOPL);
	check(HALTED(popf) && (context.eflags & (FLAG_CF | FLAG_IF | FLAG_IOPL | FLAG_VM)) == (FLAG_CF | FLAG_IF | FLAG_IOPL | FLAG_VM), "V86: POPF sets IF and leaves IOPL and VM");
	accumulator = 0;

	idt[OWN_VECTOR] = idt[STOP_VECTOR];
	V86_FLAGS(interrupt, FLAG_IOPL);
	check(stopped() && context.eip == 2 && context.cs == 0x8000, "V86: with an IOPL of 3 INT n goes through the IDT");
	idt[OWN_VECTOR] &= ~((u64)RING3 << 40);
	V86_FLAGS(interrupt, FLAG_IOPL);
	check(faulted(GP, OWN_VECTOR * 8 + 2), "V86: where the gate's DPL holds");
	V86(int3);
	check(faulted(GP, BP * 8 + 2), "V86: INT3 does not ask for IOPL, but for the gate's DPL");
	idt[BP] |= (u64)RING3 << 40;
	V86(int3);
	check(context.vector == BP && context.eip == 1, "V86: and is served by it");

	V86(in);
	check(REFUSED, "V86: IN is #GP(0) where the map of ports says so");
	V86_FLAGS(in, FLAG_IOPL);
	check(REFUSED, "V86: whatever IOPL is");
	main_tss.ports[PORT / 8] &= (u8)~(1 << PORT % 8);
	V86(in);
	check(HALTED(in), "V86: and goes on where it does not");
	V86(lar);
	check(context.vector == UD, "V86: LAR is #UD");
	V86(mov_cr);
	check(REFUSED, "V86: MOV from CR0 is #GP(0)");
	reset_tables();
}

static void extensions(void)
{
	u32 *entry = (u32 *)TABLE_ENTRY;
	u32 before = *entry;

	write_cr4(read_cr4() | CR4_VME);
	V86_FLAGS(cli, FLAG_VIF | FLAG_IF);
	check(HALTED(cli) && (context.eflags & (FLAG_VIF | FLAG_IF)) == FLAG_IF, "VME: CLI clears VIF and leaves IF");
	V86(sti);
	check(HALTED(sti) && (context.eflags & (FLAG_VIF | FLAG_IF)) == FLAG_VIF, "VME: STI sets VIF");
	V86_FLAGS(sti, FLAG_VIP);
	check(REFUSED, "VME: STI with VIP set is #GP(0)");
	V86_FLAGS(pushf, FLAG_VIF);
	check(HALTED(pushf) && (u16)context.eax == (FLAG_IOPL | FLAG_IF | 2), "VME: PUSHF shows VIF as IF, and an IOPL of 3");
	V86_FLAGS(pushf, FLAG_IF);
	check(HALTED(pushf) && (u16)context.eax == (FLAG_IOPL | 2), "VME: and not IF itself");
	V86_FLAGS(pushfl, FLAG_VIF);
	check(REFUSED, "VME: PUSHFD stays #GP(0)");
	accumulator = FLAG_IF | FLAG_CF | 2;
	V86(popf);
	check(HALTED(popf) && (context.eflags & (FLAG_VIF | FLAG_IF | FLAG_CF)) == (FLAG_VIF | FLAG_CF), "VME: POPF moves IF to VIF");
	V86_FLAGS(popf, FLAG_VIP);
	check(faulted(GP, 0) && context.eip == 1, "VME: POPF that would let a waiting interrupt in is #GP(0)");
	accumulator = FLAG_TF | 2;
	V86(popf);
	check(faulted(GP, 0) && context.eip == 1, "VME: POPF that sets TF is #GP(0)");
	V86(popfl);
	check(faulted(GP, 0) && context.eip == 2, "VME: POPFD stays #GP(0)");
	accumulator = 0;

	*entry = 0x80000020;
	V86_FLAGS(interrupt_and_back, FLAG_VIF);
	check(faulted(GP, 0) && (u16)context.ecx == 0x1111 && (context.eflags & FLAG_VIF) != 0, "VME: INT n goes through the program's own table, and IRET back");
	check((u16)context.ebx == (FLAG_IOPL | FLAG_IF | 2), "VME: it pushes VIF as IF");
	check((u16)context.edx == (FLAG_IOPL | 2), "VME: and clears VIF");
	V86_FLAGS(interrupt_and_back, FLAG_IF | FLAG_IOPL);
	check((u16)context.ecx == 0x1111 && (u16)context.ebx == (FLAG_IOPL | FLAG_IF | 2) && (u16)context.edx == (FLAG_IOPL | 2), "VME: with an IOPL of 3 the same happens to IF");
	main_tss.redirection[OWN_VECTOR / 8] |= 1 << OWN_VECTOR % 8;
	V86(interrupt);
	check(REFUSED, "VME: INT n whose bit is set is #GP(0)");
	idt[OWN_VECTOR] = idt[STOP_VECTOR];
	V86_FLAGS(interrupt, FLAG_IOPL);
	check(stopped(), "VME: or goes through the IDT, with an IOPL of 3");
	*entry = before;

	write_cr4((read_cr4() & ~CR4_VME) | CR4_PVI);
	ring3(ring3_cli);
	context.eflags |= FLAG_VIF;
	run();
	check(stopped() && (context.eflags & FLAG_VIF) == 0, "PVI: CLI of ring 3 clears VIF");
	ring3(ring3_sti);
	run();
	check(stopped() && (context.eflags & (FLAG_VIF | FLAG_IF)) == FLAG_VIF, "PVI: STI sets it");
	ring3(ring3_sti);
	context.eflags |= FLAG_VIP;
	run();
	check(faulted(GP, 0) && context.eip == (u32)ring3_sti, "PVI: STI with VIP set is #GP(0)");
	ring3(ring3_popf);
	context.eax = FLAG_IF | 2;
	run();
	check(stopped() && (context.eflags & (FLAG_VIF | FLAG_IF)) == 0, "PVI: POPF changes neither flag");
	write_cr4(read_cr4() & ~CR4_PVI);
	reset_tables();
}

void v86_tests(void)
{
	plain();
	if (features() & HAS_VME)
		extensions();
}
