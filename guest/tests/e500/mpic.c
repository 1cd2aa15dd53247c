#include "layout-ppce500.h"
#include "tests.h"

/* The interrupt controller: Open PIC 1.2 as the MPC8544E has it. Everything is done with interrupts off; a run with EE set takes what waits. */

enum {
	FRR = 0x1000, GCR = 0x1020, VIR = 0x1080, IPI = 0x10a0, SPURIOUS = 0x10e0, TFRR = 0x10f0, TIMER = 0x1100,
	MSIR = 0x1600, MSISR = 0x1720, MSIIR = 0x1740, SOURCE = 0x10000, DISPATCH = 0x20040, CTPR = 0x20080, WHOAMI = 0x20090,
	IACK = 0x200a0, EOI = 0x200b0,
	VECTOR = 0, DESTINATION = 0x10,
	MSI_SOURCE = 224,
};
#define MASK 0x80000000u
#define ACTIVE 0x40000000u
#define PRIORITY(n) ((u32)(n) << 16)

CODE_OF(mpic_nop, "nop\n" STOP);

static u32 get(u32 offset) { return ccsr(MPIC_OFFSET + offset); }
static void set(u32 offset, u32 v) { set_ccsr(MPIC_OFFSET + offset, v); }
static bool interrupts(void) { return run_code(mpic_nop, MSR_EE) == EXTERNAL; }
static void end(void) { set(EOI, 0); }

static void message(u32 number, u32 bit) { set(MSIIR, number << 29 | bit << 24); }
static u32 source_of(u32 number) { return SOURCE + (MSI_SOURCE + number) * 0x20; }
static void open(u32 number, u32 vector_, u32 priority)
{
	set(source_of(number) + DESTINATION, 1);
	set(source_of(number), PRIORITY(priority) | vector_);
}

static void reset(void)
{
	set(GCR, 0x80000000);
	for (u32 k = 0; k < 100000 && (get(GCR) & 0x80000000) != 0; k++)
		;
	set(GCR, 0x20000000);
	set(CTPR, 0);
}

static void registers(void)
{
	check((get(FRR) & 0xff) == 2, "FRR: Open PIC 1.2");
	check((get(GCR) & 0x80000000) == 0, "GCR[RST] clears itself");
	check(get(WHOAMI) == 0, "WHOAMI: processor 0");
	check((get(SOURCE) & MASK) != 0, "a source is masked after reset");
	set(CTPR, 0xff);
	check(get(CTPR) == 15, "CTPR has four bits");
	set(CTPR, 0);
	set(SPURIOUS, 0x1234);
	check(get(IACK) == 0x1234, "IACK with nothing there gives the spurious vector");
	set(SPURIOUS, 0xffff);
}

static void messages(void)
{
	open(0, 0x55, 8);
	check(!interrupts(), "nothing: no interrupt");
	message(0, 3);
	check(run_code(mpic_nop, 0) == SYSTEM_CALL, "a message with MSR[EE] clear waits");
	check(interrupts() && context.srr.pc == (u32)mpic_nop, "with EE: external interrupt");
	check(get(IACK) == 0x55, "IACK gives the source's vector");
	check((get(source_of(0)) & ACTIVE) != 0, "the source is active");
	check(!interrupts(), "it does not interrupt again");
	check(get(MSIR) == 1u << 3, "MSIR has the message's bit");
	check(get(MSIR) == 0, "and reading cleared it");
	end();
	check((get(source_of(0)) & ACTIVE) == 0, "not active behind its end");
	check(!interrupts(), "and over");
	message(0, 0);
	message(0, 31);
	get(IACK);
	check(get(MSIR) == 0x80000001, "two messages of one register come together");
	end();
	set(source_of(0), MASK | PRIORITY(8) | 0x55);
	message(0, 1);
	check(!interrupts(), "a masked source is held back");
	open(0, 0x55, 8);
	check(interrupts() && get(IACK) == 0x55, "until it is not");
	get(MSIR);
	end();
	message(7, 30);
	check(get(MSIR + 0x70) == 1u << 30, "MSIIR[SRS] chooses the register");
	open(7, 0x99, 8);
	end();
	reset();
}

static void priorities(void)
{
	open(1, 0x61, 4);
	open(2, 0x62, 9);
	open(3, 0x63, 0);
	message(1, 0);
	message(2, 0);
	message(3, 0);
	check(get(IACK) == 0x62, "the higher priority comes first");
	check(!interrupts(), "the lower one waits for its end");
	get(MSIR + 0x20);
	end();
	check(interrupts() && get(IACK) == 0x61, "then it comes");
	open(4, 0x64, 12);
	message(4, 0);
	check(interrupts() && get(IACK) == 0x64, "a higher one comes in the middle of it");
	get(MSIR + 0x40);
	end();
	check(!interrupts(), "its end returns to the lower one, which is in service");
	get(MSIR + 0x10);
	end();
	check_not_tcg(!interrupts(), "priority 0 never interrupts");
	get(MSIR + 0x30);
	set(CTPR, 9);
	message(2, 0);
	check(!interrupts(), "nor what is not above CTPR");
	set(CTPR, 8);
	check(interrupts() && get(IACK) == 0x62, "but what is");
	get(MSIR + 0x20);
	end();
	reset();
}

static void own_interrupts(void)
{
	set(IPI, PRIORITY(5) | 0x70);
	set(DISPATCH, 1);
	check(interrupts() && get(IACK) == 0x70, "IPI 0 to oneself");
	end();
	check(!interrupts(), "once");
	set(IPI + 0x10, PRIORITY(5) | 0x71);
	set(DISPATCH + 0x10, 2);
	check(!interrupts(), "IPI 1 to a processor that is not there");
	set(DISPATCH + 0x10, 1);
	check(interrupts() && get(IACK) == 0x71, "IPI 1");
	end();
	set(IPI, MASK | PRIORITY(5) | 0x70);
	reset();
}

static void timers(void)
{
	u32 base = TIMER;

	check(get(base + 0x10) == 0x80000000, "a timer is inhibited after reset");
	set(base + 0x20, PRIORITY(6) | 0x80);
	set(base + 0x30, 1);
	set(base + 0x10, 2000);
	bool came = false;
	for (u32 k = 0; k < 200000 && !came; k++)
		came = interrupts();
	check(came && get(IACK) == 0x80, "timer 0 interrupts when its count is over");
	end();
	u32 toggled = get(base) & 0x80000000;
	came = false;
	for (u32 k = 0; k < 200000 && !came; k++)
		came = interrupts();
	check(came && get(IACK) == 0x80, "and again");
	check((get(base) & 0x80000000) != toggled, "its toggle bit changes each time");
	set(base + 0x10, 0x80000000 | 2000);
	end();
	get(IACK);
	end();
	reset();
}

static void proxy(void)
{
	set(GCR, 0x60000000);
	open(0, 0x5a, 8);
	message(0, 0);
	check(interrupts() && context.epr == 0x5a, "proxy mode: the interrupt brings its vector in EPR");
	check(mfspr(EPR) == 0x5a, "where mfspr finds it");
	check(!interrupts(), "and is acknowledged by that");
	get(MSIR);
	end();
	check(!interrupts(), "its end is as ever");
	reset();
}

static void critical(void)
{
	set(source_of(0) + DESTINATION, 0x40000001); /* CRIT0 */
	set(source_of(0), PRIORITY(8) | 0x44);
	message(0, 0);
	check_not_tcg(run_code(mpic_nop, MSR_EE) == SYSTEM_CALL, "a source for the critical input: no matter of EE");
	run_code(mpic_nop, MSR_CE);
	check_not_tcg(context.vector == CRITICAL && context.csrr.pc == (u32)mpic_nop, "but of CE: critical input interrupt");
	get(MSIR);
	check(run_code(mpic_nop, MSR_CE) == SYSTEM_CALL, "until the source falls");
	reset();
}

void mpic_tests(void)
{
	reset();
	registers();
	messages();
	priorities();
	own_interrupts();
	timers();
	proxy();
	critical();
}
