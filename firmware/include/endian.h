// Fixed-endian fields in memory. Byte by byte, so alignment does not matter
// and the same source serves both machines.
#pragma once
#include "types.h"

static inline uint16 get_le16(const void *p) {
  const uint8 *b = p;
  return b[0] | b[1] << 8;
}

static inline uint32 get_le32(const void *p) {
  const uint8 *b = p;
  return b[0] | b[1] << 8 | b[2] << 16 | (uint32)b[3] << 24;
}

static inline uint64 get_le64(const void *p) {
  return get_le32(p) | (uint64)get_le32((const uint8 *)p + 4) << 32;
}

static inline void put_le16(void *p, uint16 value) {
  uint8 *b = p;
  b[0] = value;
  b[1] = value >> 8;
}

static inline void put_le32(void *p, uint32 value) {
  put_le16(p, value);
  put_le16((uint8 *)p + 2, value >> 16);
}

static inline void put_le64(void *p, uint64 value) {
  put_le32(p, value);
  put_le32((uint8 *)p + 4, value >> 32);
}

static inline uint16 get_be16(const void *p) {
  const uint8 *b = p;
  return b[0] << 8 | b[1];
}

static inline uint32 get_be32(const void *p) {
  return (uint32)get_be16(p) << 16 | get_be16((const uint8 *)p + 2);
}

static inline void put_be16(void *p, uint16 value) {
  uint8 *b = p;
  b[0] = value >> 8;
  b[1] = value;
}

static inline void put_be32(void *p, uint32 value) {
  put_be16(p, value >> 16);
  put_be16((uint8 *)p + 2, value);
}
