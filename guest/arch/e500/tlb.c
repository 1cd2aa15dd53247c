#include "arch.h"
#include "e500.h"

/*
 * Address translation (e500mc core reference manual chapter 6). Everything the kernel needs stays in TLB1, whose entries
 * have sizes of their choice; TLB0, with its 4 KiB pages, is left to tests.
 */
enum {
	MAS0_TLB1 = 1 << 28,
	MAS1_VALID = 1u << 31,
	MAS1_PROTECT = 1 << 30, /* from tlbivax */
	SIZE_4K = 1 << 8,       /* MAS1: 4 to this power KiB */
	SIZE_64K = 3 << 8,
	SIZE_1M = 5 << 8,
	SIZE_64M = 8 << 8,
	SIZE_256M = 9 << 8,
	BANK = 0x4000000, /* RAM by 64 MiB */
	PERMIT_ALL = MAP_SUPERVISOR_READ | MAP_SUPERVISOR_WRITE | MAP_SUPERVISOR_RUN,
	PERMIT_DEVICE = MAP_SUPERVISOR_READ | MAP_SUPERVISOR_WRITE,
};

static u32 next_entry, boot_entry;

static void write_entry(u32 mas0, u32 mas1, u32 virtual, u32 attributes, u64 physical, u32 permissions)
{
	mtspr(SPR_MAS0, mas0);
	mtspr(SPR_MAS1, mas1);
	mtspr(SPR_MAS2, virtual | attributes);
	mtspr(SPR_MAS3, low_half(physical) | permissions);
	mtspr(SPR_MAS7, high_half(physical));
	__asm__ volatile("isync; tlbwe; isync" : : : "memory");
}

/* The entry we run from is the loader's and stays. */
static void add(u32 virtual, u32 attributes, u64 physical, u32 size, u32 permissions)
{
	if (next_entry == boot_entry)
		next_entry++;
	write_entry(MAS0_TLB1 | next_entry++ << 16, MAS1_VALID | MAS1_PROTECT | size, virtual, attributes, physical,
	            permissions);
}

/* So much that the console works. */
void tlb_early(void)
{
	mtspr(SPR_MAS6, 0);
	__asm__ volatile("tlbsx 0, %0; isync" : : "r"(tlb_early) : "memory");
	boot_entry = mfspr(SPR_MAS0) >> 16 & 0x3f;
	add(EA_CCSR, MAP_GUARDED, CCSR_BASE, SIZE_1M, PERMIT_DEVICE);
}

/* RAM beyond the loader's 64 MiB, as far as the page allocator goes, and the windows of the PCI bus. */
void tlb_init(void)
{
	for (int i = 0; i < boot.ram_count; i++) {
		u64 end = boot.ram[i].base + boot.ram[i].size;
		for (u64 at = BANK; at < end && at < 0x20000000; at += BANK)
			if (at >= boot.ram[i].base)
				add((u32)at, 0, at, SIZE_64M, PERMIT_ALL);
	}
	for (u32 at = 0; at < PCI_MEMORY_SIZE; at += 0x10000000)
		add(EA_PCI_MEMORY + at, MAP_GUARDED, PCI_MEMORY_PHYSICAL + at, SIZE_256M, PERMIT_DEVICE);
	add(EA_PCI_IO, MAP_GUARDED, PCI_IO_PHYSICAL, SIZE_64K, PERMIT_DEVICE);
}

void *arch_map_device(u64 physical, u32 size)
{
	static const struct {
		u64 physical;
		u32 size, virtual;
	} windows[] = {
		{CCSR_BASE, CCSR_SIZE, EA_CCSR},
		{PCI_MEMORY_PHYSICAL, PCI_MEMORY_SIZE, EA_PCI_MEMORY},
		{PCI_IO_PHYSICAL, PCI_IO_SIZE, EA_PCI_IO},
	};

	for (u32 i = 0; i < COUNT(windows); i++)
		if (physical >= windows[i].physical && physical + size <= windows[i].physical + windows[i].size)
			return (void *)(windows[i].virtual + (u32)(physical - windows[i].physical));
	return NULL;
}

void tlb0_write(u32 way, u32 virtual, u64 physical, u32 permissions)
{
	write_entry(way << 16, MAS1_VALID | SIZE_4K, virtual, 0, physical, permissions);
}

void tlb0_clear(u32 way, u32 virtual)
{
	write_entry(way << 16, SIZE_4K, virtual, 0, 0, 0);
}

/* Takes a page out of TLB0 wherever it is: bit 3 of the address would mean TLB1 (section 6.5). */
void tlb_invalidate(u32 virtual)
{
	__asm__ volatile("tlbivax 0, %0; tlbsync; sync; isync" : : "r"(virtual & ~0xfffu) : "memory");
}
