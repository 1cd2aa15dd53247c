#include "arch.h"
#include "kernel.h"

/* Exceptions which somebody expects: the handler does not return to the fault but to the one who asked. */
static struct cpu_context *catcher;
static struct trap_info caught;

bool trap_catch(void (*fn)(void *arg), void *arg, struct trap_info *info)
{
	struct cpu_context context, *outer = catcher;
	u32 flags = irq_save();
	volatile bool trapped = true;

	catcher = &context;
	if (context_save(&context) == 0) {
		irq_restore(flags);
		fn(arg);
		trapped = false;
	}
	catcher = outer;
	*info = caught;
	irq_restore(flags);
	return trapped;
}

void trap_offer(const struct trap_info *info)
{
	if (catcher == NULL)
		return;
	caught = *info;
	context_resume(catcher);
}
