// Reads the flattened device tree. Devicetree specification 0.3 chapter 5.
#include "e500.h"
#include "endian.h"

#define MAGIC 0xd00dfeed
#define HEADER_SIZE 40
#define TOTAL_SIZE 4
#define STRUCTURE_OFFSET 8
#define STRINGS_OFFSET 12

#define BEGIN_NODE 1
#define END_NODE 2
#define PROPERTY 3
#define NOP 4

int fdt_is(const uint8 *fdt) {
  return get_be32(fdt) == MAGIC && fdt_size(fdt) >= HEADER_SIZE;
}

uint32 fdt_size(const uint8 *fdt) {
  return get_be32(fdt + TOTAL_SIZE);
}

// A node's name without its unit address.
static int is_named(const uint8 *node, const char *name) {
  unsigned n = strlen(name);
  return memcmp(node, name, n) == 0 && (node[n] == 0 || node[n] == '@');
}

const uint8 *fdt_property(const uint8 *fdt, const char *node, const char *name, uint32 *length) {
  const uint8 *p = fdt + get_be32(fdt + STRUCTURE_OFFSET), *end = fdt + fdt_size(fdt);
  const char *strings = (const char *)fdt + get_be32(fdt + STRINGS_OFFSET);
  int depth = 0, wanted = *node ? 2 : 1, inside = 0;
  while (p + 4 <= end) {
    uint32 token = get_be32(p);
    p += 4;
    if (token == BEGIN_NODE) {
      if (++depth == wanted)
        inside = wanted == 1 || is_named(p, node);
      p += (strlen((const char *)p) + 4) & ~3u;
    } else if (token == END_NODE) {
      if (depth-- == wanted)
        inside = 0;
    } else if (token == PROPERTY) {
      *length = get_be32(p);
      if (inside && depth == wanted && !strcmp(strings + get_be32(p + 4), name))
        return p + 8;
      p += 8 + ((*length + 3) & ~3u);
    } else if (token != NOP)
      break;
  }
  return NULL;
}

uint32 fdt_number(const uint8 *fdt, const char *node, const char *name) {
  uint32 length;
  const uint8 *value = fdt_property(fdt, node, name, &length);
  if (!value || (length != 4 && length != 8))
    return 0;
  if (length == 8 && get_be32(value))
    return 0;
  return get_be32(value + length - 4);
}

uint32 fdt_ram_size(const uint8 *fdt) {
  uint32 length, cells = fdt_number(fdt, "", "#size-cells"), address_cells = fdt_number(fdt, "", "#address-cells");
  const uint8 *reg = fdt_property(fdt, "memory", "reg", &length);
  if (!reg || cells < 1 || cells > 2 || length < 4 * (address_cells + cells))
    return 0;
  reg += 4 * address_cells;
  if (cells == 2 && get_be32(reg))
    return 0xfffff000;
  return get_be32(reg + 4 * (cells - 1));
}
