#include "selftest.h"
#include "string.h"
#include "x86.h"

/* Paging (Intel SDM vol. 3 chapter 4) and instructions which a page fault interrupts in the middle. */

enum { PLACE = 0x40000000 };
extern char kernel_start[];

static void do_read(void *at) { (void)*(volatile u32 *)at; }
static void do_write(void *at) { *(volatile u32 *)at = 1; }
static void do_jump(void *at) { ((void (*)(void))at)(); }

static const char *expect_fault(void (*fn)(void *), u32 at, u32 error, u32 address)
{
	struct trap_info info;

	if (!trap_catch(fn, (void *)at, &info))
		return "no fault came";
	EXPECT("vector", info.vector, TRAP_PAGE);
	EXPECT("error code", info.error, error);
	EXPECT("CR2", info.address, address);
	return NULL;
}

static void unmap(u32 virtual)
{
	*paging_entry(virtual) = 0;
	paging_flush(virtual);
}

static const char *read_absent(void) { return expect_fault(do_read, PLACE + 0x1234, 0, PLACE + 0x1234); }
static const char *write_absent(void) { return expect_fault(do_write, PLACE + 0x234, 2, PLACE + 0x234); }
static const char *fetch_absent(void) { return expect_fault(do_jump, PLACE + 0x10, 0, PLACE + 0x10); }
static const char *write_text(void) { return expect_fault(do_write, (u32)kernel_start, 3, (u32)kernel_start); }

/* CR2 holds the first byte that faulted, which is on the second page. */
static const char *straddle(void)
{
	void *page = page_alloc(1);
	const char *result;

	paging_map(PLACE, (u32)page, PAGE_SIZE, PAGE_WRITE);
	*(volatile u16 *)(PLACE + PAGE_SIZE - 2) = 0x5a5a;
	result = expect_fault(do_write, PLACE + PAGE_SIZE - 2, 2, PLACE + PAGE_SIZE);
	if (result == NULL && *(volatile u16 *)(PLACE + PAGE_SIZE - 2) != 0x5a5a)
		result = "half of the store was done";
	unmap(PLACE);
	page_free(page, 1);
	return result;
}

static const char *aliases(void)
{
	u32 *one = page_alloc(1), *two = page_alloc(1);
	volatile u32 *low = (volatile u32 *)PLACE, *high = (volatile u32 *)(PLACE + PAGE_SIZE);
	const char *result = NULL;

	paging_map(PLACE, (u32)one, PAGE_SIZE, PAGE_WRITE);
	paging_map(PLACE + PAGE_SIZE, (u32)one, PAGE_SIZE, PAGE_WRITE);
	low[5] = 0xba20;
	if (high[5] != 0xba20 || one[5] != 0xba20)
		result = failure("read %x and %x by the other addresses", high[5], one[5]);
	two[5] = 7;
	paging_map(PLACE + PAGE_SIZE, (u32)two, PAGE_SIZE, PAGE_WRITE);
	if (result == NULL && high[5] != 7)
		result = failure("read %x after the page was changed", high[5]);
	unmap(PLACE);
	unmap(PLACE + PAGE_SIZE);
	page_free(one, 1);
	page_free(two, 1);
	return result;
}

/* Section 4.8: a read sets accessed, a write sets dirty too. */
static const char *accessed_dirty(void)
{
	void *page = page_alloc(1);
	volatile u32 *entry = paging_entry(PLACE);
	u32 fresh, after_read, after_write;

	paging_map(PLACE, (u32)page, PAGE_SIZE, PAGE_WRITE);
	fresh = *entry;
	do_read((void *)PLACE);
	after_read = *entry;
	do_write((void *)PLACE);
	after_write = *entry;
	unmap(PLACE);
	page_free(page, 1);
	EXPECT("bits when fresh", fresh & (PAGE_ACCESSED | PAGE_DIRTY), 0);
	EXPECT("bits after a read", after_read & (PAGE_ACCESSED | PAGE_DIRTY), PAGE_ACCESSED);
	EXPECT("bits after a write", after_write & (PAGE_ACCESSED | PAGE_DIRTY), PAGE_ACCESSED | PAGE_DIRTY);
	return NULL;
}

static u32 faults, fault_ecx, fault_edi, missing;

/* Brings in the page that a string instruction ran into and lets it go on. */
static bool bring_in(struct trap_frame *frame)
{
	if (frame->vector != TRAP_PAGE)
		return false;
	faults++;
	fault_ecx = frame->ecx;
	fault_edi = frame->edi;
	paging_map(missing, (u32)page_alloc(1), PAGE_SIZE, PAGE_WRITE);
	return true;
}

/* Two virtual pages, of which one is absent at first; both are there afterwards. */
static u8 *open_pages(u32 absent)
{
	missing = absent;
	faults = 0;
	paging_map(PLACE + PAGE_SIZE - (absent - PLACE), (u32)page_alloc(1), PAGE_SIZE, PAGE_WRITE);
	trap_hook = bring_in;
	return (u8 *)PLACE;
}

static void close_pages(void)
{
	trap_hook = NULL;
	for (u32 at = PLACE; at <= PLACE + PAGE_SIZE; at += PAGE_SIZE) {
		u32 entry = *paging_entry(at);
		unmap(at);
		if (entry & PAGE_PRESENT)
			page_free((void *)(entry & ~0xfffu), 1);
	}
}

static const char *movs_forward(void)
{
	u8 from[100];
	u8 *to = open_pages(PLACE + PAGE_SIZE) + PAGE_SIZE - 60;
	u32 esi = (u32)from, edi = (u32)to, ecx = sizeof(from);
	int different;

	for (u32 i = 0; i < sizeof(from); i++)
		from[i] = (u8)(i * 7 + 1);
	__asm__ volatile("rep movsb" : "+S"(esi), "+D"(edi), "+c"(ecx) : : "memory");
	different = memcmp(from, to, sizeof(from));
	close_pages();
	EXPECT("faults", faults, 1);
	EXPECT("ECX at the fault", fault_ecx, 40);
	EXPECT("EDI at the fault", fault_edi, PLACE + PAGE_SIZE);
	EXPECT("ECX", ecx, 0);
	EXPECT("ESI", esi, (u32)from + sizeof(from));
	return different ? "other bytes arrived" : NULL;
}

static const char *stos_backward(void)
{
	u32 *at = (u32 *)(open_pages(PLACE) + PAGE_SIZE) + 9;
	u32 edi = (u32)at, ecx = 20, sum = 0;

	__asm__ volatile("std; rep stosl; cld" : "+D"(edi), "+c"(ecx) : "a"(3) : "memory");
	for (u32 i = 0; i < 21; i++)
		sum += *(at - i);
	close_pages();
	EXPECT("faults", faults, 1);
	EXPECT("ECX at the fault", fault_ecx, 10);
	EXPECT("EDI at the fault", fault_edi, PLACE + PAGE_SIZE - 4);
	EXPECT("sum of what was stored", sum, 60);
	return NULL;
}

static const char *compare_and_scan(void)
{
	u8 *at = open_pages(PLACE + PAGE_SIZE);
	u8 text[64];
	u32 esi, edi, ecx = sizeof(text);
	u8 equal;

	memset(text, 'x', sizeof(text));
	memset(at + PAGE_SIZE - 32, 'x', 64);
	at[PAGE_SIZE + 9] = 'y';
	esi = (u32)text;
	edi = PLACE + PAGE_SIZE - 32;
	__asm__ volatile("repe cmpsb; sete %3" : "+S"(esi), "+D"(edi), "+c"(ecx), "=q"(equal) : : "memory", "cc");
	EXPECT("ECX after REPE CMPSB", ecx, 64 - 42);
	EXPECT("zero flag after it", equal, 0);
	edi = PLACE + PAGE_SIZE - 32;
	ecx = 64;
	__asm__ volatile("repne scasb; sete %2" : "+D"(edi), "+c"(ecx), "=q"(equal) : "a"('y') : "memory", "cc");
	close_pages();
	EXPECT("EDI after REPNE SCASB", edi, PLACE + PAGE_SIZE + 10);
	EXPECT("zero flag after it", equal, 1);
	return NULL;
}

static const struct check checks[] = {
	{"#PF: reading an absent page, CR2 and error code 0", read_absent},
	{"#PF: writing an absent page, error code 2", write_absent},
	{"#PF: running an absent page", fetch_absent},
	{"#PF: writing the kernel's text, error code 3", write_text},
	{"#PF: a store over a page boundary is done whole or not at all", straddle},
	{"two addresses of one page, and INVLPG after a change", aliases},
	{"accessed and dirty bits", accessed_dirty},
	{"REP MOVSB goes on after a fault in the middle", movs_forward},
	{"REP STOSL goes on downwards", stos_backward},
	{"REPE CMPSB and REPNE SCASB over a page boundary", compare_and_scan},
};
const struct check_list checks_paging = {checks, COUNT(checks)};
