// Linux by its 32-bit boot protocol. Linux Documentation/x86/boot.rst and zero-page.rst.
#include "endian.h"
#include "pc.h"

// the setup header, offsets in both the image and boot_params
#define SETUP_SECTS 0x1f1
#define VID_MODE 0x1fa
#define JUMP_LENGTH 0x201
#define MAGIC 0x202
#define VERSION 0x206
#define TYPE_OF_LOADER 0x210
#define LOADFLAGS 0x211
#define CODE32_START 0x214
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE 0x21c
#define HEAP_END_PTR 0x224
#define CMD_LINE_PTR 0x228
#define INITRD_ADDR_MAX 0x22c
#define CMDLINE_SIZE 0x238
#define PREF_ADDRESS 0x258
#define INIT_SIZE 0x260
#define HEADER_END 0x290

// boot_params only
#define E820_ENTRIES 0x1e8
#define E820_TABLE 0x2d0

#define LOADED_HIGH 0x01
#define CAN_USE_HEAP 0x80
#define LOADER_UNDEFINED 0xff
#define VIDEO_NORMAL 0xffff

// conventional memory which a kernel loaded high leaves alone
#define PARAMS 0x90000
#define COMMAND_LINE 0x91000

static uint8 *const params = (uint8 *)PARAMS;

// The initrd, the command line and the map, for a kernel that takes all below end.
static void hand_over(struct boot *boot, uint32 end) {
  uint32 version = get_le16(params + VERSION);
  put_le32(params + RAMDISK_IMAGE, 0);
  put_le32(params + RAMDISK_SIZE, 0);
  if (boot->initrd.size) {
    uint32 highest = version >= 0x203 ? get_le32(params + INITRD_ADDR_MAX) : 0x37ffffff;
    uint32 limit = memory_low_end() - 1 < highest ? memory_low_end() : highest + 1;
    uint32 at = memory_take_high(boot->initrd.size, 0x1000, end, limit, 0);
    if (!at)
      fail("no room for an initrd of %u bytes\n", boot->initrd.size);
    blob_read(&boot->initrd, 0, (void *)at, boot->initrd.size);
    put_le32(params + RAMDISK_IMAGE, at);
    put_le32(params + RAMDISK_SIZE, boot->initrd.size);
    debug("initrd: %x-%x\n", at, at + boot->initrd.size);
  }

  uint32 longest = version >= 0x206 ? get_le32(params + CMDLINE_SIZE) : 255;
  if (strlen(boot->command_line) > longest) {
    complain("command line cut at %u bytes\n", longest);
    boot->command_line[longest] = 0;
  }
  memcpy((void *)COMMAND_LINE, boot->command_line, sizeof boot->command_line);
  put_le32(params + CMD_LINE_PTR, COMMAND_LINE);

  params[TYPE_OF_LOADER] = LOADER_UNDEFINED;
  params[LOADFLAGS] |= CAN_USE_HEAP;
  put_le16(params + HEAP_END_PTR, 0xfe00);
  put_le16(params + VID_MODE, VIDEO_NORMAL);
  params[E820_ENTRIES] = map_count;
  memcpy(params + E820_TABLE, map, map_count * sizeof map[0]);
}

// vmlinux: what a bzImage unpacks and enters, in the same way, without the header which only the image has.
void linux_elf_boot(struct boot *boot, const struct elf_image *image) {
  if (boot->modules.size)
    complain("modules: Linux takes none\n");
  memset(params, 0, 4096);
  memcpy(params + MAGIC, "HdrS", 4);
  put_le16(params + VERSION, 0x20f);
  params[LOADFLAGS] = LOADED_HIGH;
  put_le32(params + INITRD_ADDR_MAX, 0x7fffffff);
  put_le32(params + CMDLINE_SIZE, 2047);
  hand_over(boot, image->end);
  debug("kernel: vmlinux, enter %x\n", image->entry);
  enter_kernel(image->entry, 0, 0, PARAMS);
}

void linux_boot(struct boot *boot) {
  memset(params, 0, 4096);
  uint32 header = boot->setup.size < HEADER_END ? boot->setup.size : HEADER_END;
  if (header < RAMDISK_SIZE)
    fail("bzImage: the setup header is cut short\n");
  blob_read(&boot->setup, SETUP_SECTS, params + SETUP_SECTS, header - SETUP_SECTS);
  // the header says where it ends; what follows it in the image is code
  uint32 end = MAGIC + params[JUMP_LENGTH];
  if (end < header)
    memset(params + end, 0, header - end);

  uint32 version = get_le16(params + VERSION);
  if (memcmp(params + MAGIC, "HdrS", 4) || version < 0x202 || !(params[LOADFLAGS] & LOADED_HIGH))
    fail("bzImage: boot protocol %x is too old\n", version);

  uint32 load = get_le32(params + CODE32_START);
  uint32 need = version >= 0x20a ? get_le32(params + INIT_SIZE) : boot->kernel.size;
  uint64 prefers = version >= 0x20a ? get_le64(params + PREF_ADDRESS) : load;
  uint32 runs = prefers > load && prefers < 0x80000000 ? prefers : load;  // where it unpacks itself to
  if (need < boot->kernel.size)
    need = boot->kernel.size;
  if (!ram_is_free(load, boot->kernel.size) || !ram_is_free(runs, need))
    fail("bzImage: %u bytes at %x do not fit into RAM\n", need, runs);
  blob_read(&boot->kernel, 0, (void *)load, boot->kernel.size);

  hand_over(boot, runs + need);
  debug("kernel: bzImage, protocol %x, enter %x\n", version, load);
  enter_kernel(load, 0, 0, PARAMS);
}
