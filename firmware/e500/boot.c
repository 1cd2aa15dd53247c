// The kernel: from fw_cfg, or raw from the first disk. An ELF file, entered as ePAPR says.
#include "e500.h"

#define KEY_KERNEL_SIZE 0x08
#define KEY_INITRD_SIZE 0x0b
#define KEY_KERNEL_DATA 0x11
#define KEY_INITRD_DATA 0x12

static uint32 ram_size;

int ram_is_free(uint64 start, uint64 length) {
  uint64 end = start + length;
  if (end > ram_size || end > RAM_MAPPED)
    return 0;
  return end <= (uint32)fdt_room || start >= (uint32)room_end;
}

// A kernel on a disk starts at sector 0. Whole sectors go straight to their place.
static int disk_read(uint32 offset, void *to, uint32 count) {
  static uint8 sector[512];
  uint8 *out = to;
  while (count) {
    uint32 skip = offset % 512, n;
    if (skip == 0 && count >= 512) {
      n = count > 0x100000 ? 0x100000 : count & ~511u;
      if (!blk_read(offset / 512, n / 512, out))
        return 0;
    } else {
      n = 512 - skip < count ? 512 - skip : count;
      if (!blk_read(offset / 512, 1, sector))
        return 0;
      memcpy(out, sector + skip, n);
    }
    offset += n, out += n, count -= n;
  }
  return 1;
}

static int find_kernel(struct blob *kernel, int has_fwcfg) {
  if (has_fwcfg) {
    *kernel = (struct blob){.key = KEY_KERNEL_DATA, .size = fwcfg_read_le32(KEY_KERNEL_SIZE)};
    if (kernel->size)
      return 1;
  }
  if (!blk_find()) {
    complain("nothing to boot: no kernel was given, and there is no virtio disk\n");
    stop();
  }
  uint64 size = blk_capacity() * 512;
  *kernel = (struct blob){.size = size > 0xfffffe00 ? 0xfffffe00 : size, .read = disk_read};
  return 0;
}

void boot(const uint8 *fdt, int has_fwcfg) {
  struct blob kernel;
  struct elf_image image;
  ram_size = fdt_ram_size(fdt);
  int given = find_kernel(&kernel, has_fwcfg);
  uint8 magic[4] = {0};
  if (kernel.size >= 4)
    blob_read(&kernel, 0, magic, 4);
  if (!elf_is(magic)) {
    if (given)
      fail("kernel is not ELF (%u bytes, first %2x %2x %2x %2x)\n", kernel.size, magic[0], magic[1], magic[2], magic[3]);
    complain("nothing to boot: no kernel was given, and the disk does not start with an ELF kernel\n");
    stop();
  }
  const char *wrong = elf_load(&kernel, &image);
  if (wrong)
    fail("ELF kernel: %s\n", wrong);

  if (has_fwcfg) {
    // the board has written into the device tree where it wants the initrd
    struct blob initrd = {.key = KEY_INITRD_DATA, .size = fwcfg_read_le32(KEY_INITRD_SIZE)};
    uint32 at = fdt_number(fdt, "chosen", "linux,initrd-start");
    if (initrd.size && (at < image.end || !ram_is_free(at, initrd.size)))
      fail("no room for an initrd of %u bytes at %x\n", initrd.size, at);
    blob_read(&initrd, 0, (void *)at, initrd.size);
  }
  debug("kernel: %s, enter %x, device tree %x\n", given ? "given" : "from disk", image.entry, (uint32)fdt);
  enter_kernel(image.entry, fdt, tlb_leave());
}
