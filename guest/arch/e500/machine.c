#include "arch.h"
#include "e500.h"
#include "string.h"

/* The board as the rest of the kernel asks for it (arch.h). */
enum { GUTS_RESET_CONTROL = 0xb0, RESET_REQUEST = 2 };
enum { GPIO_DIRECTION = 0, GPIO_DATA = 8 };
enum { TCR_DECREMENTER = 1 << 26, TSR_DECREMENTER = 1 << 27, HID0_TIMEBASE = 1 << 14 };

/* The ports that this machine has not. */
const struct region_ops region_ports = {"ports", NULL, NULL};

static bool timer_tick(void *arg)
{
	(void)arg;
	return true;
}

void arch_init(void)
{
	tlb_init();
	mtspr(SPR_HID0, mfspr(SPR_HID0) | HID0_TIMEBASE);
	mpic_init();
	pci_host_init();
	irq_register(IRQ_TIMER, "timer", timer_tick, NULL);
	arch_timer_disarm();
	__asm__ volatile("wrteei 1");
}

void arch_print(void)
{
	kprintf("interrupts: MPIC; timer: decrementer at %u Hz\n", TIMEBASE_HZ);
	kprintf("paging: TLB1, %u entries; TLB0, %u entries\n", mfspr(SPR_TLB1CFG) & 0xfff, mfspr(SPR_TLB0CFG) & 0xfff);
}

u32 arch_ticks_per_10ms(void)
{
	return TIMEBASE_HZ / 100;
}

/* The status bit may be old, and must not be cleared once the new count can run out. */
void arch_timer_arm(u64 ticks)
{
	mtspr(SPR_DEC, 0x7fffffff);
	mtspr(SPR_TSR, TSR_DECREMENTER);
	mtspr(SPR_DEC, ticks >= 0x7fffffff ? 0x7fffffff : low_half(ticks) + 1);
	mtspr(SPR_TCR, TCR_DECREMENTER);
}

void arch_timer_disarm(void)
{
	mtspr(SPR_TCR, 0);
	mtspr(SPR_TSR, TSR_DECREMENTER);
}

struct region arch_console_region(void)
{
	return region_at_memory(CCSR_BASE + UART0_OFFSET, 8);
}

void arch_exit(u32 status)
{
	ccsr_write(EXIT_OFFSET, status);
}

/* The first pin of the GPIO block, driven from low to high. */
void arch_poweroff(void)
{
	ccsr_write(GPIO_OFFSET + GPIO_DATA, 0);
	ccsr_write(GPIO_OFFSET + GPIO_DIRECTION, GPIO_POWEROFF_MASK);
	ccsr_write(GPIO_OFFSET + GPIO_DATA, GPIO_POWEROFF_MASK);
	irq_save();
	for (;;)
		cpu_relax();
}

void arch_reboot(void)
{
	ccsr_write(GUTS_OFFSET + GUTS_RESET_CONTROL, RESET_REQUEST);
	irq_save();
	for (;;)
		cpu_relax();
}

/* QEMU's ppce500 has no fw_cfg. */
bool arch_is_qemu(void)
{
	char signature[4];

	*(volatile u16 *)(EA_CCSR + FWCFG_OFFSET + 8) = 0;
	device_barrier();
	for (u32 i = 0; i < 4; i++) {
		signature[i] = *(volatile char *)(EA_CCSR + FWCFG_OFFSET);
		device_barrier();
	}
	return memcmp(signature, "QEMU", 4) != 0;
}

/* Nothing is mapped there. */
void arch_fault(void)
{
	*(volatile u32 *)0xa0000000 = 0;
}
