#include "selftest.h"
#include "string.h"
#include "x86.h"

/* Privilege 3: what it may not do, and the way in and out through the task's stack. */

enum { PLACE = 0x40000000 }; /* no RAM is mapped there otherwise */

extern char user_code[], user_code_end[], user_cli[], user_in[], user_soft[], user_read[], user_write[], user_calls[], user_pusha[];

static u32 stack = PLACE + PAGE_SIZE;

static void run_user(void *code)
{
	enter_user(PLACE + (u32)((char *)code - user_code), stack);
}

static bool run(char *code, struct trap_info *info)
{
	void *page = page_alloc(1);
	bool trapped;

	memcpy(page, user_code, (size_t)(user_code_end - user_code));
	paging_map(PLACE, (u32)page, PAGE_SIZE, PAGE_USER | PAGE_WRITE);
	trapped = trap_catch(run_user, code, info);
	*paging_entry(PLACE) = 0;
	paging_flush(PLACE);
	page_free(page, 1);
	return trapped;
}

static const char *expect(char *code, u32 vector, u32 error, u32 address)
{
	struct trap_info info;

	if (!run(code, &info))
		return "no trap came";
	EXPECT("vector", info.vector, vector);
	EXPECT("error code", info.error, error);
	EXPECT("address", info.address, address);
	EXPECT("pc", info.pc, PLACE + (u32)(code - user_code));
	return NULL;
}

static const char *cli_refused(void) { return expect(user_cli, TRAP_PROTECTION, 0, 0); }
static const char *ports_refused(void) { return expect(user_in, TRAP_PROTECTION, 0, 0); }
static const char *gate_refused(void) { return expect(user_soft, TRAP_PROTECTION, 0x50 * 8 + 2, 0); }
static const char *kernel_not_read(void) { return expect(user_read, TRAP_PAGE, 5, 0x100000); }
static const char *kernel_not_written(void) { return expect(user_write, TRAP_PAGE, 7, 0x100000); }

static u32 calls, call_cs, call_esp, final_eax;

static bool serve(struct trap_frame *frame)
{
	if (frame->vector == VECTOR_SELF) {
		calls++;
		call_cs = frame->cs & 0xffff;
		call_esp = frame->esp;
		frame->eax++;
		return true;
	}
	final_eax = frame->eax;
	return false;
}

static const char *system_calls(void)
{
	struct trap_info info;
	bool trapped;

	calls = 0;
	trap_hook = serve;
	trapped = run(user_calls, &info);
	trap_hook = NULL;
	if (!trapped)
		return "no trap came";
	EXPECT("last vector", info.vector, TRAP_BREAKPOINT);
	EXPECT("calls", calls, 2);
	EXPECT("code segment of the caller", call_cs, USER_CODE);
	EXPECT("stack of the caller", call_esp, PLACE + PAGE_SIZE);
	EXPECT("eax after two calls", final_eax, 42);
	return NULL;
}

static void *stack_pages[2];
static u32 faults, fault_error, fault_esp;

static bool bring_in_stack(struct trap_frame *frame)
{
	if (frame->vector != TRAP_PAGE)
		return false;
	faults++;
	fault_error = frame->error;
	fault_esp = frame->esp;
	paging_map(PLACE + PAGE_SIZE, (u32)stack_pages[0], PAGE_SIZE, PAGE_USER | PAGE_WRITE);
	return true;
}

/* A PUSHA that faults halfway must not have moved ESP, or it would not push the same place again. */
static const char *pusha_restarts(void)
{
	struct trap_info info;
	bool trapped;
	u32 pushed;

	stack_pages[0] = page_alloc(1);
	stack_pages[1] = page_alloc(1);
	*paging_entry(PLACE + PAGE_SIZE) = 0;
	paging_map(PLACE + 2 * PAGE_SIZE, (u32)stack_pages[1], PAGE_SIZE, PAGE_USER | PAGE_WRITE);
	faults = 0;
	stack = PLACE + 2 * PAGE_SIZE + 16;
	trap_hook = bring_in_stack;
	trapped = run(user_pusha, &info);
	trap_hook = NULL;
	stack = PLACE + PAGE_SIZE;
	pushed = ((u32 *)stack_pages[0])[PAGE_SIZE / 4 - 4];
	for (u32 i = 0; i < 2; i++) {
		*paging_entry(PLACE + (i + 1) * PAGE_SIZE) = 0;
		paging_flush(PLACE + (i + 1) * PAGE_SIZE);
		page_free(stack_pages[i], 1);
	}
	if (!trapped)
		return "no trap came";
	EXPECT("vector", info.vector, TRAP_BREAKPOINT);
	EXPECT("faults", faults, 1);
	EXPECT("error code", fault_error, 6);
	EXPECT("ESP at the fault", fault_esp, PLACE + 2 * PAGE_SIZE + 16);
	EXPECT("EDI pushed", pushed, 0xdddd);
	return NULL;
}

static const struct check checks[] = {
	{"privilege 3: CLI is refused", cli_refused},
	{"privilege 3: ports are refused", ports_refused},
	{"privilege 3: a kernel's gate is refused, its vector in the error code", gate_refused},
	{"privilege 3: kernel memory cannot be read", kernel_not_read},
	{"privilege 3: kernel memory cannot be written", kernel_not_written},
	{"privilege 3: an open gate switches stacks and comes back", system_calls},
	{"privilege 3: PUSHA that faults halfway starts again", pusha_restarts},
};
const struct check_list checks_user = {checks, COUNT(checks)};
