#include "e500.h"
#include "selftest.h"
#include "string.h"

/* Exceptions (e500mc core reference manual chapter 5): which vector, which syndrome, and where the saved pc points. */

static const char *expect_trap(void (*fn)(void *), u32 vector, u32 syndrome, const char *pc)
{
	struct trap_info info;

	if (!trap_catch(fn, NULL, &info))
		return "no trap came";
	EXPECT("vector", info.vector, vector);
	EXPECT("syndrome", info.error, syndrome);
	if (pc != NULL)
		EXPECT("pc", info.pc, (u32)pc);
	return NULL;
}

extern char at_illegal[], at_trap[], after_call[];

static void do_illegal(void *arg)
{
	(void)arg;
	__asm__ volatile("at_illegal: .long 0");
}
static const char *illegal(void) { return expect_trap(do_illegal, TRAP_PROGRAM, ESR_ILLEGAL, at_illegal); }

static void do_trap(void *arg)
{
	(void)arg;
	__asm__ volatile("at_trap: trap");
}
static const char *trap_instruction(void) { return expect_trap(do_trap, TRAP_PROGRAM, ESR_TRAP, at_trap); }

static void do_call(void *arg)
{
	(void)arg;
	__asm__ volatile("sc; .globl after_call; after_call:");
}
static const char *system_call(void)
{
	struct trap_info info;

	if (!trap_catch(do_call, NULL, &info))
		return "no trap came";
	EXPECT("vector", info.vector, TRAP_SYSTEM_CALL);
	EXPECT("pc", info.pc, (u32)after_call);
	return NULL;
}

static void do_unaligned_reserve(void *arg)
{
	static u32 words[2];
	u32 v;

	(void)arg;
	__asm__ volatile("lwarx %0, 0, %1" : "=r"(v) : "r"((u8 *)words + 1));
}
static const char *alignment(void)
{
	struct trap_info info;

	if (!trap_catch(do_unaligned_reserve, NULL, &info))
		return "no trap came";
	EXPECT("vector", info.vector, TRAP_ALIGNMENT);
	EXPECT("address modulo 4", info.address & 3, 1);
	return NULL;
}

static u32 hits;
static struct trap_frame seen;

static bool skip_one(struct trap_frame *frame)
{
	seen = *frame;
	hits++;
	frame->pc += 4;
	return true;
}

/* Registers are after RFI what they were before the trap; CR, XER and CTR too. */
static const char *trap_is_transparent(void)
{
	u32 cr, xer, ctr, r0, r12;

	hits = 0;
	trap_hook = skip_one;
	__asm__ volatile("lis 0, 0x1234; mtcr 0; lis 0, 0x2000; mtxer 0; li 0, 77; mtctr 0; li 12, 12; li 0, 5\n\t"
	                 "trap\n\t"
	                 "mfcr %0; mfxer %1; mfctr %2; mr %3, 0; mr %4, 12"
	                 : "=&r"(cr), "=&r"(xer), "=&r"(ctr), "=&r"(r0), "=&r"(r12)
	                 :
	                 : "r0", "r12", "ctr", "cr0", "cr1", "cr2", "cr3", "cr4", "cr5", "cr6", "cr7", "xer", "memory");
	trap_hook = NULL;
	EXPECT("traps", hits, 1);
	EXPECT("CR", cr, 0x12340000);
	EXPECT("XER", xer, 0x20000000);
	EXPECT("CTR", ctr, 77);
	EXPECT("r0", r0, 5);
	EXPECT("r12", r12, 12);
	EXPECT("CR in the frame", seen.cr, 0x12340000);
	return NULL;
}

static const struct check checks[] = {
	{"program: an illegal instruction, pc at it", illegal},
	{"program: TRAP, pc at it", trap_instruction},
	{"system call: pc behind it", system_call},
	{"alignment: LWARX of an odd address", alignment},
	{"a trap and RFI leave registers alone", trap_is_transparent},
};
const struct check_list checks_traps = {checks, COUNT(checks)};

extern const struct check_list checks_tlb, checks_instructions, checks_mpic;
const struct check_list *const checks_arch[] = {&checks_traps, &checks_tlb, &checks_instructions, &checks_mpic, NULL};
