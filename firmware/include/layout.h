// The board's addresses, generated from the machine's description, and the few
// choices which are the firmware's own.
#pragma once
#include "../../guest/include/layout.h"

#ifdef __i386__
// The last kilobyte of conventional memory is the extended BIOS data area.
#define EBDA_BASE 0x9fc00
#endif

#ifdef __PPC__
// Effective addresses while the firmware runs: RAM is where it is, the rest goes above 2 GiB.
#define RAM_MAPPED 0x80000000
#define PCI_MEMORY_EA 0x80000000
#define PCI_MEMORY_EA_SIZE 0x20000000
#define ROM_EA 0xc0000000
#define CCSR_EA 0xe0000000

// The part of the ROM which holds the image.
#define IMAGE_SIZE 0x10000
#endif
