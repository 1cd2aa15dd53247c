// What the files of the e500 firmware share.
#pragma once
#include "firmware.h"
#include "layout.h"

// Registers of the CCSR block: 32 bits, big-endian as the processor is.
static inline volatile uint32 *ccsr(uint32 offset) {
  return (volatile uint32 *)(CCSR_EA + offset);
}

// board.c
void console_init(void);
void pci_init(uint32 ram_size);

// tlb.c
void tlb_init(void);  // everything the firmware touches
uint32 tlb_leave(void);  // only the entry at 0; returns its size in bytes

// fdt.c
int fdt_is(const uint8 *fdt);
uint32 fdt_size(const uint8 *fdt);
// A property of the root ("") or of a node right below it; NULL if there is none.
const uint8 *fdt_property(const uint8 *fdt, const char *node, const char *name, uint32 *length);
// One number of 32 or 64 bits that fits into 32; 0 if there is none.
uint32 fdt_number(const uint8 *fdt, const char *node, const char *name);
uint32 fdt_ram_size(const uint8 *fdt);  // of the memory that starts at 0

// boot.c
void boot(const uint8 *fdt, int has_fwcfg) __attribute__((noreturn));

// reset.S
void enter_kernel(uint32 entry, const uint8 *fdt, uint32 mapped) __attribute__((noreturn));

// e500.ld: what the firmware keeps in RAM. The device tree is at fdt_room, the code above it.
extern uint8 fdt_room[], image_start[], room_end[];
