/* Debug registers and single steps: SDM vol. 3 chapter 17, sections 17.2 and 17.3. */
#include "tests.h"

enum { BS = 0x4000, BT = 0x8000, BD = 0x2000 };

/* DR7 for breakpoint 0: enabled, what it watches, how many bytes. */
enum { EXECUTE = 0, WRITE = 1 << 16, PORT = 2 << 16, ACCESS = 3 << 16, LEN1 = 0, LEN2 = 1 << 18, LEN4 = 3 << 18, LOCAL0 = 1, GLOBAL0 = 2 };

CODE_OF(nops, "nop\nnop\n" STOP);
CODE_OF(load_ss, "movw %ss, %ax\nmovw %ax, %ss\nnop\nnop\n" STOP);
CODE_OF(set_tf, "pushfl\norl $0x100, (%esp)\npopfl\nnop\nnop\n" STOP);
CODE_OF(clear_tf, "pushfl\nandl $~0x100, (%esp)\npopfl\nnop\n" STOP);
CODE_OF(store, "movl %eax, (%ebx)\nnop\n" STOP);
CODE_OF(load, "movl (%ebx), %eax\nnop\n" STOP);
CODE_OF(load_byte, "movb (%ebx), %al\nnop\n" STOP);
CODE_OF(add_memory, "incl (%ebx)\nnop\n" STOP);
CODE_OF(moves, "movl $3, %ecx\nrep movsb\nnop\n" STOP);
CODE_OF(push, "pushl %eax\nnop\n" STOP);
CODE_OF(port, "inb $0x80, %al\nnop\n" STOP);
CODE_OF(read_dr7_code, "movl %dr7, %eax\n" STOP);
CODE_OF(read_dr5_code, "movl %dr5, %eax\n" STOP);
CODE_OF(store_faults, "movl (%ebx), %eax\nmovw %cx, %ds\n");
CODE_OF(undefined, "ud2\n");
CODE_OF(step_int, "int $0x40\n");

static void steps(void)
{
	write_dr6(0);
	ring3(nops);
	context.eflags |= FLAG_TF;
	run();
	check(faulted(DB, 0) && context.eip == (u32)nops + 1 && (context.eflags & FLAG_TF) != 0, "single step: a trap behind one instruction");
	check((read_dr6() & 0xe00f) == BS, "single step: DR6.BS");
	ring3(set_tf);
	run();
	check(faulted(DB, 0) && context.eip == (u32)set_tf + 10, "single step: POPF that sets TF is not stepped itself");
	ring3(clear_tf);
	context.eip += 8;
	context.eflags |= FLAG_TF;
	context.esp -= 4;
	*(u32 *)context.esp = 2;
	run();
	check(faulted(DB, 0) && context.eip == (u32)clear_tf + 9 && (context.eflags & FLAG_TF) == 0, "single step: POPF that clears it is");
	ring3(load_ss);
	context.eip += 3;
	context.eax = USER_DATA;
	context.eflags |= FLAG_TF;
	run();
	check(faulted(DB, 0) && context.eip == (u32)load_ss + 6, "single step: MOV SS and the next instruction are one");
	ring3(step_int);
	context.eflags |= FLAG_TF;
	run();
	check(stopped() && (context.eflags & FLAG_TF) != 0, "single step: INT n pushes TF and is not stepped");
	ring3(undefined);
	context.eflags |= FLAG_TF;
	run();
	check(context.vector == UD, "single step: an instruction that faults is not stepped");
	ring3(moves);
	context.eip += 5;
	context.ecx = 3;
	context.esi = (u32)scratch;
	context.edi = (u32)scratch + 100;
	context.eflags |= FLAG_TF;
	run();
	check(faulted(DB, 0) && context.ecx == 2 && context.eip == (u32)moves + 5, "single step: stops within REP, behind one element");
	write_dr6(0);
}

static void watch(const char *code, u32 address, u32 dr7)
{
	write_dr0(address);
	write_dr6(0);
	write_dr7(dr7);
	ring3(code);
	context.ebx = (u32)scratch + 8;
	run();
	write_dr7(0);
}

static bool hit(const char *code, u32 length)
{
	return faulted(DB, 0) && context.eip == (u32)code + length && (read_dr6() & 0xe00f) == 1;
}

static void data(void)
{
	u32 at = (u32)scratch + 8;

	watch(store, at, WRITE | LEN4 | LOCAL0);
	check(hit(store, 2), "data breakpoint: a write traps behind the instruction, with DR6.B0");
	watch(store, at, WRITE | LEN4 | GLOBAL0);
	check(hit(store, 2), "data breakpoint: the global enable serves as well");
	watch(load, at, WRITE | LEN4 | LOCAL0);
	check(stopped(), "data breakpoint: one on writes does not see reads");
	watch(load, at, ACCESS | LEN4 | LOCAL0);
	check(hit(load, 2), "data breakpoint: one on accesses does");
	watch(add_memory, at, WRITE | LEN4 | LOCAL0);
	check(hit(add_memory, 2), "data breakpoint: sees a read-modify-write");
	watch(load, at + 3, ACCESS | LEN1 | LOCAL0);
	check(hit(load, 2), "data breakpoint: any byte in common is enough");
	watch(load, at + 4, ACCESS | LEN4 | LOCAL0);
	check(stopped(), "data breakpoint: a neighbour is not seen");
	watch(load_byte, at + 1, ACCESS | LEN2 | LOCAL0);
	check_not_tcg(hit(load_byte, 2), "data breakpoint: its address is aligned to its length");
	watch(push, (u32)user_stack + sizeof(user_stack) - 68, WRITE | LEN4 | LOCAL0);
	check(hit(push, 1), "data breakpoint: sees a push");
	watch(load, at, ACCESS | LEN4);
	check(stopped(), "data breakpoint: nothing happens while it is not enabled");

	/* A read that hits, and then a fault in the next instruction: the trap comes first. */
	watch(store_faults, at, ACCESS | LEN4 | LOCAL0);
	check(hit(store_faults, 2), "data breakpoint: the trap is before the next instruction's fault");

	write_dr0((u32)scratch + 101);
	write_dr6(0);
	write_dr7(WRITE | LEN1 | LOCAL0);
	ring3(moves);
	context.esi = (u32)scratch;
	context.edi = (u32)scratch + 100;
	run();
	write_dr7(0);
	check(faulted(DB, 0) && context.ecx == 1 && context.eip == (u32)moves + 5, "data breakpoint: stops within REP MOVS");
	write_dr0(at);
	write_dr7(WRITE | LEN4 | LOCAL0);
	write_dr6(0);
	*(volatile u32 *)(scratch + 100) = 1;
	write_dr7(0);
	check((read_dr6() & 0xf) == 0, "data breakpoint: its page can be used");
}

static void execute(void)
{
	watch(nops, (u32)nops + 1, EXECUTE | LOCAL0);
	check(hit(nops, 1), "instruction breakpoint: a fault in front of the instruction");
	check((context.eflags & FLAG_RF) == 0, "instruction breakpoint: pushes RF clear");
	write_dr0((u32)nops);
	write_dr6(0);
	write_dr7(EXECUTE | LOCAL0);
	ring3(nops);
	context.eflags |= FLAG_RF;
	run();
	check_not_tcg(stopped() && (context.eflags & FLAG_RF) == 0, "RF: lets the instruction pass, and is clear behind it");
	write_dr0((u32)nops + 1);
	ring3(nops);
	context.eflags |= FLAG_RF;
	run();
	check(hit(nops, 1), "RF: holds for one instruction");
	write_dr0((u32)load_ss + 5);
	write_dr6(0);
	ring3(load_ss);
	run();
	check(stopped() || hit(load_ss, 5), "instruction breakpoint: behind MOV SS it is held off, or hit");
	write_dr0((u32)moves + 5);
	write_dr6(0);
	ring3(moves);
	context.eip += 5;
	context.ecx = 3;
	context.esi = (u32)scratch;
	context.edi = (u32)scratch + 100;
	context.eflags |= FLAG_RF;
	run();
	check_not_tcg(stopped() && context.ecx == 0, "RF: holds for all of a repeated instruction");
	write_dr7(0);

	ring3(undefined);
	run();
	check_not_tcg((context.eflags & FLAG_RF) != 0, "RF: is pushed set by a fault");
	ring3(nops);
	context.eflags |= FLAG_TF;
	run();
	check((context.eflags & FLAG_RF) == 0, "RF: is pushed clear by a trap");
	ring3(step_int);
	context.eflags |= FLAG_RF;
	run();
	check_not_tcg(stopped() && (context.eflags & FLAG_RF) == 0, "RF: is pushed clear by INT n");
}

static void extensions(void)
{
	main_tss.ports[0x80 / 8] = 0xfe;
	write_cr4(read_cr4() | CR4_DE);
	watch(port, 0x80, PORT | LEN1 | LOCAL0);
	check(hit(port, 2), "port breakpoint: IN traps under CR4.DE");
	watch(port, 0x81, PORT | LEN1 | LOCAL0);
	check(stopped(), "port breakpoint: another port does not");
	ring0(read_dr5_code);
	run();
	check(context.vector == UD, "DR5: is #UD under CR4.DE");
	write_cr4(read_cr4() & ~CR4_DE);
}

static void registers(void)
{
	write_dr6(0);
	if (features() & HAS_DE)
		extensions();
	ring0(read_dr5_code);
	run();
	check(stopped() && context.eax == read_dr7(), "DR5: is DR7 without");
	ring3(read_dr7_code);
	run();
	check(faulted(GP, 0), "MOV from DR7: #GP(0) in ring 3");
	check((read_dr7() & 0xdc00) == 0x400, "DR7: bit 10 reads 1, bits 11, 12, 14 and 15 read 0");
	write_dr6(0);
	check(read_dr6() == 0xffff0ff0, "DR6: reserved bits read 1");
	write_dr7(BD);
	ring0(read_dr7_code);
	run();
	check_not_tcg(faulted(DB, 0) && context.eip == (u32)read_dr7_code && (read_dr6() & BD) != 0, "DR7.GD: an access to a debug register is #DB, with DR6.BD");
	check_not_tcg((read_dr7() & BD) == 0, "DR7.GD: is clear for the handler");
	write_dr6(0);
	write_dr7(0);
	reset_tables();
}

void debug_tests(void)
{
	steps();
	data();
	execute();
	registers();
}
