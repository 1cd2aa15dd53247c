#include "arch.h"
#include "string.h"
#include "x86.h"

/*
 * Everything is mapped where it is. The first 4 MiB are in 4 KiB pages, so that page 0 can be absent and the kernel's
 * text read-only; the rest of RAM is in 4 MiB pages if the processor has them (Intel SDM vol. 3 section 4.3).
 */
enum { LARGE = 0x400000 };
enum { CR0_WP = 1 << 16, CR0_PG = 1u << 31, CR4_PSE = 1 << 4 };
enum { CPUID_PSE = 1 << 3, CPUID_PSE36 = 1 << 17 };

extern char kernel_start[], kernel_text_end[];

static u32 directory[1024] __attribute__((aligned(PAGE_SIZE)));
static u32 features;

static u32 cpuid_features(void)
{
	u32 a = 1, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return d;
}

bool paging_large(void)
{
	return features & CPUID_PSE;
}

void paging_flush(u32 virtual)
{
	__asm__ volatile("invlpg (%0)" : : "r"(virtual) : "memory");
}

u32 *paging_entry(u32 virtual)
{
	u32 *slot = &directory[virtual >> 22];

	if (!(*slot & PAGE_PRESENT)) {
		u32 *table = page_alloc(1);
		if (table == NULL)
			panic("no memory for a page table");
		*slot = (u32)table | PAGE_PRESENT | PAGE_WRITE | PAGE_USER;
	}
	if (*slot & PAGE_LARGE)
		panic("%08x is in a large page", virtual);
	return (u32 *)(*slot & ~0xfffu) + (virtual >> 12 & 1023);
}

/* Large pages carry bits 32-35 of the address in bits 13-16 (PSE-36, section 4.3 table 4-4). */
static bool map_large(u32 virtual, u64 physical, u32 flags)
{
	u32 *slot = &directory[virtual >> 22];

	if (!paging_large() || virtual % LARGE != 0 || physical % LARGE != 0 ||
	    ((*slot & PAGE_PRESENT) && !(*slot & PAGE_LARGE)))
		return false;
	*slot = low_half(physical) | (high_half(physical) & 15) << 13 | flags | PAGE_LARGE | PAGE_PRESENT;
	paging_flush(virtual);
	return true;
}

void paging_map(u32 virtual, u64 physical, u32 size, u32 flags)
{
	u32 end = virtual + size;

	while (virtual != end) {
		if (end - virtual >= LARGE && map_large(virtual, physical, flags)) {
			virtual += LARGE;
			physical += LARGE;
			continue;
		}
		*paging_entry(virtual) = low_half(physical) | flags | PAGE_PRESENT;
		paging_flush(virtual);
		virtual += PAGE_SIZE;
		physical += PAGE_SIZE;
	}
}

void paging_init(void)
{
	features = cpuid_features();
	if (features & CPUID_PSE) {
		u32 cr4;
		__asm__ volatile("movl %%cr4, %0; orl %1, %0; movl %0, %%cr4" : "=&r"(cr4) : "i"(CR4_PSE));
	}

	paging_map(PAGE_SIZE, PAGE_SIZE, LARGE - PAGE_SIZE, PAGE_WRITE);
	for (u32 at = (u32)kernel_start; at < (u32)kernel_text_end; at += PAGE_SIZE)
		*paging_entry(at) &= ~(u32)PAGE_WRITE;
	for (int i = 0; i < boot.ram_count; i++) {
		u64 from = boot.ram[i].base / LARGE * LARGE, to = boot.ram[i].base + boot.ram[i].size;
		if (from < LARGE)
			from = LARGE;
		if (to > 0x80000000)
			to = 0x80000000; /* above are devices; the allocator ends below anyway */
		if (from < to)
			paging_map((u32)from, from, round_up((u32)(to - from), paging_large() ? LARGE : PAGE_SIZE), PAGE_WRITE);
	}

	u32 cr0;
	__asm__ volatile("movl %1, %%cr3\n\t"
	                 "movl %%cr0, %0\n\t"
	                 "orl %2, %0\n\t"
	                 "movl %0, %%cr0\n\t"
	                 "jmp 1f\n"
	                 "1:"
	                 : "=&r"(cr0)
	                 : "r"(directory), "i"(CR0_PG | CR0_WP)
	                 : "memory");
}

/*
 * Below 4 GiB devices are mapped where they are. Above, a virtual window of large pages reaches 64 GiB with PSE-36;
 * without it they are out of reach.
 */
void *arch_map_device(u64 physical, u32 size)
{
	enum { WINDOW = 0x80000000, WINDOW_END = 0xc0000000 };
	static u32 window = WINDOW;

	if (high_half(physical) == 0 && high_half(physical + size - 1) == 0) {
		u32 from = low_half(physical) / PAGE_SIZE * PAGE_SIZE;
		u32 to = low_half(physical) + size - 1;
		for (u32 page = from; page <= to && page >= from; page += PAGE_SIZE) {
			u32 *entry = paging_entry(page);
			*entry = page | PAGE_PRESENT | PAGE_WRITE | PAGE_UNCACHED;
			paging_flush(page);
		}
		return (void *)low_half(physical);
	}
	if (!(features & CPUID_PSE) || !(features & CPUID_PSE36) || high_half(physical + size) >= 16)
		return NULL;
	u64 base = physical / LARGE * LARGE;
	u32 span = round_up((u32)(physical - base) + size, LARGE);
	if (span > WINDOW_END - window)
		return NULL;
	void *at = (void *)(window + (u32)(physical - base));
	paging_map(window, base, span, PAGE_WRITE | PAGE_UNCACHED);
	window += span;
	return at;
}
