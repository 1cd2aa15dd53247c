#include "arch.h"
#include "kernel.h"
#include "layout.h"
#include "selftest.h"
#include "string.h"

/* The checks, reported in TAP version 13; the number of failures is kept to one bit, the exit status. */

static const struct check_list *const devices[] = {
	&checks_pci, &checks_virtio, &checks_modern, &checks_overlay, &checks_legacy, &checks_rings, &checks_packed, &checks_blk, &checks_net, NULL,
};
static const struct check_list *const core[] = {&checks_core, NULL};
static const struct check_list *const *const lists[] = {core, checks_arch, devices};
static char why[160];

const char *failure(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	kformatv(why, sizeof(why), format, args);
	va_end(args);
	return why;
}

static u32 number, failed, skipped;

static void run(const struct check *check)
{
	const char *result = check->run();
	bool skip = result != NULL && strncmp(result, "SKIP ", 5) == 0;

	number++;
	kprintf("%s %u - %s", result == NULL || skip ? "ok" : "not ok", number, check->name);
	if (skip)
		kprintf(" # %s", result);
	else if (result != NULL)
		kprintf("\n# %s", result);
	kprintf("\n");
	skipped += skip;
	failed += result != NULL && !skip;
}

int selftest(void)
{
	u32 total = 0;

	for (u32 l = 0; l < COUNT(lists); l++)
		for (u32 i = 0; lists[l][i] != NULL; i++)
			total += lists[l][i]->count;
	kprintf("TAP version 13\n1..%u\n", total);
	for (u32 l = 0; l < COUNT(lists); l++)
		for (u32 i = 0; lists[l][i] != NULL; i++)
			for (u32 c = 0; c < lists[l][i]->count; c++)
				run(&lists[l][i]->checks[c]);
	kprintf("# %s: %u checks, %u failed, %u skipped\n", MACHINE_NAME, total, failed, skipped);
	return failed != 0 || total == 0;
}
