/*
 * The benchmark program. A small kernel runs each test as a program of user mode, with paging on, and prints a mark before and behind it; the
 * marks carry a checksum which is the same on every emulator. A test is a function of its number of rounds.
 */
#ifndef BENCH_H
#define BENCH_H

#include "types.h"

typedef int8_t i8;
typedef int32_t i32;

struct test {
	const char *name;
	u32 (*run)(u32 rounds);
	u32 rounds; /* what takes QEMU's TCG some tenths of a second to some seconds */
};

struct group {
	const char *name;
	const struct test *tests; /* to the one without a name */
};

extern const struct test integer_tests[], control_tests[], memory_tests[], system_tests[];
/* float.c is compiled twice. */
extern const struct test float_tests[], vector_tests[];

/* --- what tests are made of (lib.c) */

struct random {
	u32 state;
};

u32 random_next(struct random *random);
/* Memory of the test that runs, aligned to a page; all of it is free again when the next one starts. */
void *take(u32 size);
void take_nothing(void);
void *memset(void *to, int value, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);

/* --- the kernel, as a test sees it (kernel.c); numbers of calls */

enum {
	CALL_EXIT,   /* ends the test: the argument is its checksum */
	CALL_NEXT,   /* gives its argument back, plus one */
	CALL_MAP,    /* puts memory of 16 MiB at PAGED */
	CALL_UNMAP,  /* takes all pages at PAGED away; a page that is touched there comes back, cleared */
	CALL_SPAWN,  /* a second process with an address space of its own, which starts at the argument */
	CALL_YIELD,  /* the other process's turn */
};

/* An address space has tables of its own for these pages. The last one is private to each process, the rest is what CALL_MAP or faults put there. */
#define PAGED 0x40000000
#define PAGED_PAGES 5120
#define PRIVATE (PAGED + (PAGED_PAGES - 1) * 4096)

#endif
