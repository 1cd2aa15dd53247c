#include "x86.h"

/*
 * The two 8259s. With an IO-APIC they stay masked; without a table which says how the IO-APIC is wired they serve
 * through the local APIC's LINT0.
 */
static u16 closed = 0xffff;

static void write_masks(void)
{
	out8(I8259_MASTER_PORT + 1, (u8)closed);
	out8(I8259_SLAVE_PORT + 1, (u8)(closed >> 8));
}

/* ICW1-ICW4 in the datasheet's order: edge, cascade; vector base; cascade line; 8086 mode. */
void i8259_init(void)
{
	out8(I8259_MASTER_PORT, 0x11);
	out8(I8259_SLAVE_PORT, 0x11);
	out8(I8259_MASTER_PORT + 1, VECTOR_I8259);
	out8(I8259_SLAVE_PORT + 1, VECTOR_I8259 + 8);
	out8(I8259_MASTER_PORT + 1, 1 << I8259_CASCADE_IRQ);
	out8(I8259_SLAVE_PORT + 1, I8259_CASCADE_IRQ);
	out8(I8259_MASTER_PORT + 1, 1);
	out8(I8259_SLAVE_PORT + 1, 1);
	write_masks();
}

void i8259_open(u32 line, bool level)
{
	if (level) {
		u16 port = (u16)(ELCR_PORT + line / 8);
		out8(port, (u8)(in8(port) | 1 << (line % 8)));
	}
	closed &= (u16) ~(1 << line);
	if (line >= 8)
		closed &= (u16) ~(1 << I8259_CASCADE_IRQ);
	write_masks();
}

/* Lines 7 and 15 also stand for "it went away": then the in-service bit is not set (OCW3 reads it). */
bool i8259_spurious(u32 line)
{
	u16 port = line < 8 ? I8259_MASTER_PORT : I8259_SLAVE_PORT;

	if (line != 7 && line != 15)
		return false;
	out8(port, 0x0b);
	if (in8(port) & 0x80)
		return false;
	if (line == 15)
		out8(I8259_MASTER_PORT, 0x20); /* the first one did see a real interrupt, from the second */
	return true;
}

void i8259_end(u32 line)
{
	if (line >= 8)
		out8(I8259_SLAVE_PORT, 0x20);
	out8(I8259_MASTER_PORT, 0x20);
}
