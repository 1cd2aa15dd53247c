#ifndef BYTEORDER_H
#define BYTEORDER_H

#include "types.h"

/*
 * A byte order is a value, so that code which serves devices of either order calls through it and never asks
 * which one it has. The same function converts both ways.
 */
struct byte_order {
	const char *name;
	u16 (*w16)(u16);
	u32 (*w32)(u32);
	u64 (*w64)(u64);
};

extern const struct byte_order order_native;
extern const struct byte_order order_little;

/* PCI is little-endian whatever the processor is (PCI 3.0 section 3.2.2). */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline u16 le16(u16 v) { return v; }
static inline u32 le32(u32 v) { return v; }
static inline u64 le64(u64 v) { return v; }
#else
static inline u16 le16(u16 v) { return __builtin_bswap16(v); }
static inline u32 le32(u32 v) { return __builtin_bswap32(v); }
static inline u64 le64(u64 v) { return __builtin_bswap64(v); }
#endif

#endif
