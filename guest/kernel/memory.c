#include "arch.h"
#include "kernel.h"
#include "string.h"

/*
 * One bit a page of the first 512 MiB, set while the page is taken. Rings need runs of pages, which a bitmap finds
 * and a free list does not.
 */
enum { PAGES = 512 * 256 };
static u32 taken[PAGES / 32];
static u32 total, available, search_from;

extern char kernel_start[], kernel_end[];

static bool is_taken(u32 page)
{
	return taken[page / 32] >> (page % 32) & 1;
}

static void mark(u32 page, bool take)
{
	if (take)
		taken[page / 32] |= 1u << (page % 32);
	else
		taken[page / 32] &= ~(1u << (page % 32));
}

/* Takes every page which the range touches. */
static void reserve(u64 base, u64 size)
{
	u64 last = (base + size + PAGE_SIZE - 1) / PAGE_SIZE;

	for (u64 page = base / PAGE_SIZE; page < last && page < PAGES; page++)
		mark((u32)page, true);
}

/* Frees the pages wholly inside a range of RAM, a word of the bitmap at a time where it can. */
static void release(u64 base, u64 size)
{
	u64 last = (base + size) / PAGE_SIZE;
	u32 page = (u32)((base + PAGE_SIZE - 1) / PAGE_SIZE);

	if (base >= (u64)PAGES * PAGE_SIZE)
		return;
	if (last > PAGES)
		last = PAGES;
	while (page < last) {
		if (page % 32 == 0 && page + 32 <= last) {
			taken[page / 32] = 0;
			page += 32;
		} else {
			mark(page++, false);
		}
	}
}

void memory_init(void)
{
	memset(taken, 0xff, sizeof(taken));
	for (int i = 0; i < boot.ram_count; i++)
		release(boot.ram[i].base, boot.ram[i].size);
	/* The first megabyte holds what firmware left: tables, its data, option ROMs. And page 0 must never be handed out. */
	reserve(0, 0x100000);
	reserve((uintptr_t)kernel_start, (u64)(kernel_end - kernel_start));
	for (int i = 0; i < boot.reserved_count; i++)
		reserve(boot.reserved[i].base, boot.reserved[i].size);

	for (u32 word = 0; word < PAGES / 32; word++)
		for (u32 bits = ~taken[word]; bits != 0; bits &= bits - 1)
			available++;
	total = available;
}

void *page_alloc(u32 pages)
{
	u32 flags = irq_save();
	u32 run = 0;

	for (u32 i = 0, page = search_from; i < 2 * PAGES; i++, page++) {
		if (page == PAGES) {
			page = 0;
			run = 0;
		}
		if (page % 32 == 0 && taken[page / 32] == 0xffffffff) {
			run = 0;
			i += 31;
			page += 31;
			continue;
		}
		run = is_taken(page) ? 0 : run + 1;
		if (run < pages)
			continue;
		u32 first = page + 1 - pages;
		for (u32 p = first; p <= page; p++)
			mark(p, true);
		available -= pages;
		search_from = (page + 1) % PAGES;
		irq_restore(flags);
		return memset((void *)(uintptr_t)(first * PAGE_SIZE), 0, pages * PAGE_SIZE);
	}
	irq_restore(flags);
	return NULL;
}

void page_free(void *at, u32 pages)
{
	u32 first = (uintptr_t)at / PAGE_SIZE;
	u32 flags = irq_save();

	for (u32 p = first; p < first + pages; p++) {
		if ((uintptr_t)at % PAGE_SIZE != 0 || p >= PAGES || !is_taken(p))
			panic("page_free: %p was not allocated", at);
		mark(p, false);
	}
	available += pages;
	if (first < search_from)
		search_from = first;
	irq_restore(flags);
}

u32 pages_free(void) { return available; }
u32 pages_total(void) { return total; }
