// Start from the first disk: its boot sector in real mode, and the few interrupt services
// which a boot sector calls. real.S brings each of them here.
#include "endian.h"
#include "pc.h"

#define BOOT_SECTOR 0x7c00
#define BOOT_DISK 0x80

#define DISK_BAD_COMMAND 0x01
#define DISK_WRITE_PROTECTED 0x03
#define DISK_NOT_FOUND 0x04

// the geometry which disks without one are given
#define HEADS 255
#define SECTORS 63

static void vector(int number, uint8 *handler) {
  volatile uint16 *entry = (volatile uint16 *)(number * 4);
  entry[0] = (uint32)handler;
  entry[1] = 0xf000;
}

void disk_boot(void) {
  if (!blk_find())
    return;
  uint8 *sector = (uint8 *)BOOT_SECTOR;
  if (!blk_capacity() || !blk_read(0, 1, sector))
    fail("the first sector of the disk cannot be read\n");
  if (get_le16(sector + 510) != 0xaa55) {
    complain("nothing to boot: no kernel was given, and the disk has no boot sector\n");
    stop();
  }
  for (int i = 0; i < 256; i++)
    vector(i, bios_return);
  vector(0x08, bios_08);
  vector(0x10, bios_10);
  vector(0x11, bios_11);
  vector(0x12, bios_12);
  vector(0x13, bios_13);
  vector(0x15, bios_15);
  vector(0x16, bios_16);
  vector(0x1a, bios_1a);
  terminal_init();
  clock_init();
  debug("disk: enter the boot sector\n");
  enter_boot_sector();
}

static void set_ah(struct bios_frame *f, uint8 value) {
  f->eax = (f->eax & 0xffff00ff) | value << 8;
}

// Real-mode seg:off.
static uint8 *real(uint16 segment, uint32 offset) {
  return (uint8 *)(segment * 16 + (offset & 0xffff));
}

static int disk_status(struct bios_frame *f, uint8 status) {
  set_ah(f, status);
  return status == 0;
}

static int disk_read(struct bios_frame *f, uint64 sector, uint32 count, uint8 *to) {
  uint64 capacity = blk_capacity();
  if (sector > capacity || count > capacity - sector)
    return disk_status(f, DISK_NOT_FOUND);
  return disk_status(f, blk_read(sector, count, to) ? 0 : DISK_NOT_FOUND);
}

static uint32 cylinders(void) {
  uint64 capacity = blk_capacity();
  if (capacity >= 1024 * HEADS * SECTORS)
    return 1024;
  return (uint32)capacity / (HEADS * SECTORS);
}

// AH=42h: DS:SI is a packet of size, 0, le16 count, le16 offset, le16 segment, le64 sector
static int extended_read(struct bios_frame *f) {
  uint8 *packet = real(f->ds, f->esi);
  uint32 count = get_le16(packet + 2);
  if (packet[0] < 16 || count == 0 || count > 127)
    return disk_status(f, DISK_BAD_COMMAND);
  return disk_read(f, get_le64(packet + 8), count, real(get_le16(packet + 6), get_le16(packet + 4)));
}

// AH=02h: CH, CL: cylinder and sector; DH: head; AL: count; ES:BX: buffer
static int chs_read(struct bios_frame *f) {
  uint32 cylinder = (f->ecx >> 8 & 0xff) | (f->ecx & 0xc0) << 2;
  uint32 sector = f->ecx & 0x3f, head = f->edx >> 8 & 0xff, count = f->eax & 0xff;
  if (sector == 0 || head >= HEADS || count == 0 || count > 127)
    return disk_status(f, DISK_BAD_COMMAND);
  return disk_read(f, (cylinder * HEADS + head) * SECTORS + sector - 1, count, real(f->es, f->ebx));
}

// AH=08h
static int geometry(struct bios_frame *f) {
  uint32 last = cylinders() ? cylinders() - 1 : 0;
  set_low(&f->ecx, (last & 0xff) << 8 | (last >> 2 & 0xc0) | SECTORS);
  set_low(&f->edx, (HEADS - 1) << 8 | 1);  // DL: one disk
  return disk_status(f, 0);
}

// AH=48h: le16 size, flags, le32 cylinders, heads, sectors, le64 capacity, le16 bytes a sector
static int extended_parameters(struct bios_frame *f) {
  uint8 *result = real(f->ds, f->esi);
  if (get_le16(result) < 26)
    return disk_status(f, DISK_BAD_COMMAND);
  put_le16(result, 26);
  put_le16(result + 2, 0);
  put_le32(result + 4, cylinders());
  put_le32(result + 8, HEADS);
  put_le32(result + 12, SECTORS);
  put_le64(result + 16, blk_capacity());
  put_le16(result + 24, 512);
  return disk_status(f, 0);
}

static int disk_service(struct bios_frame *f) {
  if ((f->edx & 0xff) != BOOT_DISK)
    return disk_status(f, DISK_BAD_COMMAND);
  switch (f->eax >> 8 & 0xff) {
  case 0x00:
    return disk_status(f, 0);
  case 0x02:
    return chs_read(f);
  case 0x03:
  case 0x43:
    return disk_status(f, DISK_WRITE_PROTECTED);
  case 0x08:
    return geometry(f);
  case 0x15:  // AH=3: a fixed disk of CX:DX sectors
    set_low(&f->edx, blk_capacity());
    set_low(&f->ecx, blk_capacity() >> 16);
    set_ah(f, 3);
    return 1;
  case 0x41:
    if ((f->ebx & 0xffff) != 0x55aa)
      return disk_status(f, DISK_BAD_COMMAND);
    set_low(&f->ebx, 0xaa55);
    set_low(&f->ecx, 1);  // packet structure
    set_ah(f, 0x01);  // version 1.x
    return 1;
  case 0x42:
    return extended_read(f);
  case 0x48:
    return extended_parameters(f);
  }
  debug("int 13h: function %x is not there\n", f->eax >> 8 & 0xff);
  return disk_status(f, DISK_BAD_COMMAND);
}

#define SMAP 0x534d4150

// AX=E820h: entry EBX to ES:DI; EBX is the next, 0 after the last
static int memory_map(struct bios_frame *f) {
  if (f->edx != SMAP || f->ecx < sizeof map[0] || f->ebx >= (uint32)map_count)
    return disk_status(f, 0x86);
  memcpy(real(f->es, f->edi), &map[f->ebx], sizeof map[0]);
  f->eax = SMAP;
  f->ecx = sizeof map[0];
  f->ebx = f->ebx + 1 < (uint32)map_count ? f->ebx + 1 : 0;
  return 1;
}

static int system_service(struct bios_frame *f) {
  uint32 top = memory_low_end(), above1 = top > 0x100000 ? (top - 0x100000) / 1024 : 0;
  if ((f->eax & 0xffff) == 0xe820)
    return memory_map(f);
  if ((f->eax & 0xffff) == 0xe801) {  // KiB from 1 to 16 MiB; 64 KiB units above
    uint32 below16 = above1 < 15 * 1024 ? above1 : 15 * 1024, above16 = (above1 - below16) / 64;
    set_low(&f->eax, below16);
    set_low(&f->ecx, below16);
    set_low(&f->ebx, above16);
    set_low(&f->edx, above16);
    return 1;
  }
  if ((f->eax & 0xff00) == 0x8800) {
    set_low(&f->eax, above1 < 0xffff ? above1 : 0xffff);
    return 1;
  }
  debug("int 15h: function %x is not there\n", f->eax & 0xffff);
  set_ah(f, 0x86);
  return 0;
}

// Whether the caller has to ask again: until then interrupts are taken.
int bios_service(struct bios_frame *f) {
  int good = 1;
  switch (f->vector) {
  case 0x10:
    display_service(f);
    return 0;
  case 0x11:
    set_low(&f->eax, terminal_equipment());
    return 0;
  case 0x12:
    set_low(&f->eax, EBDA_BASE / 1024);
    return 0;
  case 0x13:
    good = disk_service(f);
    break;
  case 0x15:
    good = system_service(f);
    break;
  case 0x16:
    return keyboard_service(f);
  case 0x1a:
    good = clock_service(f);
    break;
  }
  f->flags = good ? f->flags & ~FLAG_CARRY : f->flags | FLAG_CARRY;
  return 0;
}
