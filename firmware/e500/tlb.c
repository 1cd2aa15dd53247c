// TLB1: what the firmware maps for itself, and what a kernel finds.
// e500mc core manual, chapter "Memory management units".
#include "e500.h"

#define MAS0_TLB1 0x10000000
#define MAS0_ENTRY 0x0fff0000
#define MAS1_VALID 0x80000000
#define MAS1_IPROT 0x40000000
#define MAS2_DEVICE 0x0a  // inhibited, guarded
#define MAS3_ALL 0x3f

#define SIZE_1M 5  // 4^n KiB
#define SIZE_64M 8
#define SIZE_256M 9

#define SPR_WRITE(spr, value) asm volatile("mtspr %0, %1" : : "i"(spr), "r"(value))

static uint32 self;  // the entry we run in

static void write_entry(uint32 index, uint32 mas1, uint32 ea, uint64 physical, uint32 attributes) {
  SPR_WRITE(624, MAS0_TLB1 | index << 16);
  SPR_WRITE(625, mas1);
  SPR_WRITE(626, ea | attributes);
  SPR_WRITE(627, (uint32)physical | MAS3_ALL);
  SPR_WRITE(944, (uint32)(physical >> 32));
  asm volatile("isync; tlbwe; isync" : : : "memory");
}

// Looks up the entry which maps an address. Returns its MAS1; its number goes to *index.
static uint32 search(uint32 ea, uint32 *index) {
  uint32 mas0, mas1;
  SPR_WRITE(630, 0);  // MAS6: PID 0, address space 0
  asm volatile("tlbsx 0, %0; isync" : : "r"(ea) : "memory");
  asm volatile("mfspr %0, 624" : "=r"(mas0));
  asm volatile("mfspr %0, 625" : "=r"(mas1));
  *index = (mas0 & MAS0_ENTRY) >> 16;
  return mas1;
}

static uint32 entry_count(void) {
  uint32 config;
  asm volatile("mfspr %0, 689" : "=r"(config));  // TLB1CFG
  return config & 0xfff;
}

static void drop_others(void) {
  for (uint32 i = 0; i < entry_count(); i++)
    if (i != self)
      write_entry(i, 0, 0, 0, 0);
}

static uint32 self_size(void) {
  uint32 mas1 = search((uint32)tlb_init, &self);
  return 1024u << 2 * (mas1 >> 8 & 15);
}

static void map(uint32 ea, uint64 physical, uint32 size, uint32 attributes) {
  static uint32 next;
  if (next == self)
    next++;
  write_entry(next++, MAS1_VALID | MAS1_IPROT | size << 8, ea, physical, attributes);
}

void tlb_init(void) {
  uint32 mapped = self_size();
  drop_others();
  // RAM up to 2 GiB at its own addresses, above what we run in; what is not there is not touched
  for (uint32 at = 0x04000000; at < RAM_MAPPED; at += at < 0x10000000 ? 0x04000000 : 0x10000000)
    if (at >= mapped)
      map(at, at, at < 0x10000000 ? SIZE_64M : SIZE_256M, 0);
  map(CCSR_EA, CCSR_BASE, SIZE_1M, MAS2_DEVICE);
  for (uint32 at = 0; at < PCI_MEMORY_EA_SIZE; at += 0x10000000)
    map(PCI_MEMORY_EA + at, PCI_MEMORY_PHYSICAL + at, SIZE_256M, MAS2_DEVICE);
}

uint32 tlb_leave(void) {
  uint32 mapped = self_size();
  drop_others();
  return mapped;
}
