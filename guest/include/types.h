#ifndef TYPES_H
#define TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline u32 min_u32(u32 a, u32 b) { return a < b ? a : b; }
static inline u32 round_up(u32 n, u32 to) { return (n + to - 1) / to * to; }
static inline u32 low_half(u64 v) { return (u32)v; }
static inline u32 high_half(u64 v) { return (u32)(v >> 32); }

#endif
