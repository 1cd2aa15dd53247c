#include "arch.h"
#include "x86.h"

/* The local APIC (Intel SDM vol. 3 chapter 10): it takes every interrupt, and its timer is the kernel's alarm. */
enum { LVT_MASKED = 1 << 16, LVT_EXTINT = 7 << 8, LVT_NMI = 4 << 8, SPURIOUS_ENABLE = 1 << 8 };

static volatile u32 *lapic;
static u32 timer_per_10ms, ticks_per_10ms;

u32 lapic_read(u32 offset) { return lapic[offset / 4]; }
void lapic_write(u32 offset, u32 value) { lapic[offset / 4] = value; }
void lapic_end(void) { lapic_write(LAPIC_EOI, 0); }
u32 lapic_id(void) { return lapic_read(LAPIC_ID) >> 24; }
u32 arch_ticks_per_10ms(void) { return ticks_per_10ms; }

void lapic_init(bool i8259_through)
{
	lapic = arch_map_device(LAPIC_BASE, PAGE_SIZE);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LVT_LINT0, i8259_through ? LVT_EXTINT : LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
	lapic_write(LAPIC_TIMER_DIVIDE, 0x3); /* by 16 */
}

static volatile bool calibrated;

static bool calibration_tick(void *arg)
{
	(void)arg;
	calibrated = true;
	return true;
}

static bool timer_tick(void *arg)
{
	(void)arg;
	return true;
}

/* Sleeps through 10 ms of the 8254 and looks how far the time-stamp counter and the timer have come. */
void lapic_calibrate(void)
{
	int irq = line_open_isa(I8254_IRQ);
	u64 start;

	irq_register(irq, "i8254", calibration_tick, NULL);
	irq_register(VECTOR_TIMER, "timer", timer_tick, NULL);
	lapic_write(LAPIC_TIMER_INITIAL, 0xffffffff);
	i8254_one_shot(10000);
	calibrated = false;
	start = cpu_ticks();
	u32 count = lapic_read(LAPIC_TIMER_CURRENT);
	while (!calibrated)
		cpu_wait();
	timer_per_10ms = count - lapic_read(LAPIC_TIMER_CURRENT);
	ticks_per_10ms = (u32)(cpu_ticks() - start);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	irq_unregister(irq, calibration_tick, NULL);
	if (timer_per_10ms == 0 || ticks_per_10ms == 0)
		panic("the local APIC timer does not count");
}

void arch_timer_arm(u64 ticks)
{
	u64 count = ticks * timer_per_10ms / ticks_per_10ms + 1;

	lapic_write(LAPIC_TIMER_INITIAL, high_half(count) ? 0xffffffff : low_half(count));
}

void arch_timer_disarm(void)
{
	lapic_write(LAPIC_TIMER_INITIAL, 0);
}
