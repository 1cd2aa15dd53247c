#ifndef USER_H
#define USER_H

#include "types.h"

/* Into the kernel and back: the number in EAX, the argument in EBX, the answer in EAX. */
static inline u32 user_call(u32 number, u32 argument)
{
	__asm__ volatile("int $0x80" : "+a"(number) : "b"(argument) : "memory");
	return number;
}

/* SYSENTER saves nothing: SYSEXIT returns to EDX with the stack of ECX (Intel SDM volume 2). */
#define FAST_CALLS
static inline u32 user_fast_call(u32 number, u32 argument)
{
	__asm__ volatile("movl %%esp, %%ecx\n\tmovl $1f, %%edx\n\tsysenter\n1:" : "+a"(number) : "b"(argument) : "ecx", "edx", "memory");
	return number;
}

static inline void word_copy(u32 *to, const u32 *from, u32 words)
{
	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

/* MOV EAX, value; RET. The processor sees that its code changed. */
static inline void write_constant(u32 *code, u32 value)
{
	u8 *bytes = (u8 *)code;

	bytes[0] = 0xb8;
	for (u32 i = 0; i < 4; i++)
		bytes[1 + i] = (u8)(value >> 8 * i);
	bytes[5] = 0xc3;
	__asm__ volatile("" : : : "memory");
}

#endif
