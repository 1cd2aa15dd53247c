// The board's addresses, generated from the machine's description, and the few
// choices which are the firmware's own.
#pragma once
#include "../../guest/include/layout.h"

#ifdef __i386__
// PIRQA..D of the PIIX3: two ISA interrupts, used twice each.
#define PIRQ_IRQS {10, 11, 10, 11}
// 64-bit BARs which do not fit below 4 GiB: from the end of RAM to 36 address bits.
#define PCI_MEMORY64_END 0x1000000000
// The last kilobyte of conventional memory is the extended BIOS data area.
#define EBDA_BASE 0x9fc00
#endif
