#include "arch.h"
#include "kernel.h"
#include "layout.h"
#include "selftest.h"
#include "string.h"

/* The checks, reported in TAP version 13; the number of failures is kept to one bit, the exit status. */

static const struct check_list *const lists[] = {&checks_core};
static char why[160];

const char *failure(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	kformatv(why, sizeof(why), format, args);
	va_end(args);
	return why;
}

static void print_name(u32 number, const struct check *check, const char *verdict)
{
	kprintf("%s %u - %s", verdict, number, check->name);
}

int selftest(void)
{
	u32 total = 0, number = 0, failed = 0, skipped = 0;

	for (u32 l = 0; l < COUNT(lists); l++)
		total += lists[l]->count;
	kprintf("TAP version 13\n1..%u\n", total);
	for (u32 l = 0; l < COUNT(lists); l++) {
		for (u32 i = 0; i < lists[l]->count; i++) {
			const struct check *check = &lists[l]->checks[i];
			const char *result = check->run();
			number++;
			if (result == NULL) {
				print_name(number, check, "ok");
			} else if (strncmp(result, "SKIP ", 5) == 0) {
				print_name(number, check, "ok");
				kprintf(" # %s", result);
				skipped++;
			} else {
				print_name(number, check, "not ok");
				kprintf("\n# %s", result);
				failed++;
			}
			kprintf("\n");
		}
	}
	kprintf("# %s: %u checks, %u failed, %u skipped\n", MACHINE_NAME, total, failed, skipped);
	return failed != 0 || total == 0;
}
