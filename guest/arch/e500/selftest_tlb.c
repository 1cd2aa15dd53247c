#include "e500.h"
#include "selftest.h"
#include "string.h"

/* Translation by TLB0, and what privilege 1 may not do. */

enum { PLACE = 0x90000000, SET_STRIDE = 0x80000 }; /* 128 sets of 4 KiB pages */
enum { PERMIT_DATA = MAP_SUPERVISOR_READ | MAP_SUPERVISOR_WRITE };
enum { MAS1_VALID = 1u << 31 };

extern char user_code[], user_code_end[], user_privileged[], user_read[], user_calls[];

static void do_read(void *at) { (void)*(volatile u32 *)at; }
static void do_write(void *at) { *(volatile u32 *)at = 1; }
static void do_jump(void *at) { ((void (*)(void))at)(); }

static const char *expect_fault(void (*fn)(void *), u32 at, u32 vector, u32 syndrome)
{
	struct trap_info info;

	if (!trap_catch(fn, (void *)at, &info))
		return "no fault came";
	EXPECT("vector", info.vector, vector);
	/* A miss of an instruction leaves ESR alone (Power ISA 2.06 Book III-E, Instruction TLB Error interrupt). */
	if (vector != TRAP_INSTRUCTION_TLB)
		EXPECT("store bit of the syndrome", info.error & ESR_STORE, syndrome);
	EXPECT("address", info.address, at);
	return NULL;
}

static const char *read_miss(void) { return expect_fault(do_read, PLACE + 0x1234, TRAP_DATA_TLB, 0); }
static const char *write_miss(void) { return expect_fault(do_write, PLACE + 0x234, TRAP_DATA_TLB, ESR_STORE); }
static const char *fetch_miss(void) { return expect_fault(do_jump, PLACE + 0x10, TRAP_INSTRUCTION_TLB, 0); }

static const char *write_refused(void)
{
	void *page = page_alloc(1);
	const char *result;

	tlb0_write(0, PLACE, (u32)page, MAP_SUPERVISOR_READ);
	result = expect_fault(do_write, PLACE + 4, TRAP_DATA, ESR_STORE);
	tlb0_clear(0, PLACE);
	page_free(page, 1);
	return result;
}

static const char *run_refused(void)
{
	void *page = page_alloc(1);
	const char *result;

	tlb0_write(0, PLACE, (u32)page, PERMIT_DATA);
	result = expect_fault(do_jump, PLACE, TRAP_INSTRUCTION, 0);
	tlb0_clear(0, PLACE);
	page_free(page, 1);
	return result;
}

static const char *invalidate(void)
{
	u32 *page = page_alloc(1);
	volatile u32 *at = (volatile u32 *)(PLACE + 8);
	u32 got, found;
	const char *result;

	tlb0_write(1, PLACE, (u32)page, PERMIT_DATA);
	*at = 0xba20;
	got = page[2];
	mtspr(SPR_MAS6, 0);
	__asm__ volatile("tlbsx 0, %0; isync" : : "r"(PLACE) : "memory");
	found = mfspr(SPR_MAS1) >> 31;
	tlb_invalidate(PLACE);
	result = expect_fault(do_read, PLACE + 8, TRAP_DATA_TLB, 0);
	__asm__ volatile("tlbsx 0, %0; isync" : : "r"(PLACE) : "memory");
	page_free(page, 1);
	EXPECT("word behind the page", got, 0xba20);
	EXPECT("found by TLBSX", found, 1);
	EXPECT("found afterwards", mfspr(SPR_MAS1) >> 31, 0);
	return result;
}

/* Four pages of one set, one a way. */
static const char *four_ways(void)
{
	u32 *page[4], got[4];

	for (u32 way = 0; way < 4; way++) {
		page[way] = page_alloc(1);
		page[way][0] = 0xba200000 + way;
		tlb0_write(way, PLACE + way * SET_STRIDE, (u32)page[way], PERMIT_DATA);
	}
	for (u32 way = 0; way < 4; way++)
		got[way] = *(volatile u32 *)(PLACE + way * SET_STRIDE);
	for (u32 way = 0; way < 4; way++) {
		tlb0_clear(way, PLACE + way * SET_STRIDE);
		page_free(page[way], 1);
		EXPECT("word", got[way], 0xba200000 + way);
	}
	return NULL;
}

/* A page of process 5 is there for process 5 only. */
static const char *process_id(void)
{
	enum { TID_5 = 5 << 16, SIZE_4K = 1 << 8 };
	u32 *page = page_alloc(1), got = 0;
	const char *result;

	page[0] = 0xba20;
	tlb0_write(0, PLACE, (u32)page, PERMIT_DATA);
	mtspr(SPR_MAS1, MAS1_VALID | TID_5 | SIZE_4K);
	__asm__ volatile("isync; tlbwe; isync" : : : "memory");
	result = expect_fault(do_read, PLACE, TRAP_DATA_TLB, 0);
	if (result == NULL) {
		mtspr(SPR_PID, 5);
		got = *(volatile u32 *)PLACE;
		mtspr(SPR_PID, 0);
	}
	tlb0_clear(0, PLACE);
	page_free(page, 1);
	if (result == NULL)
		EXPECT("word as process 5", got, 0xba20);
	return result;
}

static void *missing;
static u32 faults;

static bool bring_in(struct trap_frame *frame)
{
	if (frame->vector != TRAP_DATA_TLB)
		return false;
	faults++;
	tlb0_write(1, frame->dear & ~0xfffu, (u32)missing, PERMIT_DATA);
	return true;
}

/* STMW over a page boundary whose second page is brought in by the handler. */
static const char *store_multiple(void)
{
	u32 *page = page_alloc(1), low, high;

	missing = page_alloc(1);
	faults = 0;
	tlb0_write(0, PLACE, (u32)page, PERMIT_DATA);
	trap_hook = bring_in;
	__asm__ volatile("li 29, 29; li 30, 30; li 31, 31; stmw 29, -4(%0)" : : "b"(PLACE + PAGE_SIZE) : "r29", "r30", "r31", "memory");
	trap_hook = NULL;
	low = page[PAGE_SIZE / 4 - 1];
	high = ((u32 *)missing)[1];
	tlb0_clear(0, PLACE);
	tlb0_clear(1, PLACE + PAGE_SIZE);
	page_free(page, 1);
	page_free(missing, 1);
	EXPECT("faults", faults, 1);
	EXPECT("word before the boundary", low, 29);
	EXPECT("second word behind it", high, 31);
	return NULL;
}

static void run_user(void *code)
{
	enter_user(PLACE + (u32)((char *)code - user_code), PLACE + PAGE_SIZE);
}

static bool run(char *code, struct trap_info *info)
{
	void *page = page_alloc(1);
	bool trapped;

	memcpy(page, user_code, (size_t)(user_code_end - user_code));
	for (u32 at = 0; at < 256; at += 64)
		__asm__ volatile("dcbst 0, %0; sync; icbi 0, %0; isync" : : "r"((u8 *)page + at) : "memory");
	tlb0_write(0, PLACE, (u32)page, MAP_USER_READ | MAP_USER_WRITE | MAP_USER_RUN);
	trapped = trap_catch(run_user, code, info);
	tlb0_clear(0, PLACE);
	page_free(page, 1);
	return trapped;
}

static const char *privileged(void)
{
	struct trap_info info;

	if (!run(user_privileged, &info))
		return "no trap came";
	EXPECT("vector", info.vector, TRAP_PROGRAM);
	EXPECT("syndrome", info.error, ESR_PRIVILEGED);
	EXPECT("pc", info.pc, PLACE + (u32)(user_privileged - user_code));
	return NULL;
}

static const char *devices_not_read(void)
{
	struct trap_info info;

	if (!run(user_read, &info))
		return "no trap came";
	EXPECT("vector", info.vector, TRAP_DATA);
	EXPECT("address", info.address, EA_CCSR);
	return NULL;
}

static u32 calls, final_r3, caller_msr;

static bool serve(struct trap_frame *frame)
{
	final_r3 = frame->gpr[3];
	if (frame->vector != TRAP_SYSTEM_CALL)
		return false;
	calls++;
	caller_msr = frame->msr;
	frame->gpr[3]++;
	return true;
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
	EXPECT("last vector", info.vector, TRAP_PROGRAM);
	EXPECT("calls", calls, 2);
	EXPECT("privilege of the caller", caller_msr & MSR_PR, MSR_PR);
	EXPECT("r3 after two calls", final_r3, 42);
	return NULL;
}

static const struct check checks[] = {
	{"TLB: reading an absent page, its address in DEAR", read_miss},
	{"TLB: writing an absent page, the store bit in ESR", write_miss},
	{"TLB: running an absent page", fetch_miss},
	{"TLB: a read-only page refuses a store", write_refused},
	{"TLB: a page without execute permission refuses to run", run_refused},
	{"TLB0: TLBSX finds a page until TLBIVAX takes it out", invalidate},
	{"TLB0: four ways of a set", four_ways},
	{"TLB0: an entry of another process is not there", process_id},
	{"STMW that faults halfway starts again", store_multiple},
	{"privilege 1: MFMSR is refused", privileged},
	{"privilege 1: the kernel's devices cannot be read", devices_not_read},
	{"privilege 1: system calls come back", system_calls},
};
const struct check_list checks_tlb = {checks, COUNT(checks)};
