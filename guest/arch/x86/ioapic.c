#include "arch.h"
#include "x86.h"

/* The IO-APIC (82093AA datasheet): an index register, a data register, and 64 bits a pin behind them. */
enum { IOAPIC_VERSION = 1, IOAPIC_TABLE = 0x10 };
enum { REDIRECT_LOW = 1 << 13, REDIRECT_LEVEL = 1 << 15, REDIRECT_MASKED = 1 << 16 };

static volatile u32 *ioapic;

u32 ioapic_read(u32 index)
{
	ioapic[0] = index;
	return ioapic[4];
}

void ioapic_write(u32 index, u32 value)
{
	ioapic[0] = index;
	ioapic[4] = value;
}

u32 ioapic_pins(void)
{
	return min_u32((ioapic_read(IOAPIC_VERSION) >> 16 & 0xff) + 1, VECTOR_MESSAGE - VECTOR_IOAPIC);
}

void ioapic_init(void)
{
	ioapic = arch_map_device(IOAPIC_BASE, PAGE_SIZE);
	for (u32 pin = 0; pin < ioapic_pins(); pin++)
		ioapic_write(IOAPIC_TABLE + 2 * pin, REDIRECT_MASKED | (VECTOR_IOAPIC + pin));
}

/* Fixed delivery to this processor, physical destination. The half with the mask bit goes last. */
void ioapic_open(u32 pin, bool level, bool low)
{
	ioapic_write(IOAPIC_TABLE + 2 * pin + 1, lapic_id() << 24);
	ioapic_write(IOAPIC_TABLE + 2 * pin,
	             (VECTOR_IOAPIC + pin) | (level ? REDIRECT_LEVEL : 0) | (low ? REDIRECT_LOW : 0));
}
