#ifndef KERNEL_H
#define KERNEL_H

#include "bench.h"

enum { PROCESSES = 2 };

/* --- kernel.c */

/* A word a page, as the processor (x86) or the handler of a TLB miss (e500) reads it. */
extern u32 page_tables[PROCESSES][PAGED_PAGES];

/* The two ways from user mode into the kernel. page_fault is false where no page belongs. */
u32 system_call(u32 number, u32 argument);
bool page_fault(u32 address);
/* Ends the test that runs, for an exception of user mode that nobody asked for. */
__attribute__((noreturn)) void fail(const char *what, u32 where, u32 address);
__attribute__((noreturn)) void panic(const char *what, u32 where, u32 address);
/* Once the processor is ready: runs what the command line asks for. */
__attribute__((noreturn)) void kernel_main(const char *command_line);

/* --- what a machine provides */

/* To be set in a word of the page tables beside the frame's address: user mode reads and writes. */
extern const u32 page_flags;
void page_forget(u32 address);

/* Runs a test in user mode until it calls leave_user with its checksum. */
u32 enter_user(u32 (*run)(u32 rounds), u32 rounds);
__attribute__((noreturn)) void leave_user(u32 checksum);
/* Makes a process ready, whose first turn begins at `start` in user mode. */
void process_prepare(u32 process, u32 start);
/* Returns at the process's next turn. */
void process_switch(u32 from, u32 to);

void console_put(char c);
/* Since a moment near the start. */
u64 microseconds(void);
/* SSE2, fused multiply-add: may vector_tests run? */
bool has_vectors(void);
__attribute__((noreturn)) void power_off(void);

#endif
