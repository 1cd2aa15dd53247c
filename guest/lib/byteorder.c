#include "byteorder.h"

static u16 same16(u16 v) { return v; }
static u32 same32(u32 v) { return v; }
static u64 same64(u64 v) { return v; }
static u16 little16(u16 v) { return le16(v); }
static u32 little32(u32 v) { return le32(v); }
static u64 little64(u64 v) { return le64(v); }

const struct byte_order order_native = {"native", same16, same32, same64};
const struct byte_order order_little = {"little-endian", little16, little32, little64};
