#ifndef ARCH_H
#define ARCH_H

#include "cpu.h" /* of the architecture: irq_save, irq_restore, cpu_wait, cpu_ticks, memory_barrier, IRQ_COUNT */
#include "region.h"
#include "types.h"

/* What each architecture provides. kernel/ and drivers/ know no more of the machine than this. */

/* Paging, interrupt controller and timer, in that order; interrupts are on when it returns. */
void arch_init(void);
void arch_print(void);

/* Makes a device's registers readable and writable, uncached; NULL if they are out of reach. */
void *arch_map_device(u64 physical, u32 size);

/* Configuration space (PCI 3.0 section 3.2.2.3); function is bus << 8 | device << 3 | function. Values are in CPU order. */
u32 arch_pci_read(u32 function, u32 offset, u32 width);
void arch_pci_write(u32 function, u32 offset, u32 width, u32 value);

/* Where a bus address of either space is on the processor's side, as a physical address or as a port; 0 where no window leads there. */
bool arch_pci_ports(void);
u64 arch_pci_memory(u64 bus_address);
u64 arch_pci_io(u32 bus_address);

/* The interrupt of a device's INTx pin (1 = A), open and level-triggered; -1 if it leads nowhere. */
int arch_pci_irq(u32 device, u32 pin, u32 line_register);
/* A fresh message: its interrupt number and what the device has to write where; -1 if none is left. */
int arch_message(u64 *address, u32 *data);
bool arch_is_message(int irq);
int arch_console_irq(void);
struct region arch_console_region(void); /* of the 16550; callable before arch_init */

/* One alarm, in ticks from now; it does no more than to end a cpu_wait. */
void arch_timer_arm(u64 ticks);
void arch_timer_disarm(void);
u32 arch_ticks_per_10ms(void);

void arch_exit(u32 status);
void arch_poweroff(void) __attribute__((noreturn));
void arch_reboot(void) __attribute__((noreturn));

/* QEMU is where this kernel is tried as well; a check that QEMU is known not to pass is skipped there and only there. */
bool arch_is_qemu(void);

/* Faults on purpose, for the shell: does not return unless caught. */
void arch_fault(void);

/* Saved registers for trap_catch: save returns 0 first and 1 when resumed. */
struct cpu_context;
int context_save(struct cpu_context *context) __attribute__((returns_twice));
void context_resume(struct cpu_context *context) __attribute__((noreturn));

#endif
