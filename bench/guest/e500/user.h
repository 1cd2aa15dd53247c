#ifndef USER_H
#define USER_H

#include "types.h"

/* Into the kernel and back: the number in r0, the argument and the answer in r3. */
static inline u32 user_call(u32 number, u32 argument)
{
	register u32 r0 __asm__("r0") = number;
	register u32 r3 __asm__("r3") = argument;

	__asm__ volatile("sc" : "+r"(r3) : "r"(r0) : "memory");
	return r3;
}

/* Loads and stores which step their address, counted by CTR: nearest to the x86's string instructions. */
static inline void word_copy(u32 *to, const u32 *from, u32 words)
{
	u32 word;

	to--;
	from--;
	__asm__ volatile("mtctr %3\n0:\tlwzu %2, 4(%1)\n\tstwu %2, 4(%0)\n\tbdnz 0b"
	                 : "+b"(to), "+b"(from), "=&r"(word)
	                 : "r"(words)
	                 : "ctr", "memory");
}

/* LIS, ORI, BLR; then what makes the instruction cache see them (Power ISA 2.06 book II, section 1.8). */
static inline void write_constant(u32 *code, u32 value)
{
	code[0] = 0x3c600000 | value >> 16;
	code[1] = 0x60630000 | (value & 0xffff);
	code[2] = 0x4e800020;
	__asm__ volatile("dcbst 0, %0; sync; icbi 0, %0; sync; isync" : : "r"(code) : "memory");
}

#endif
