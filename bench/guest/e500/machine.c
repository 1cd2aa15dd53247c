#include "kernel.h"
#include "layout-ppce500.h"

/* The ppce500 board: TLB1 for RAM and devices, TLB0 with a handler for the tests' pages, the UART, the time base. */
enum {
	SPR_PID = 48,
	SPR_IVPR = 63,
	SPR_SPRG3 = 275,
	SPR_IVOR0 = 400,
	SPR_MAS0 = 624,
	SPR_MAS1 = 625,
	SPR_MAS2 = 626,
	SPR_MAS3 = 627,
	SPR_MAS4 = 628,
	SPR_MAS6 = 630,
	SPR_MAS7 = 944,
	SPR_HID0 = 1008,

	HID0_TIMEBASE = 1 << 14,
	MSR_FP = 1 << 13,
	MSR_PR = 1 << 14,
	USER_MSR = 0x7000,

	MAS0_TLB1 = 1 << 28,
	MAS1_VALID = 1u << 31,
	MAS1_PROTECT = 1 << 30, /* from tlbivax */
	SIZE_4K = 1 << 8,       /* MAS1: 4 to this power KiB */
	SIZE_1M = 5 << 8,
	SIZE_64M = 8 << 8,
	INHIBITED_GUARDED = 8 | 2,
	EXECUTE = 0x30, /* MAS3, user and supervisor */
	WRITE = 0x0c,
	READ = 0x03,
	SUPERVISOR_WRITE = 0x04,
	SUPERVISOR_READ = 0x01,

	EPAPR_MAGIC = 0x45504150,
	TRAP_DATA_MISS = 13,
	TRAP_CALL = 8,
	UART_STATUS = 5,
	ROOM = 0x20,
	ALL_SENT = 0x40,
};

#define EA_CCSR 0xe0000000

struct frame {
	u32 gpr[32], pc, msr, cr, lr, ctr, xer, dear, vector;
};

extern u8 vectors[16][16];
void return_from_trap(void);
void stack_switch(u32 *save, u32 load);

/* The word for MAS3. */
const u32 page_flags = READ | WRITE;
const u32 *running_table = page_tables[0];

static u8 kernel_stacks[PROCESSES][8192] __attribute__((aligned(16)));
static u8 other_stack[4096] __attribute__((aligned(16)));
static u32 saved_stacks[PROCESSES];
static u64 ticks_at_start;

/* The number of a special-purpose register is part of the instruction. */
static inline __attribute__((always_inline)) void mtspr(const int spr, u32 value)
{
	__asm__ volatile("mtspr %0, %1" : : "n"(spr), "r"(value) : "memory");
}

static inline __attribute__((always_inline)) u32 mfspr(const int spr)
{
	u32 value;

	__asm__ volatile("mfspr %0, %1" : "=r"(value) : "n"(spr));
	return value;
}

/* --- translation (e500mc core reference manual chapter 6) */

static void write_entry(u32 entry, u32 size, u32 virtual, u64 physical, u32 permissions)
{
	mtspr(SPR_MAS0, MAS0_TLB1 | entry << 16);
	mtspr(SPR_MAS1, MAS1_VALID | MAS1_PROTECT | size);
	mtspr(SPR_MAS2, virtual);
	mtspr(SPR_MAS3, low_half(physical) | permissions);
	mtspr(SPR_MAS7, high_half(physical));
	__asm__ volatile("isync; tlbwe; isync" : : : "memory");
}

/* The entry we run from gets the permissions of user mode; a miss finds MAS0 to MAS2 ready for a page of 4 KiB in TLB0. */
static void start_translation(void)
{
	u32 entry;

	mtspr(SPR_MAS6, 0);
	__asm__ volatile("tlbsx 0, %0; isync" : : "r"(start_translation) : "memory");
	entry = mfspr(SPR_MAS0) >> 16 & 0x3f;
	write_entry(entry, SIZE_64M, 0, 0, READ | WRITE | EXECUTE);
	write_entry(entry + 1, SIZE_1M, EA_CCSR | INHIBITED_GUARDED, CCSR_BASE, SUPERVISOR_READ | SUPERVISOR_WRITE);
	mtspr(SPR_MAS4, SIZE_4K);
	mtspr(SPR_MAS7, 0);
	mtspr(SPR_PID, 1);
}

/* From all processes; bit 3 of the address would mean TLB1. */
void page_forget(u32 address)
{
	__asm__ volatile("tlbivax 0, %0; tlbsync; sync; isync" : : "r"(address) : "memory");
}

/* --- traps */

static inline __attribute__((always_inline)) void set_vector(const int number)
{
	mtspr(SPR_IVOR0 + number, (u32)vectors[number] & 0xffff);
}

static void start_traps(void)
{
	mtspr(SPR_IVPR, (u32)vectors & 0xffff0000);
	set_vector(0);
	set_vector(1);
	set_vector(2);
	set_vector(3);
	set_vector(4);
	set_vector(5);
	set_vector(6);
	set_vector(7);
	set_vector(8);
	set_vector(9);
	set_vector(10);
	set_vector(11);
	set_vector(12);
	set_vector(13);
	set_vector(14);
	set_vector(15);
	mtspr(SPR_SPRG3, (u32)kernel_stacks[0] + sizeof(kernel_stacks[0]));
}

void trap(struct frame *frame)
{
	if ((frame->msr & MSR_PR) == 0)
		panic("exception in the kernel", frame->pc, frame->vector);
	if (frame->vector == TRAP_CALL)
		frame->gpr[3] = system_call(frame->gpr[0], frame->gpr[3]);
	else if (frame->vector != TRAP_DATA_MISS || !page_fault(frame->dear))
		fail("exception", frame->pc, frame->vector == TRAP_DATA_MISS ? frame->dear : frame->vector);
}

/* --- processes: a PID and a table each */

/* As stack_switch leaves a stack that waits, with a trap's frame behind it: see entry.S for the places. */
void process_prepare(u32 process, u32 start)
{
	enum { SAVED = 96, FRAME = 192 };
	u32 trap_stack = (u32)kernel_stacks[process] + sizeof(kernel_stacks[process]) - FRAME;
	struct frame *frame = (struct frame *)(trap_stack + 8);

	memset((void *)(trap_stack - SAVED), 0, SAVED + FRAME);
	frame->pc = start;
	frame->msr = USER_MSR;
	frame->gpr[1] = (u32)other_stack + sizeof(other_stack) - 16;
	*(u32 *)(trap_stack + 4) = (u32)return_from_trap;
	saved_stacks[process] = trap_stack - SAVED;
}

void process_switch(u32 from, u32 to)
{
	mtspr(SPR_SPRG3, (u32)kernel_stacks[to] + sizeof(kernel_stacks[to]));
	mtspr(SPR_PID, to + 1);
	__asm__ volatile("isync" : : : "memory");
	running_table = page_tables[to];
	stack_switch(&saved_stacks[from], saved_stacks[to]);
}

/* --- console, time, and the rest */

static volatile u8 *ccsr(u32 offset)
{
	return (volatile u8 *)(EA_CCSR + offset);
}

void console_put(char c)
{
	while ((ccsr(UART0_OFFSET)[UART_STATUS] & ROOM) == 0)
		;
	ccsr(UART0_OFFSET)[0] = (u8)c;
	__asm__ volatile("mbar" : : : "memory");
}

/* The upper half is read again, in case the lower one went over meanwhile. */
static u64 ticks(void)
{
	u32 high, low, again;

	do
		__asm__ volatile("mftbu %0; mftb %1; mftbu %2" : "=r"(high), "=r"(low), "=r"(again));
	while (high != again);
	return (u64)high << 32 | low;
}

u64 microseconds(void)
{
	return (ticks() - ticks_at_start) / (TIMEBASE_HZ / 1000000);
}

/* The classic floating-point unit always has fused multiply-add. */
bool has_vectors(void)
{
	return true;
}

/* The first pin of the GPIO block, driven from low to high. */
void power_off(void)
{
	volatile u32 *direction = (volatile u32 *)ccsr(GPIO_OFFSET), *data = (volatile u32 *)ccsr(GPIO_OFFSET + 8);

	while ((ccsr(UART0_OFFSET)[UART_STATUS] & ALL_SENT) == 0)
		;
	*data = 0;
	*direction = GPIO_POWEROFF_MASK;
	*data = GPIO_POWEROFF_MASK;
	for (;;)
		;
}

/*
 * The value of /chosen/bootargs in the flattened tree (ePAPR 1.1 chapter 8). The name occurs once in its strings, and the property refers to
 * it by its offset there.
 */
static const char *command_line(const u32 *tree)
{
	enum { BEGIN = 1, END = 2, PROPERTY = 3, NOP = 4 };
	const char *strings = (const char *)tree + tree[3];
	const u32 *at = (const u32 *)((const u8 *)tree + tree[2]);

	for (;;) {
		u32 token = *at++;

		if (token == BEGIN) {
			const char *name = (const char *)at;
			u32 length = 0;

			while (name[length])
				length++;
			at += length / 4 + 1;
		} else if (token == PROPERTY) {
			const char *name = strings + at[1], *wanted = "bootargs";

			while (*wanted && *name == *wanted) {
				name++;
				wanted++;
			}
			if (*name == 0 && *wanted == 0)
				return (const char *)(at + 2);
			at += 2 + (at[0] + 3) / 4;
		} else if (token != END && token != NOP) {
			return "";
		}
	}
}

void machine_main(const void *tree, u32 magic)
{
	u32 msr;

	start_translation();
	start_traps();
	mtspr(SPR_HID0, mfspr(SPR_HID0) | HID0_TIMEBASE);
	__asm__ volatile("mfmsr %0" : "=r"(msr));
	__asm__ volatile("mtmsr %0; isync" : : "r"(msr | MSR_FP) : "memory");
	ticks_at_start = ticks();
	kernel_main(magic == EPAPR_MAGIC ? command_line(tree) : "");
}
