#include "arch.h"
#include "e500.h"

/*
 * The interrupt controller (Open PIC register interface 1.2, with Freescale's message registers). A source's vector is its
 * own number. Messages land in one of eight registers of 32 bits, which have a source each.
 */
enum {
	MPIC_GLOBAL = 0x1020,
	MPIC_MESSAGE_READ = 0x1600,
	MPIC_SOURCE = 0x10000,
	MPIC_PRIORITY = 0x20080,
	MPIC_ACKNOWLEDGE = 0x200a0,
	MPIC_END = 0x200b0,

	GLOBAL_RESET = 1u << 31,
	GLOBAL_MIXED = 1 << 29, /* not the pass-through of an 8259 */
	SOURCE_LEVEL = 1 << 22,
	SOURCE_HIGH = 1 << 23,
	SOURCE_PRIORITY = 8 << 16,
	DESTINATION_CPU0 = 1,
	SPURIOUS = 0xffff,

	MESSAGE_SOURCE = 224,
	MESSAGE_REGISTERS = 8,
};

static u32 read(u32 offset) { return ccsr_read(MPIC_OFFSET + offset); }
static void write(u32 offset, u32 value) { ccsr_write(MPIC_OFFSET + offset, value); }

void mpic_init(void)
{
	write(MPIC_GLOBAL, GLOBAL_RESET);
	while (read(MPIC_GLOBAL) & GLOBAL_RESET)
		;
	write(MPIC_GLOBAL, GLOBAL_MIXED);
	write(MPIC_PRIORITY, 0);
}

void mpic_open(u32 source, bool level, bool high)
{
	u32 at = MPIC_SOURCE + source * 0x20;

	write(at + 0x10, DESTINATION_CPU0);
	write(at, (level ? SOURCE_LEVEL : 0) | (high ? SOURCE_HIGH : 0) | SOURCE_PRIORITY | source);
}

/* Reading a message register clears it; each bit in it is one message. */
static void dispatch_messages(u32 number)
{
	for (u32 bits = read(MPIC_MESSAGE_READ + number * 0x10), i = 0; bits != 0; bits >>= 1, i++)
		if (bits & 1 && i * MESSAGE_REGISTERS + number < IRQ_MESSAGES)
			irq_dispatch((int)(IRQ_MESSAGE + i * MESSAGE_REGISTERS + number));
}

void mpic_dispatch(void)
{
	u32 source = read(MPIC_ACKNOWLEDGE);

	if (source >= 256) /* SPURIOUS: it went away, and wants no end */
		return;
	if (source >= MESSAGE_SOURCE && source < MESSAGE_SOURCE + MESSAGE_REGISTERS)
		dispatch_messages(source - MESSAGE_SOURCE);
	else
		irq_dispatch((int)source);
	write(MPIC_END, 0);
}

/*
 * The device writes its data little-endian to a big-endian register: what is to arrive in the top byte must be in the data's
 * lowest one. There, three bits choose the register and five the bit. Messages go to different registers first.
 */
int arch_message(u64 *address, u32 *data)
{
	static u32 next;
	u32 number = next % MESSAGE_REGISTERS, bit = next / MESSAGE_REGISTERS;

	if (next == IRQ_MESSAGES)
		return -1;
	if (bit == 0)
		mpic_open(MESSAGE_SOURCE + number, false, true);
	*address = PCICSRBAR_BASE + MPIC_MSIIR_OFFSET;
	*data = number << 5 | bit;
	return (int)(IRQ_MESSAGE + next++);
}

bool arch_is_message(int irq)
{
	return irq >= IRQ_MESSAGE && irq < IRQ_MESSAGE + IRQ_MESSAGES;
}

int arch_console_irq(void)
{
	mpic_open(UART0_IRQ, true, true);
	return UART0_IRQ;
}

/* The board's wiring: pin A of slot 0 to the first input, each slot and each pin one further. */
int arch_pci_irq(u32 device, u32 pin, u32 line_register)
{
	u32 source = PCI_INTX_IRQ_BASE + ((device + pin - 1) & 3);

	(void)line_register;
	mpic_open(source, true, false);
	return (int)source;
}
