#include "arch.h"
#include "pci.h"
#include "string.h"
#include "x86.h"

/* The board as the rest of the kernel asks for it (arch.h). */

static int next_message = VECTOR_MESSAGE;

/* An ISA interrupt: by the IO-APIC as the table routes it, else by the 8259. */
int line_open_isa(u32 irq)
{
	bool level = false, low = false;
	int pin = mp_isa_pin(irq, &level, &low);

	if (mp_present() && pin >= 0) {
		ioapic_open((u32)pin, level, low);
		return VECTOR_IOAPIC + pin;
	}
	i8259_open(irq, false);
	return VECTOR_I8259 + (int)irq;
}

int arch_console_irq(void)
{
	return line_open_isa(UART0_IRQ);
}

/* Without a table the firmware has left in the line register which 8259 input the router leads to (PCI 3.0 section 6.2.4). */
int arch_pci_irq(u32 device, u32 pin, u32 line_register)
{
	bool level = true, low = true;
	int ioapic_pin = mp_pci_pin(device, pin - 1, &level, &low);

	if (mp_present() && ioapic_pin >= 0) {
		ioapic_open((u32)ioapic_pin, level, low);
		return VECTOR_IOAPIC + ioapic_pin;
	}
	if (mp_present() || line_register == 0 || line_register > 15)
		return -1;
	i8259_open(line_register, true);
	return VECTOR_I8259 + (int)line_register;
}

/* A message is a write to the local APIC's range: fixed delivery, edge (Intel SDM vol. 3 section 10.11). */
int arch_message(u64 *address, u32 *data)
{
	if (next_message == VECTOR_MESSAGE_END)
		return -1;
	*address = LAPIC_BASE | lapic_id() << 12;
	*data = (u32)next_message;
	return next_message++;
}

bool arch_is_message(int irq)
{
	return irq >= VECTOR_MESSAGE && irq < VECTOR_MESSAGE_END;
}

void arch_init(void)
{
	paging_init();
	i8259_init();
	lapic_init(!mp_present());
	ioapic_init();
	lapic_calibrate();
	__asm__ volatile("sti");
}

void arch_print(void)
{
	kprintf("interrupts: %s, %u pins; timer: local APIC, calibrated by the 8254\n",
	        mp_present() ? "IO-APIC by the MP table" : "8259 (no MP table)", ioapic_pins());
	kprintf("paging: identity, %s pages\n", paging_large() ? "4 MiB" : "4 KiB");
}

u32 arch_pci_read(u32 function, u32 offset, u32 width)
{
	u32 flags = irq_save();
	u32 value;

	out32(PCI_CONFIG_ADDRESS_PORT, 0x80000000 | function << 8 | (offset & 0xfc));
	if (width == 1)
		value = in8((u16)(PCI_CONFIG_DATA_PORT + (offset & 3)));
	else if (width == 2)
		value = in16((u16)(PCI_CONFIG_DATA_PORT + (offset & 2)));
	else
		value = in32(PCI_CONFIG_DATA_PORT);
	irq_restore(flags);
	return value;
}

void arch_pci_write(u32 function, u32 offset, u32 width, u32 value)
{
	u32 flags = irq_save();

	out32(PCI_CONFIG_ADDRESS_PORT, 0x80000000 | function << 8 | (offset & 0xfc));
	if (width == 1)
		out8((u16)(PCI_CONFIG_DATA_PORT + (offset & 3)), (u8)value);
	else if (width == 2)
		out16((u16)(PCI_CONFIG_DATA_PORT + (offset & 2)), (u16)value);
	else
		out32(PCI_CONFIG_DATA_PORT, value);
	irq_restore(flags);
}

bool arch_pci_ports(void) { return true; }
u64 arch_pci_memory(u64 bus_address) { return bus_address; }
u64 arch_pci_io(u32 bus_address) { return bus_address; }

void arch_exit(u32 status)
{
	out8(EXIT_PORT, (u8)status);
}

void arch_poweroff(void)
{
	out16(PM1A_CONTROL_PORT, PM1A_S5_VALUE);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The reset control register first, then the keyboard controller's pulse on the reset line. */
void arch_reboot(void)
{
	out8(RESET_PORT, 6);
	out8(I8042_PORT, 0xfe);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The hypervisor leaf's signature, twelve bytes in EBX, ECX and EDX. */
bool arch_is_qemu(void)
{
	u32 leaf = 0x40000000, text[4];

	__asm__ volatile("cpuid" : "+a"(leaf), "=b"(text[0]), "=c"(text[1]), "=d"(text[2]));
	return memcmp(text, "TCGTCGTCGTCG", 12) == 0;
}

void arch_fault(void)
{
	*(volatile u32 *)16 = 0; /* page 0 is absent */
}

struct region arch_console_region(void)
{
	return region_at_port(UART0_PORT, 8);
}
