#include "fdt.h"
#include "string.h"

/* Words of the header, and tokens of the structure block (sections 5.2 and 5.4). */
enum { MAGIC = 0, TOTAL_SIZE = 1, STRUCTURE = 2, STRINGS = 3 };
enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, END = 9 };

u32 fdt_cell(const void *cells, u32 index)
{
	const u8 *b = (const u8 *)cells + 4 * index;

	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

bool fdt_valid(const void *fdt)
{
	return fdt_cell(fdt, MAGIC) == 0xd00dfeed;
}

u32 fdt_size(const void *fdt)
{
	return fdt_cell(fdt, TOTAL_SIZE);
}

static bool is_named(const char *node, const char *name)
{
	size_t n = strlen(name);

	return strncmp(node, name, n) == 0 && (node[n] == 0 || node[n] == '@');
}

const void *fdt_property(const void *fdt, const char *node, const char *property, u32 *length)
{
	const u8 *at = (const u8 *)fdt + fdt_cell(fdt, STRUCTURE), *end = (const u8 *)fdt + fdt_size(fdt);
	const char *strings = (const char *)fdt + fdt_cell(fdt, STRINGS);
	int depth = 0;
	int wanted = node[0] == 0 ? 1 : 2; /* the depth of the node's properties */
	bool inside = false;

	while (at < end) {
		u32 token = fdt_cell(at, 0);
		at += 4;
		if (token == BEGIN_NODE) {
			depth++;
			if (depth == wanted)
				inside = is_named((const char *)at, node);
			at += round_up((u32)strlen((const char *)at) + 1, 4);
		} else if (token == END_NODE) {
			if (depth == wanted)
				inside = false;
			depth--;
		} else if (token == PROPERTY) {
			*length = fdt_cell(at, 0);
			if (inside && depth == wanted && strcmp(strings + fdt_cell(at, 1), property) == 0)
				return at + 8;
			at += 8 + round_up(*length, 4);
		} else if (token == END) {
			break;
		}
	}
	return NULL;
}
