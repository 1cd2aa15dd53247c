#include "string.h"
#include "x86.h"

/*
 * The multiprocessor table says which IO-APIC pin each interrupt arrives at (MultiProcessor Specification 1.4 chapter 4).
 * It is read with paging off, and what matters is kept.
 */
struct mp_pointer {
	char signature[4];
	u32 table;
	u8 length, revision, sum, features[5];
};
struct mp_table {
	char signature[4];
	u16 length;
	u8 revision, sum;
	char oem[20];
	u32 oem_table;
	u16 oem_size, entries;
	u32 lapic;
	u16 extended_length;
	u8 extended_sum, reserved;
};
enum { MP_PROCESSOR = 0, MP_BUS = 1, MP_INTERRUPT = 3 };
enum { BUS_OTHER, BUS_ISA, BUS_PCI };

struct assignment {
	u8 bus, source, pin;
	u16 flags; /* bits 0-1 polarity, 2-3 trigger mode: 0 as the bus has it, 1 high or edge, 3 low or level */
};
static struct assignment assignments[256]; /* four pins in each of 32 slots, and the ISA ones */
static int assignment_count;
static u8 bus_kind[256];
static bool found;

static u8 sum(const void *at, u32 length)
{
	const u8 *b = at;
	u8 total = 0;

	while (length-- > 0)
		total += *b++;
	return total;
}

static const struct mp_pointer *search(u32 from, u32 length)
{
	for (u32 at = from; at + sizeof(struct mp_pointer) <= from + length; at += 16)
		if (memcmp((const void *)at, "_MP_", 4) == 0 && sum((const void *)at, sizeof(struct mp_pointer)) == 0)
			return (const void *)at;
	return NULL;
}

static void read_entries(const u8 *entry, u32 count)
{
	while (count-- > 0) {
		if (entry[0] == MP_BUS) {
			if (memcmp(entry + 2, "PCI", 3) == 0)
				bus_kind[entry[1]] = BUS_PCI;
			else if (memcmp(entry + 2, "ISA", 3) == 0)
				bus_kind[entry[1]] = BUS_ISA;
		} else if (entry[0] == MP_INTERRUPT && entry[1] == 0 && assignment_count < (int)COUNT(assignments)) {
			assignments[assignment_count++] =
				(struct assignment){entry[4], entry[5], entry[7], (u16)(entry[2] | entry[3] << 8)};
		}
		entry += entry[0] == MP_PROCESSOR ? 20 : 8;
	}
}

/* Looked for where the specification says: the extended BIOS data area, the end of base memory, the BIOS itself. */
bool mp_find(void)
{
	/* BIOS data area: segment of the extended area at 0x40e, KiB of base memory at 0x413 */
	u32 extended = (u32) * (volatile u16 *)0x40e << 4;
	u32 base_end = (u32)(*(volatile u8 *)0x413 | *(volatile u8 *)0x414 << 8) << 10;
	const struct mp_pointer *pointer = NULL;

	if (extended >= 0x80000 && extended < 0xa0000)
		pointer = search(extended, 1024);
	if (pointer == NULL && base_end >= 0x80000 && base_end <= 0xa0000)
		pointer = search(base_end - 1024, 1024);
	if (pointer == NULL)
		pointer = search(0xf0000, 0x10000);
	if (pointer == NULL || pointer->table == 0)
		return false;

	const struct mp_table *table = (const void *)pointer->table;
	if (memcmp(table->signature, "PCMP", 4) != 0 || sum(table, table->length) != 0)
		return false;
	read_entries((const u8 *)(table + 1), table->entries);
	/* The interrupt mode configuration register, where there is one, still routes the 8259s past the APIC. */
	if (pointer->features[1] & 0x80) {
		out8(0x22, 0x70);
		out8(0x23, 1);
	}
	found = true;
	return true;
}

bool mp_present(void)
{
	return found;
}

static int lookup(u8 kind, u8 source, bool *level, bool *low)
{
	for (int i = 0; i < assignment_count; i++) {
		const struct assignment *a = &assignments[i];
		if (bus_kind[a->bus] != kind || a->source != source)
			continue;
		*low = (a->flags & 3) == 0 ? kind == BUS_PCI : (a->flags & 3) == 3;
		*level = (a->flags >> 2 & 3) == 0 ? kind == BUS_PCI : (a->flags >> 2 & 3) == 3;
		return a->pin;
	}
	return -1;
}

int mp_isa_pin(u32 irq, bool *level, bool *low)
{
	return lookup(BUS_ISA, (u8)irq, level, low);
}

int mp_pci_pin(u32 device, u32 pin, bool *level, bool *low)
{
	return lookup(BUS_PCI, (u8)(device << 2 | pin), level, low);
}
