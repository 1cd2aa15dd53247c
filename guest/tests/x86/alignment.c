/* #AC: SDM vol. 3 section 6.15, table 6-7. TCG does not check alignment. */
#include "tests.h"

CODE_OF(load_word, "movw (%ebx), %ax\n" STOP);
CODE_OF(load_long, "movl (%ebx), %eax\n" STOP);
CODE_OF(load_byte, "movb (%ebx), %al\n" STOP);
CODE_OF(store_long, "movl %eax, (%ebx)\n" STOP);
CODE_OF(push_pop, "pushl %eax\npopl %eax\n" STOP);
CODE_OF(move_string, "movsl\n" STOP);
CODE_OF(load_pointer, "lesw (%ebx), %ax\n" STOP);

CODE_OF(load_far, "lesl (%ebx), %eax\n" STOP);
CODE_OF(exchange, "cmpxchg8b (%ebx)\n" STOP);
CODE_OF(bounds, "xorl %eax, %eax\nboundl %eax, (%ebx)\n" STOP);

static u32 checked(const char *code, u32 offset)
{
	ring3(code);
	context.eflags |= FLAG_AC;
	context.ebx = (u32)scratch + offset;
	return run();
}

void alignment_tests(void)
{
	bool cx8 = (features() & HAS_CX8) != 0;

	checked(load_long, 1);
	check(stopped(), "alignment: EFLAGS.AC alone checks nothing");
	write_cr0(read_cr0() | CR0_AM);
	checked(load_long, 1);
	check_not_tcg(faulted(AC, 0) && context.eip == (u32)load_long, "alignment: a double word at an odd address is #AC(0)");
	check((context.eflags & FLAG_AC) != 0, "alignment: pushes AC set");
	checked(load_long, 2);
	check_not_tcg(faulted(AC, 0), "alignment: a double word at half of one is");
	checked(load_long, 4);
	check(stopped(), "alignment: an aligned one is not");
	checked(load_word, 1);
	check_not_tcg(faulted(AC, 0), "alignment: a word at an odd address is");
	checked(load_word, 2);
	check(stopped(), "alignment: at an even one it is not");
	checked(load_byte, 3);
	check(stopped(), "alignment: bytes are aligned");
	checked(store_long, 3);
	check_not_tcg(faulted(AC, 0), "alignment: writes are checked");
	checked(load_long, 4093);
	check_not_tcg(faulted(AC, 0), "alignment: as are accesses across pages");
	fill(scratch, 0, 32);
	checked(load_pointer, 2);
	check(stopped(), "alignment: a far pointer of 32 bits is two words");
	checked(load_far, 2);
	check_not_tcg(faulted(AC, 0), "alignment: one of 48 bits begins with a double word");
	if (cx8) {
		checked(exchange, 4);
		check_not_tcg(faulted(AC, 0), "alignment: CMPXCHG8B wants eight bytes aligned");
		checked(exchange, 8);
		check(stopped(), "alignment: and runs when they are");
	}
	fill(scratch, 0, 32);
	checked(bounds, 4);
	check(stopped(), "alignment: BOUND reads two double words");

	ring3(push_pop);
	context.eflags |= FLAG_AC;
	context.esp -= 2;
	run();
	check_not_tcg(faulted(AC, 0), "alignment: the stack is checked");
	ring3(move_string);
	context.eflags |= FLAG_AC;
	context.esi = (u32)scratch;
	context.edi = (u32)scratch + 101;
	run();
	check_not_tcg(faulted(AC, 0), "alignment: string instructions are checked");
	ring3(load_long);
	context.ebx = (u32)scratch + 1;
	run();
	check(stopped(), "alignment: not without EFLAGS.AC");
	ring0(load_long);
	context.eflags |= FLAG_AC;
	context.ebx = (u32)scratch + 1;
	run();
	check(stopped(), "alignment: nor in ring 0");
	write_cr0(read_cr0() & ~CR0_AM);
	checked(load_long, 1);
	check(stopped(), "alignment: and not any more without CR0.AM");
}
