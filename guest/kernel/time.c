#include "arch.h"
#include "kernel.h"

/* There is no tick: the alarm is set only while somebody waits with a time-out, so that an idle machine sleeps. */

bool wait_until(bool (*done)(void *arg), void *arg, u32 timeout_us)
{
	u32 flags = irq_save();
	u64 deadline = cpu_ticks() + (u64)timeout_us * arch_ticks_per_10ms() / 10000 + 1;
	bool ok;

	while (!(ok = done(arg))) {
		u64 now = cpu_ticks();
		if (now >= deadline)
			break;
		arch_timer_arm(deadline - now);
		cpu_wait();
	}
	arch_timer_disarm();
	irq_restore(flags);
	return ok;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

void sleep_us(u32 us)
{
	wait_until(never, NULL, us);
}

u32 ticks_to_us(u64 ticks)
{
	return (u32)(ticks * 10000 / arch_ticks_per_10ms());
}
