// The few library functions which the compiler expects, and two more.
#include "firmware.h"

#ifdef __i386__
// One string instruction moves the whole block.
void *memset(void *to, int byte, unsigned count) {
  void *d = to;
  unsigned words = count / 4;
  uint32 fill = (uint8)byte * 0x01010101u;
  asm volatile("rep stosl" : "+D"(d), "+c"(words) : "a"(fill) : "memory");
  count %= 4;
  asm volatile("rep stosb" : "+D"(d), "+c"(count) : "a"(fill) : "memory");
  return to;
}

void *memcpy(void *to, const void *from, unsigned count) {
  void *d = to;
  unsigned words = count / 4;
  asm volatile("rep movsl" : "+D"(d), "+S"(from), "+c"(words) : : "memory");
  count %= 4;
  asm volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(count) : : "memory");
  return to;
}
#else
void *memset(void *to, int byte, unsigned count) {
  uint8 *d = to;
  uint32 fill = (uint8)byte * 0x01010101u;
  for (; count && (unsigned)d % 4; count--)
    *d++ = byte;
  for (; count >= 4; count -= 4, d += 4)
    *(volatile uint32 *)d = fill;
  while (count--)
    *(volatile uint8 *)d++ = byte;
  return to;
}

void *memcpy(void *to, const void *from, unsigned count) {
  volatile uint8 *d = to;
  const uint8 *s = from;
  if (((unsigned)d | (unsigned)s) % 4 == 0)
    for (; count >= 4; count -= 4, d += 4, s += 4)
      *(volatile uint32 *)d = *(const uint32 *)s;
  while (count--)
    *d++ = *s++;
  return to;
}
#endif

void *memmove(void *to, const void *from, unsigned count) {
  uint8 *d = to;
  const uint8 *s = from;
  if (d <= s || d >= s + count)
    return memcpy(to, from, count);
  while (count--)
    ((volatile uint8 *)d)[count] = s[count];
  return to;
}

int memcmp(const void *a, const void *b, unsigned count) {
  const uint8 *p = a, *q = b;
  for (; count--; p++, q++)
    if (*p != *q)
      return *p - *q;
  return 0;
}

unsigned strlen(const char *s) {
  unsigned n = 0;
  while (s[n])
    n++;
  return n;
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b)
    a++, b++;
  return (uint8)*a - (uint8)*b;
}
