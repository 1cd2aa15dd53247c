#ifndef FDT_H
#define FDT_H

#include "types.h"

/*
 * A flattened device tree (Devicetree Specification 0.3 chapter 5). Big-endian whatever the processor is.
 */
bool fdt_valid(const void *fdt);
u32 fdt_size(const void *fdt);
/* A property of a node below the root, named without its unit address ("" is the root); NULL if it is not there. */
const void *fdt_property(const void *fdt, const char *node, const char *property, u32 *length);
u32 fdt_cell(const void *cells, u32 index);

#endif
