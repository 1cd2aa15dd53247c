#include "e500.h"
#include "fdt.h"
#include "string.h"

/* From the device tree to struct boot_info. */
enum { EPAPR_MAGIC = 0x45504150 };

struct boot_info boot;

static u64 two_cells(const void *cells, u32 index)
{
	return (u64)fdt_cell(cells, index) << 32 | fdt_cell(cells, index + 1);
}

static void reserve(u64 base, u64 size)
{
	boot.reserved[boot.reserved_count++] = (struct memory_range){base, size};
}

static void read_tree(const void *fdt)
{
	u32 length;
	const void *value = fdt_property(fdt, "chosen", "bootargs", &length);

	if (value != NULL)
		kformat(boot.command_line, sizeof(boot.command_line), "%s", (const char *)value);
	value = fdt_property(fdt, "memory", "reg", &length);
	for (u32 at = 0; value != NULL && at + 16 <= length && boot.ram_count < (int)COUNT(boot.ram); at += 16)
		boot.ram[boot.ram_count++] = (struct memory_range){two_cells(value, at / 4), two_cells(value, at / 4 + 2)};
	reserve((uintptr_t)fdt, fdt_size(fdt));
	value = fdt_property(fdt, "pci", "ranges", &length);
	if (value != NULL)
		pci_host_ranges(value, length);

	/* The initrd's addresses are one cell or two, as the loader likes. */
	const void *start = fdt_property(fdt, "chosen", "linux,initrd-start", &length);
	u64 from = start == NULL ? 0 : length == 8 ? two_cells(start, 0) : fdt_cell(start, 0);
	const void *stop = fdt_property(fdt, "chosen", "linux,initrd-end", &length);
	u64 to = stop == NULL ? 0 : length == 8 ? two_cells(stop, 0) : fdt_cell(stop, 0);
	if (from < to)
		reserve(from, to - from);
}

void epapr_main(const void *fdt, u32 magic)
{
	tlb_early();
	console_init();
	trap_init();
	if (magic != EPAPR_MAGIC || !fdt_valid(fdt))
		panic("entered with %08x and not by ePAPR", magic);
	read_tree(fdt);
	kernel_main();
}
