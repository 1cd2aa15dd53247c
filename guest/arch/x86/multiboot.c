#include "string.h"
#include "x86.h"

/* Multiboot information, as far as we read it (0.6.96 section 3.3). */
enum { LOADED_BY_MULTIBOOT = 0x2badb002 };
enum { HAS_MEMORY = 1 << 0, HAS_COMMAND_LINE = 1 << 2, HAS_MODULES = 1 << 3, HAS_MAP = 1 << 6 };

struct multiboot_info {
	u32 flags;
	u32 memory_lower, memory_upper; /* KiB */
	u32 boot_device;
	u32 command_line;
	u32 module_count, modules;
	u32 symbols[4];
	u32 map_length, map;
};
struct multiboot_range {
	u32 size; /* of the rest of this record */
	u32 base_low, base_high, length_low, length_high;
	u32 type; /* 1: RAM */
};
struct multiboot_module {
	u32 start, end, string, reserved;
};

struct boot_info boot;

static void read_map(const struct multiboot_info *info)
{
	u32 at = info->map;

	while (at < info->map + info->map_length && boot.ram_count < (int)COUNT(boot.ram)) {
		const struct multiboot_range *range = (const void *)at;
		if (range->type == 1)
			boot.ram[boot.ram_count++] = (struct memory_range){
				(u64)range->base_high << 32 | range->base_low,
				(u64)range->length_high << 32 | range->length_low,
			};
		at += range->size + 4;
	}
}

void multiboot_main(u32 magic, const struct multiboot_info *info)
{
	console_init();
	if (magic != LOADED_BY_MULTIBOOT)
		panic("entered with %08x and not by multiboot", magic);

	if (info->flags & HAS_COMMAND_LINE)
		kformat(boot.command_line, sizeof(boot.command_line), "%s", (const char *)info->command_line);
	if (info->flags & HAS_MAP)
		read_map(info);
	else if (info->flags & HAS_MEMORY)
		boot.ram[boot.ram_count++] = (struct memory_range){0x100000, (u64)info->memory_upper * 1024};
	if (info->flags & HAS_MODULES) {
		const struct multiboot_module *module = (const void *)info->modules;
		for (u32 i = 0; i < info->module_count && boot.reserved_count < (int)COUNT(boot.reserved); i++)
			boot.reserved[boot.reserved_count++] =
				(struct memory_range){module[i].start, module[i].end - module[i].start};
	}

	gdt_init();
	trap_init();
	mp_find();
	kernel_main();
}
