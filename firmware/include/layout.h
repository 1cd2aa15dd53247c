// The board's addresses, generated from the machine's description, and the few
// choices which are the firmware's own.
#pragma once
#include "../../guest/include/layout.h"

#ifdef __i386__
// The last kilobyte of conventional memory is the extended BIOS data area.
#define EBDA_BASE 0x9fc00
#endif
