#ifndef STRING_H
#define STRING_H

#include "types.h"

void *memset(void *to, int value, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* Reads a number, hexadecimal after 0x, and leaves *end behind it; *end == s when there is none. */
u32 parse_number(const char *s, const char **end);

/* 32-bit FNV-1a taken over the little-endian words of n bytes; n is a multiple of 4. */
u32 checksum(const void *data, size_t n);

#endif
