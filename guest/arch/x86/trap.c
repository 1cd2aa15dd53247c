#include "x86.h"

static struct {
	u16 offset_low, selector, access, offset_high;
} idt[256];

extern char vectors[];

bool (*volatile trap_hook)(struct trap_frame *frame);

static const char *const names[] = {
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode",
	"no coprocessor", "double fault", "coprocessor overrun", "invalid TSS", "segment not present", "stack fault",
	"general protection", "page fault",
};

/* Interrupt gates (Intel SDM vol. 3 section 6.11): interrupts stay off until IRET. */
void trap_init(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (u32)idt};

	for (u32 i = 0; i < 256; i++) {
		u32 entry = (u32)vectors + 16 * i;
		idt[i].offset_low = (u16)entry;
		idt[i].selector = KERNEL_CODE;
		idt[i].access = 0x8e00;
		idt[i].offset_high = (u16)(entry >> 16);
	}
	/* Privilege 3 may use INT3, INTO and one software interrupt, so that tests can come back. */
	idt[TRAP_BREAKPOINT].access |= 0x6000;
	idt[TRAP_OVERFLOW].access |= 0x6000;
	idt[VECTOR_SELF].access |= 0x6000;
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void trap_set_present(u32 vector, bool present)
{
	idt[vector].access = (u16)((idt[vector].access & ~0x8000) | (present ? 0x8000 : 0));
}

static u32 read_cr2(void)
{
	u32 v;

	__asm__ volatile("movl %%cr2, %0" : "=r"(v));
	return v;
}

static void exception(struct trap_frame *f)
{
	struct trap_info info = {f->vector, f->error, f->vector == TRAP_PAGE ? read_cr2() : 0, f->eip};
	bool user = f->cs & 3;

	trap_offer(&info);
	kprintf("trap %u (%s), error %04x, address %08x\n", f->vector,
	        f->vector < COUNT(names) ? names[f->vector] : "reserved", f->error, info.address);
	kprintf("  eip %08x cs %04x eflags %08x esp %08x ss %04x\n", f->eip, f->cs & 0xffff, f->eflags,
	        user ? f->esp : (u32)&f->esp, user ? f->ss & 0xffff : KERNEL_DATA);
	kprintf("  eax %08x ebx %08x ecx %08x edx %08x\n", f->eax, f->ebx, f->ecx, f->edx);
	kprintf("  esi %08x edi %08x ebp %08x ds %04x es %04x fs %04x gs %04x\n", f->esi, f->edi, f->ebp, f->ds & 0xffff,
	        f->es & 0xffff, f->fs & 0xffff, f->gs & 0xffff);
	panic("unexpected trap %u at %08x", f->vector, f->eip);
}

void trap(struct trap_frame *frame)
{
	u32 vector = frame->vector;

	if (trap_hook != NULL && (vector < 32 || vector == VECTOR_SELF) && trap_hook(frame))
		return;
	if (vector < 32) {
		exception(frame);
	} else if (vector < VECTOR_IOAPIC) {
		if (i8259_spurious(vector - VECTOR_I8259))
			return;
		irq_dispatch((int)vector);
		i8259_end(vector - VECTOR_I8259);
	} else if (vector != VECTOR_SPURIOUS) {
		/* A level-triggered line must be quiet before the end of interrupt, or it comes again. */
		irq_dispatch((int)vector);
		lapic_end();
	}
}
