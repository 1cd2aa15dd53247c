// The memory map: what the board says, less what firmware keeps.
#include "endian.h"
#include "pc.h"

#define BDA_EBDA_SEGMENT 0x40e
#define BDA_MEMORY_KB 0x413

#define GIB4 0x100000000ull

struct map_entry map[MAP_MAX];
int map_count;

// Sorted by address; neighbours of one type become one entry.
static void put(uint64 start, uint64 end, uint32 type) {
  if (start >= end)
    return;
  if (map_count == MAP_MAX) {
    complain("memory map is full: %X-%X is lost\n", start, end);
    return;
  }
  int at = map_count++;
  for (; at > 0 && map[at - 1].start > start; at--)
    map[at] = map[at - 1];
  map[at] = (struct map_entry){start, end - start, type};

  int kept = 0;
  for (int i = 1; i < map_count; i++) {
    struct map_entry *last = &map[kept];
    if (last->type == map[i].type && last->start + last->length == map[i].start)
      last->length += map[i].length;
    else
      map[++kept] = map[i];
  }
  map_count = kept + 1;
}

void map_mark(uint64 start, uint64 length, uint32 type) {
  static struct map_entry old[MAP_MAX];
  int count = map_count;
  uint64 end = start + length;
  memcpy(old, map, sizeof map);
  map_count = 0;
  for (int i = 0; i < count; i++) {
    uint64 from = old[i].start, to = from + old[i].length;
    put(from, to < start ? to : start, old[i].type);
    put(from > end ? from : end, to, old[i].type);
  }
  put(start, end, type);
}

static uint8 cmos(uint8 index) {
  outb(MC146818_PORT, index);
  return inb(MC146818_PORT + 1);
}

// 0x34: 64 KiB units above 16 MiB; 0x30: KiB above 1 MiB; 0x5b: 64 KiB units above 4 GiB.
static void map_from_cmos(void) {
  uint32 above16 = (cmos(0x34) | cmos(0x35) << 8) * 0x10000u;
  uint32 above1 = (cmos(0x30) | cmos(0x31) << 8) * 1024u;
  uint64 above4g = (uint64)(cmos(0x5b) | cmos(0x5c) << 8 | cmos(0x5d) << 16) << 16;
  map_mark(0, above16 ? 16 * MIB + (uint64)above16 : MIB + (uint64)above1, MAP_RAM);
  if (above4g)
    map_mark(GIB4, above4g, MAP_RAM);
}

void memory_init(int has_fwcfg) {
  struct blob file;
  if (has_fwcfg && fwcfg_find("etc/e820", &file)) {
    uint8 entry[20];
    for (uint32 at = 0; at + sizeof entry <= file.size; at += sizeof entry) {
      blob_read(&file, at, entry, sizeof entry);
      map_mark(get_le64(entry), get_le64(entry + 8), get_le32(entry + 16));
    }
  } else
    map_from_cmos();

  map_mark(EBDA_BASE, 0xa0000 - EBDA_BASE, MAP_RESERVED);
  map_mark(0xa0000, MIB - 0xa0000, MAP_RESERVED);  // display, adapters, this firmware
  map_mark(ROM_BASE, ROM_SIZE, MAP_RESERVED);
  *(volatile uint16 *)BDA_EBDA_SEGMENT = EBDA_BASE >> 4;
  *(volatile uint16 *)BDA_MEMORY_KB = EBDA_BASE / 1024;
  *(volatile uint8 *)EBDA_BASE = 1;  // its size in KiB

  for (int i = 0; i < map_count; i++)
    debug("memory: %X size %X %s\n", map[i].start, map[i].length, map[i].type == MAP_RAM ? "ram" : "reserved");
}

uint64 memory_end(void) {
  uint64 end = 0;
  for (int i = 0; i < map_count; i++)
    if (map[i].type == MAP_RAM)
      end = map[i].start + map[i].length;
  return end;
}

uint32 memory_low_end(void) {
  uint32 end = 0;
  for (int i = 0; i < map_count && map[i].start < GIB4; i++)
    if (map[i].type == MAP_RAM)
      end = map[i].start + map[i].length;
  return end;
}

int ram_is_free(uint64 start, uint64 length) {
  for (int i = 0; i < map_count; i++) {
    uint64 end = map[i].start + map[i].length;
    if (map[i].type == MAP_RAM && start >= map[i].start && start < end && length <= end - start)
      return start + length <= GIB4;
  }
  return 0;
}

uint32 memory_take_high(uint32 size, uint32 align, uint32 floor, uint32 limit, int reserve) {
  if (floor < MIB)
    floor = MIB;
  for (int i = map_count - 1; i >= 0; i--) {
    if (map[i].type != MAP_RAM || map[i].start >= limit)
      continue;
    uint64 end = map[i].start + map[i].length;
    uint32 top = end < limit ? end : limit;
    uint32 bottom = map[i].start > floor ? map[i].start : floor;
    if (top < bottom || top - bottom < size)
      continue;
    uint32 at = (top - size) & ~(align - 1);
    if (at < bottom)
      continue;
    if (reserve)
      map_mark(at, top - at, MAP_RESERVED);
    return at;
  }
  return 0;
}
