#include "arch.h"
#include "selftest.h"
#include "string.h"
#include "x86.h"

/* P6 instructions that compilers seldom use, and the chips of the board. */

static const char *p6_instructions(void)
{
	u32 a = 0x01020304, b, c = 5;
	u64 wide = 0x100000002ull;
	u8 equal;

	__asm__("bswap %0" : "+r"(a));
	EXPECT("BSWAP", a, 0x04030201);
	a = 7;
	__asm__("lock; xaddl %0, %1" : "+r"(c), "+m"(a) : : "cc");
	EXPECT("XADD sum", a, 12);
	EXPECT("XADD old value", c, 7);
	__asm__("lock; cmpxchg8b %0; setz %1" : "+m"(wide), "=q"(equal) : "a"(2), "d"(1), "b"(9), "c"(8) : "cc");
	EXPECT("CMPXCHG8B equal", equal, 1);
	EXPECT("CMPXCHG8B", wide, 0x800000009ull);
	__asm__("shldl $8, %2, %0" : "=r"(b) : "0"(0x11223344), "r"(0xaabbccdd) : "cc");
	EXPECT("SHLD", b, 0x223344aa);
	__asm__("bsrl %1, %0" : "=r"(b) : "r"(0x00400001) : "cc");
	EXPECT("BSR", b, 22);
	a = 0;
	__asm__("btsl %1, %0" : "+m"(a) : "r"(9) : "cc");
	EXPECT("BTS", a, 0x200);
	__asm__("cmpl $3, %1; cmovg %2, %0" : "=r"(b) : "r"(4), "r"(11), "0"(10) : "cc");
	EXPECT("CMOVG", b, 11);
	__asm__("movb $0x79, %%al; addb $0x35, %%al; daa; movzbl %%al, %0" : "=a"(b) : : "cc");
	EXPECT("DAA of 79 + 35", b, 0x14);
	return NULL;
}

static u32 taken[2], order[4], orders;

static bool low_interrupt(void *arg)
{
	(void)arg;
	taken[0]++;
	order[orders++ & 3] = 0;
	return true;
}

static bool high_interrupt(void *arg)
{
	(void)arg;
	taken[1]++;
	order[orders++ & 3] = 1;
	return true;
}

/* Interrupt command register, destination shorthand "self" (Intel SDM vol. 3 section 10.6.1). */
static void send_self(u32 vector)
{
	lapic_write(LAPIC_ICR, 1 << 18 | 1 << 14 | vector);
}

static void listen(void)
{
	taken[0] = taken[1] = orders = 0;
	irq_register(VECTOR_SELF, "self", low_interrupt, NULL);
	irq_register(VECTOR_SELF_HIGH, "self", high_interrupt, NULL);
}

static void unlisten(void)
{
	irq_unregister(VECTOR_SELF, low_interrupt, NULL);
	irq_unregister(VECTOR_SELF_HIGH, high_interrupt, NULL);
}

static const char *self_interrupt(void)
{
	u32 flags = irq_save(), requested;

	listen();
	send_self(VECTOR_SELF);
	requested = lapic_read(LAPIC_IRR + (VECTOR_SELF / 32) * 0x10) >> (VECTOR_SELF % 32) & 1;
	irq_restore(flags);
	cpu_relax();
	unlisten();
	EXPECT("request bit while interrupts are off", requested, 1);
	EXPECT("interrupts", taken[0], 1);
	return NULL;
}

/* Both wait; the higher vector is served first (section 10.8.3). */
static const char *priorities(void)
{
	u32 flags = irq_save();

	listen();
	send_self(VECTOR_SELF);
	send_self(VECTOR_SELF_HIGH);
	irq_restore(flags);
	cpu_relax();
	unlisten();
	EXPECT("interrupts", orders, 2);
	EXPECT("first", order[0], 1);
	EXPECT("second", order[1], 0);
	return NULL;
}

static const char *task_priority(void)
{
	u32 held;

	listen();
	lapic_write(LAPIC_TPR, 0xe0);
	send_self(VECTOR_SELF);
	send_self(VECTOR_SELF_HIGH);
	cpu_relax();
	held = taken[0];
	lapic_write(LAPIC_TPR, 0);
	cpu_relax();
	unlisten();
	EXPECT("class 14 while the priority is 14", held, 0);
	EXPECT("class 15", taken[1], 1);
	EXPECT("class 14 afterwards", taken[0], 1);
	return NULL;
}

static u32 timer_ticks;

static bool count_timer(void *arg)
{
	(void)arg;
	timer_ticks++;
	return true;
}

static bool three_ticks(void *arg)
{
	(void)arg;
	return timer_ticks >= 3;
}

static const char *periodic_timer(void)
{
	u32 flags = irq_save();

	timer_ticks = 0;
	irq_register(VECTOR_TIMER, "periodic", count_timer, NULL);
	lapic_write(LAPIC_LVT_TIMER, 1 << 17 | VECTOR_TIMER);
	lapic_write(LAPIC_TIMER_INITIAL, 20000);
	while (!three_ticks(NULL))
		cpu_wait();
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
	arch_timer_disarm();
	irq_unregister(VECTOR_TIMER, count_timer, NULL);
	irq_restore(flags);
	return lapic_read(LAPIC_TIMER_CURRENT) == 0 ? NULL : "it still counts after being stopped";
}

static const char *ioapic_registers(void)
{
	u32 pin = ioapic_pins() - 1, index = 0x10 + 2 * pin;
	u32 low = ioapic_read(index), high = ioapic_read(index + 1), got_low, got_high;

	ioapic_write(index + 1, 0x0f000000);
	ioapic_write(index, 1 << 16 | 1 << 15 | 0x7e);
	got_low = ioapic_read(index);
	got_high = ioapic_read(index + 1);
	ioapic_write(index + 1, high);
	ioapic_write(index, low);
	EXPECT("pins", ioapic_pins(), 24);
	EXPECT("low half", got_low, 1 << 16 | 1 << 15 | 0x7e);
	EXPECT("destination", got_high >> 24, 0x0f);
	return NULL;
}

static const char *i8259_mask(void)
{
	u8 before = in8(I8259_SLAVE_PORT + 1), odd, even;

	out8(I8259_SLAVE_PORT + 1, 0xfd);
	odd = in8(I8259_SLAVE_PORT + 1);
	out8(I8259_SLAVE_PORT + 1, 0xfe);
	even = in8(I8259_SLAVE_PORT + 1);
	out8(I8259_SLAVE_PORT + 1, before);
	EXPECT("mask", odd, 0xfd);
	EXPECT("mask", even, 0xfe);
	return NULL;
}

static u8 rtc(u8 index)
{
	out8(MC146818_PORT, index);
	return in8(MC146818_PORT + 1);
}

/* Register D bit 7: time and RAM are valid; B bit 2 clear: digits are decimal. */
static const char *rtc_valid(void)
{
	u8 seconds = rtc(0), month = rtc(8);

	EXPECT("valid", rtc(13) >> 7, 1);
	if (rtc(11) & 4)
		return NULL;
	if ((seconds & 15) > 9 || seconds > 0x59 || (month & 15) > 9 || month == 0 || month > 0x12)
		return failure("seconds %x, month %x", seconds, month);
	return NULL;
}

static const char *fwcfg_signature(void)
{
	char signature[5] = "";

	out16(FWCFG_PORT, 0);
	for (int i = 0; i < 4; i++)
		signature[i] = (char)in8(FWCFG_PORT + 1);
	return strcmp(signature, "QEMU") == 0 ? NULL : failure("it is \"%s\"", signature);
}

static const struct check checks[] = {
	{"BSWAP, XADD, CMPXCHG8B, SHLD, BSR, BTS, CMOV, DAA", p6_instructions},
	{"local APIC: an interrupt to oneself waits in the request register", self_interrupt},
	{"local APIC: the higher vector goes first", priorities},
	{"local APIC: the task priority holds back its class", task_priority},
	{"local APIC: the timer repeats by itself", periodic_timer},
	{"IO-APIC: 24 pins, redirection entries read back", ioapic_registers},
	{"8259: the mask reads back", i8259_mask},
	{"MC146818: the time is valid", rtc_valid},
	{"fw_cfg: the signature", fwcfg_signature},
};
static const struct check_list checks_machine = {checks, COUNT(checks)};

extern const struct check_list checks_traps, checks_user, checks_paging;
const struct check_list *const checks_arch[] = {&checks_traps, &checks_user, &checks_paging, &checks_machine, NULL};
