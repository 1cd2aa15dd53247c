#include "arch.h"
#include "selftest.h"
#include "string.h"
#include "x86.h"

/* Exceptions (Intel SDM vol. 3 section 6.15): which vector, which error code, and where the saved pc points. */

static const char *expect_trap(void (*fn)(void *), u32 vector, u32 error, const char *pc)
{
	struct trap_info info;

	if (!trap_catch(fn, NULL, &info))
		return "no trap came";
	EXPECT("vector", info.vector, vector);
	EXPECT("error code", info.error, error);
	if (pc != NULL)
		EXPECT("pc", info.pc, (u32)pc);
	return NULL;
}

extern char at_divide[], after_int3[], after_into[], at_bound[], at_ud2[], at_absent[];

static void do_divide(void *arg)
{
	(void)arg;
	__asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; xorl %%edx, %%edx; at_divide: divl %%ecx" : : : "eax", "ecx", "edx", "cc");
}
static const char *divide(void) { return expect_trap(do_divide, TRAP_DIVIDE, 0, at_divide); }

/* -2^31 / -1 does not fit either. */
static void do_divide_overflow(void *arg)
{
	(void)arg;
	__asm__ volatile("movl $0x80000000, %%eax; cltd; movl $-1, %%ecx; idivl %%ecx" : : : "eax", "ecx", "edx", "cc");
}
static const char *divide_overflow(void) { return expect_trap(do_divide_overflow, TRAP_DIVIDE, 0, NULL); }

static void do_int3(void *arg)
{
	(void)arg;
	__asm__ volatile("int3; after_int3:");
}
static const char *breakpoint(void) { return expect_trap(do_int3, TRAP_BREAKPOINT, 0, after_int3); }

static void do_into(void *arg)
{
	(void)arg;
	__asm__ volatile("movl $0x7fffffff, %%eax; addl $1, %%eax; into; after_into:" : : : "eax", "cc");
}
static const char *overflow(void) { return expect_trap(do_into, TRAP_OVERFLOW, 0, after_into); }

static void do_bound(void *arg)
{
	static const int limits[2] = {10, 20};

	(void)arg;
	__asm__ volatile("movl $21, %%eax; at_bound: bound %%eax, %0" : : "m"(limits) : "eax");
}
static const char *bound(void) { return expect_trap(do_bound, TRAP_BOUND, 0, at_bound); }

static void do_ud2(void *arg)
{
	(void)arg;
	__asm__ volatile("at_ud2: ud2");
}
static const char *invalid_opcode(void) { return expect_trap(do_ud2, TRAP_INVALID_OPCODE, 0, at_ud2); }

static void do_bad_selector(void *arg)
{
	(void)arg;
	__asm__ volatile("movl %0, %%fs" : : "r"(0x1230));
}
static const char *bad_selector(void) { return expect_trap(do_bad_selector, TRAP_PROTECTION, 0x1230, NULL); }

static void do_null_segment(void *arg)
{
	(void)arg;
	__asm__ volatile("movl %0, %%fs; movl %%fs:0, %%eax" : : "r"(0) : "eax");
}
static const char *null_segment(void)
{
	if (arch_is_qemu())
		return SKIP("QEMU's translator checks no segment");
	return expect_trap(do_null_segment, TRAP_PROTECTION, 0, NULL);
}

static void do_absent(void *arg)
{
	(void)arg;
	__asm__ volatile("at_absent: movl %0, %%fs" : : "r"(ABSENT_DATA));
}
static const char *absent_segment(void) { return expect_trap(do_absent, TRAP_NOT_PRESENT, ABSENT_DATA, at_absent); }

static void do_absent_stack(void *arg)
{
	(void)arg;
	__asm__ volatile("movl %0, %%ss" : : "r"(ABSENT_DATA));
}
static const char *absent_stack(void) { return expect_trap(do_absent_stack, TRAP_STACK, ABSENT_DATA, NULL); }

static void do_past_limit(void *arg)
{
	(void)arg;
	__asm__ volatile("movl %0, %%fs; movl %%fs:13, %%eax" : : "r"(SMALL_DATA) : "eax");
}
static void do_write_read_only(void *arg)
{
	(void)arg;
	__asm__ volatile("movl %0, %%fs; movl %%eax, %%fs:0" : : "r"(SMALL_DATA));
}

static const char *segment_limit(void)
{
	u32 value;

	__asm__ volatile("movl %1, %%fs; movl %%fs:12, %0" : "=r"(value) : "r"(SMALL_DATA));
	EXPECT("last word of the segment", value, small_data[3]);
	__asm__ volatile("lsl %1, %0" : "=r"(value) : "r"(SMALL_DATA) : "cc");
	EXPECT("limit", value, sizeof(small_data) - 1);
	if (arch_is_qemu())
		return SKIP("QEMU's translator checks no limit");
	return expect_trap(do_past_limit, TRAP_PROTECTION, 0, NULL);
}

static const char *segment_read_only(void)
{
	u8 writable;

	__asm__ volatile("verw %w1; setz %0" : "=q"(writable) : "r"(SMALL_DATA) : "cc");
	EXPECT("writable by VERW", writable, 0);
	if (arch_is_qemu())
		return SKIP("QEMU's translator checks no right");
	return expect_trap(do_write_read_only, TRAP_PROTECTION, 0, NULL);
}

/* A page fault which cannot be delivered because its gate is absent is a double fault (section 6.15, table 6-5). */
static void do_page_fault(void *arg)
{
	(void)arg;
	*(volatile u32 *)0x30 = 0;
}
static const char *double_fault(void)
{
	const char *result;

	trap_set_present(TRAP_PAGE, false);
	result = expect_trap(do_page_fault, TRAP_DOUBLE_FAULT, 0, NULL);
	trap_set_present(TRAP_PAGE, true);
	return result;
}

static struct trap_frame seen;
static u32 hits;

static bool note_and_continue(struct trap_frame *frame)
{
	seen = *frame;
	hits++;
	frame->eflags &= ~0x100u; /* end of single steps, if there were any */
	return true;
}

/* Registers and flags are after IRET what they were before the trap. */
static const char *trap_is_transparent(void)
{
	u32 a, b, c, d, flags;

	hits = 0;
	trap_hook = note_and_continue;
	__asm__ volatile("pushl %%ebp\n\t"
	                 "movl $0x5555aaaa, %%ebp\n\t"
	                 "stc; std\n\t"
	                 "int3\n\t"
	                 "pushfl; cld; popl %4\n\t"
	                 "xorl %%ebp, %0\n\t"
	                 "popl %%ebp"
	                 : "=a"(a), "=b"(b), "=c"(c), "=d"(d), "=S"(flags)
	                 : "0"(1), "1"(2), "2"(3), "3"(4), "4"(5)
	                 : "cc", "memory");
	__asm__ volatile("cld");
	trap_hook = NULL;
	EXPECT("traps", hits, 1);
	EXPECT("eax xor ebp", a, 0x5555aaab);
	EXPECT("ebx", b, 2);
	EXPECT("ecx", c, 3);
	EXPECT("edx", d, 4);
	EXPECT("esi in the frame", seen.esi, 5);
	EXPECT("carry and direction", flags & 0x401, 0x401);
	return NULL;
}

/* With TF set the trap comes after the next instruction, and DR6 says single step (section 17.2.3). */
static const char *single_step(void)
{
	extern char after_step[];
	u32 dr6;

	hits = 0;
	trap_hook = note_and_continue;
	__asm__ volatile("pushfl; orl $0x100, (%%esp); popfl; nop; after_step:" : : : "cc", "memory");
	trap_hook = NULL;
	__asm__ volatile("movl %%dr6, %0" : "=r"(dr6));
	__asm__ volatile("movl %0, %%dr6" : : "r"(0));
	EXPECT("traps", hits, 1);
	EXPECT("vector", seen.vector, TRAP_DEBUG);
	EXPECT("pc", seen.eip, (u32)after_step);
	EXPECT("DR6 single step", dr6 >> 14 & 1, 1);
	return NULL;
}

static const struct check checks[] = {
	{"#DE: dividing by zero, pc at the instruction", divide},
	{"#DE: a quotient which does not fit", divide_overflow},
	{"#BP: INT3, pc behind it", breakpoint},
	{"#OF: INTO after an overflow", overflow},
	{"#BR: BOUND outside its limits", bound},
	{"#UD: UD2", invalid_opcode},
	{"#GP: a selector beyond the table is the error code", bad_selector},
	{"#GP: access by a null selector has error code 0", null_segment},
	{"#NP: an absent segment's selector is the error code", absent_segment},
	{"#SS: an absent stack segment", absent_stack},
	{"#GP: a word which ends past the segment's limit", segment_limit},
	{"#GP: writing a read-only segment", segment_read_only},
	{"#DF: a page fault whose gate is absent", double_fault},
	{"a trap and IRET leave registers and flags alone", trap_is_transparent},
	{"#DB: a single step traps after one instruction", single_step},
};
const struct check_list checks_traps = {checks, COUNT(checks)};
