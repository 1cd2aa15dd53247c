// Multiboot 1 and plain ELF kernels. Multiboot 0.6.96 sections 3.1-3.3.
#include "endian.h"
#include "pc.h"

#define HEADER_MAGIC 0x1badb002
#define ENTRY_MAGIC 0x2badb002

#define WANTS_PAGE_ALIGN (1u << 0)
#define WANTS_MEMORY (1u << 1)
#define WANTS_VIDEO (1u << 2)
#define HAS_ADDRESSES (1u << 16)

#define INFO_MEMORY (1u << 0)
#define INFO_COMMAND_LINE (1u << 2)
#define INFO_MODULES (1u << 3)
#define INFO_MAP (1u << 6)
#define INFO_LOADER (1u << 9)

// All that the kernel is handed lies in the firmware's own segment, which the map
// calls reserved: a kernel cannot be loaded over it.
static struct {
  uint32 flags, memory_lower, memory_upper, boot_device, command_line, module_count, modules, symbols[4], map_length, map,
      drives_length, drives, config_table, loader_name, apm_table, vbe[4];
} info;

static struct {
  uint32 size;  // of what follows
  struct map_entry entry;
} __attribute__((packed)) info_map[MAP_MAX];

int multiboot_find(const uint8 *head, uint32 size) {
  for (uint32 at = 0; at + 12 <= size; at += 4)
    if (get_le32(head + at) == HEADER_MAGIC &&
        HEADER_MAGIC + get_le32(head + at + 4) + get_le32(head + at + 8) == 0)
      return at;
  return -1;
}

static void enter(struct boot *boot, const struct elf_image *image) {
  uint32 upper = 0;
  for (int i = 0; i < map_count; i++) {
    info_map[i].size = sizeof map[i];
    info_map[i].entry = map[i];
    if (map[i].start == 0x100000 && map[i].type == MAP_RAM)
      upper = map[i].length < 0x100000000 ? map[i].length / 1024 : 0xffffffff / 1024;
  }
  info.flags = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MAP | INFO_LOADER;
  info.memory_lower = EBDA_BASE / 1024;
  info.memory_upper = upper;
  info.map = (uint32)info_map;
  info.map_length = map_count * sizeof info_map[0];
  info.command_line = (uint32)boot->command_line;
  info.loader_name = (uint32)"barzero";
  struct module *modules;
  info.module_count = modules_load(boot, image->end, &modules);
  if (info.module_count) {
    info.flags |= INFO_MODULES;
    info.modules = (uint32)modules;
  }
  debug("kernel: enter %x\n", image->entry);
  enter_multiboot(image->entry, ENTRY_MAGIC, (uint32)&info, 0);
}

// The header's address fields place one stretch of the file.
static void load_by_addresses(struct boot *boot, const uint8 *header, uint32 header_at, struct elf_image *image) {
  uint32 header_address = get_le32(header + 12), load = get_le32(header + 16), load_end = get_le32(header + 20),
         bss_end = get_le32(header + 24);
  uint32 offset = header_at - (header_address - load);
  if (load > header_address || offset > header_at)
    fail("multiboot: load address %x does not fit the header's %x\n", load, header_address);
  uint32 length = load_end ? load_end - load : boot->kernel.size - offset;
  if (load_end < load && load_end)
    fail("multiboot: load end %x is before load address %x\n", load_end, load);
  if (length > boot->kernel.size - offset)
    fail("multiboot: the file is cut short\n");
  uint32 total = bss_end > load && bss_end - load > length ? bss_end - load : length;
  if (!ram_is_free(load, total))
    fail("multiboot: %x size %x is outside RAM\n", load, total);
  blob_read(&boot->kernel, offset, (void *)load, length);
  memset((void *)(load + length), 0, total - length);
  image->entry = get_le32(header + 28);
  image->end = load + total;
}

void multiboot_boot(struct boot *boot, const uint8 *head, int header) {
  struct elf_image image;
  uint32 flags = get_le32(head + header + 4);
  if (flags & 0xffff & ~(WANTS_PAGE_ALIGN | WANTS_MEMORY | WANTS_VIDEO))
    fail("multiboot: the kernel requires flags %x\n", flags & 0xffff);
  if (flags & WANTS_VIDEO)
    debug("multiboot: there is no display to set a mode on\n");
  if (flags & HAS_ADDRESSES) {
    if (header + 32 > 8192)
      fail("multiboot: the header is cut short\n");
    load_by_addresses(boot, head + header, header, &image);
  } else {
    const char *wrong = elf_load(&boot->kernel, &image);
    if (wrong)
      fail("multiboot: %s\n", wrong);
  }
  debug("kernel: multiboot, %u bytes\n", boot->kernel.size);
  enter(boot, &image);
}

void elf_boot(struct boot *boot) {
  struct elf_image image;
  const char *wrong = elf_load(&boot->kernel, &image);
  if (wrong)
    fail("ELF kernel: %s\n", wrong);
  if (image.is_linux)
    linux_elf_boot(boot, &image);
  debug("kernel: ELF, %u bytes\n", boot->kernel.size);
  enter(boot, &image);
}
