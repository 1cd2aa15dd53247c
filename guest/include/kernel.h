#ifndef KERNEL_H
#define KERNEL_H

#include "types.h"

#define PAGE_SIZE 4096

/* What the loader told us, in one form for multiboot and for ePAPR. */
struct memory_range {
	u64 base;
	u64 size;
};
struct boot_info {
	char command_line[256];
	int ram_count;
	struct memory_range ram[16];
	int reserved_count;
	struct memory_range reserved[4];
};
extern struct boot_info boot;

/* main.c: architectures come here once they can take a trap on a stack of their own. */
void kernel_main(void) __attribute__((noreturn));

/* command_line.c: is the word there; is there any NAME=; is it NAME=VALUE; NAME's number, 0 if there is none; NAME's text. */
bool option_present(const char *word);
bool option_given(const char *name);
bool option_is(const char *name, const char *value);
u32 option_number(const char *name);
bool option_text(const char *name, char *to, size_t size);

/* printf.c */
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
void kprintf(const char *format, ...) PRINTF(1, 2);
int kformat(char *to, size_t size, const char *format, ...) PRINTF(3, 4);
int kformatv(char *to, size_t size, const char *format, va_list args);
void panic(const char *format, ...) PRINTF(1, 2) __attribute__((noreturn));

/* memory.c: pages are identity-mapped, so a pointer is also the physical address. */
void memory_init(void);
void *page_alloc(u32 pages);
void page_free(void *at, u32 pages);
u32 pages_free(void);
u32 pages_total(void);

/* irq.c: a handler says whether the interrupt was its own (lines are shared). */
typedef bool (*irq_handler)(void *arg);
void irq_register(int irq, const char *name, irq_handler handler, void *arg);
void irq_unregister(int irq, irq_handler handler, void *arg);
void irq_dispatch(int irq);
u32 irq_count(int irq);
u32 irq_count_all(void);
u32 irq_count_messages(void);
u32 irq_count_unclaimed(void);
void irq_print(void);

/* time.c: sleeps until done(arg) or the time-out; false on time-out. */
bool wait_until(bool (*done)(void *arg), void *arg, u32 timeout_us);
void sleep_us(u32 us);
u32 ticks_to_us(u64 ticks);

/* trap.c: runs fn(arg) and returns true if it ended in an exception, which info then describes. */
struct trap_info {
	u32 vector;
	u32 error;
	u32 address;
	u32 pc;
};
bool trap_catch(void (*fn)(void *arg), void *arg, struct trap_info *info);
/* For the architecture's exception handler: leaves for trap_catch if one is waiting, else returns. */
void trap_offer(const struct trap_info *info);

/* console (drivers/uart16550.c) */
void console_init(void);
void console_interrupts(void);
void console_putc(char c);
void console_flush(void); /* returns when everything has been sent */
int console_getc(void); /* sleeps; 4 (control-D) stands for the end of input */

/* The programs. Each that ends gives the exit status. */
void tour(void);
void shell(void) __attribute__((noreturn));
int selftest(void);
int matrix(void);
int hostile(void);
int compare(void);

/* Leaves by the exit register; where there is none, by power-off. */
void leave(int status) __attribute__((noreturn));

#endif
