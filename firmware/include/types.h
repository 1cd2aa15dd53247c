// The integer names used everywhere in the firmware, as xv6 has them.
#pragma once

typedef unsigned char uint8;
typedef unsigned short uint16;
typedef unsigned int uint32;
typedef unsigned long long uint64;

#define NULL ((void *)0)
