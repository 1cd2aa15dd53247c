#include "arch.h"
#include "e500.h"

extern char vector_0[], vector_machine_check[], wait_here[];

bool (*volatile trap_hook)(struct trap_frame *frame);

static const char *const names[TRAP_COUNT] = {
	"critical input", "machine check", "data storage", "instruction storage", "external input", "alignment",
	"program", "FP unavailable", "system call", "APU unavailable", "decrementer", "interval timer", "watchdog",
	"data TLB miss", "instruction TLB miss", "debug",
};

#define SET_IVOR(n) mtspr(SPR_IVOR0 + (n), (u32)vector_0 + 16 * (n))

/* The register's number is part of the instruction, hence no loop. */
void trap_init(void)
{
	mtspr(SPR_IVPR, (u32)vector_0 & 0xffff0000);
	SET_IVOR(0);
	mtspr(SPR_IVOR0 + 1, (u32)vector_machine_check);
	SET_IVOR(2);
	SET_IVOR(3);
	SET_IVOR(4);
	SET_IVOR(5);
	SET_IVOR(6);
	SET_IVOR(7);
	SET_IVOR(8);
	SET_IVOR(9);
	SET_IVOR(10);
	SET_IVOR(11);
	SET_IVOR(12);
	SET_IVOR(13);
	SET_IVOR(14);
	SET_IVOR(15);
}

static void exception(struct trap_frame *f)
{
	bool data = f->vector == TRAP_DATA || f->vector == TRAP_DATA_TLB || f->vector == TRAP_ALIGNMENT;
	bool fetch = f->vector == TRAP_INSTRUCTION || f->vector == TRAP_INSTRUCTION_TLB;
	struct trap_info info = {f->vector, f->esr, data ? f->dear : fetch ? f->pc : 0, f->pc};

	trap_offer(&info);
	kprintf("trap %u (%s), syndrome %08x, address %08x\n", f->vector, names[f->vector & 15], f->esr, info.address);
	kprintf("  pc %08x msr %08x cr %08x lr %08x ctr %08x xer %08x\n", f->pc, f->msr, f->cr, f->lr, f->ctr, f->xer);
	for (u32 i = 0; i < 32; i += 8) {
		kprintf("  r%-2u", i);
		for (u32 j = i; j < i + 8; j++)
			kprintf(" %08x", f->gpr[j]);
		kprintf("\n");
	}
	panic("unexpected trap %u at %08x", f->vector, f->pc);
}

void trap(struct trap_frame *frame)
{
	if (frame->vector == TRAP_EXTERNAL) {
		mpic_dispatch();
	} else if (frame->vector == TRAP_DECREMENTER) {
		arch_timer_disarm();
		irq_dispatch(IRQ_TIMER);
	} else {
		if (trap_hook == NULL || !trap_hook(frame))
			exception(frame);
		return;
	}
	if (frame->pc == (u32)wait_here)
		frame->pc += 4;
}
