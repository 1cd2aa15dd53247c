#ifndef TESTS_H
#define TESTS_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* Selectors. Those from FREE on are a test's own. */
enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_CODE = 0x1b, USER_DATA = 0x23, MAIN_TASK = 0x28, FREE = 0x30 };

/* The gate by which every piece of code ends; everyone may use it. */
#define STOP "int $0x40\n"
enum { STOP_VECTOR = 0x40, OWN_VECTOR = 0x50 };

enum { DE, DB, NMI, BP, OF, BR, UD, NM, DF, TS = 10, NP, SS, GP, PF, MF = 16, AC };

enum {
	FLAG_CF = 1,
	FLAG_TF = 1 << 8,
	FLAG_IF = 1 << 9,
	FLAG_IOPL = 3 << 12,
	FLAG_NT = 1 << 14,
	FLAG_RF = 1 << 16,
	FLAG_VM = 1 << 17,
	FLAG_AC = 1 << 18,
	FLAG_VIF = 1 << 19,
	FLAG_VIP = 1 << 20,
	FLAG_ID = 1 << 21,
};

/* Access bytes of descriptors. */
enum {
	PRESENT = 0x80,
	RING1 = 0x20,
	RING3 = 0x60,
	DATA_RO = 0x10,
	DATA = 0x12,
	DATA_DOWN = 0x16,
	CODE_XO = 0x18,
	CODE = 0x1a,
	CODE_CONFORMING = 0x1e,
	ACCESSED = 1,
	LDT = 2,
	TSS16 = 1,
	TSS32 = 9,
	BUSY = 2,
	CALL16 = 4,
	TASK_GATE = 5,
	INTERRUPT16 = 6,
	TRAP16 = 7,
	CALL32 = 12,
	INTERRUPT32 = 14,
	TRAP32 = 15,
};

/* What runs, and how it was when it stopped. In the order in which entry.S saves it. */
struct context {
	u32 gs, fs, es, ds;
	u32 edi, esi, ebp, unused, ebx, edx, ecx, eax;
	u32 vector, code;
	u32 eip, cs, eflags, esp, ss;
	u32 v86_es, v86_ds, v86_fs, v86_gs;
};

struct tss {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, map;
	u8 redirection[32];
	u8 ports[8192 + 1];
};

extern struct context context;
extern struct tss main_tss;
/* The access byte of its descriptor when the last code stopped. */
extern u8 main_task_access;
extern u64 gdt[64], idt[256];
extern u8 user_stack[4096], inner_stack[4096], scratch[3 * 4096];

/* A piece of code by its name. */
#define CODE_OF(name, text) \
	extern const char name[], name##_end[]; \
	__asm__(".text\n" #name ":\n" text "\n" #name "_end:\n")

/* Makes `context` code of a ring, on a stack of its own, with flat segments and interrupts off. */
void ring0(const char *code);
void ring3(const char *code);
/* Virtual-8086 code, copied to 8000:0; the stack is 9000:f000. */
void v86(const char *code, const char *end);
/* Runs `context` until an exception or an interrupt; the vector. */
u32 run(void);
bool stopped(void);
bool faulted(u32 vector, u32 code);

/* A check; the second kind is not made where the command line says `tcg`, since TCG is known to be wrong there. */
void check(bool holds, const char *what);
extern bool on_tcg;
void check_not_tcg(bool holds, const char *what);
void note(const char *what, u32 value);

void set_segment(u32 selector, u32 base, u32 limit, u32 access, bool big);
void set_gate(u64 *where, u32 selector, u32 offset, u32 access, u32 count);
u8 access_of(u32 selector);
void reset_tables(void);
void copy(void *to, const void *from, u32 size);
void fill(void *to, u8 with, u32 size);

static inline u32 read_cr0(void) { u32 v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline u32 read_cr2(void) { u32 v; __asm__ volatile("mov %%cr2, %0" : "=r"(v)); return v; }
static inline u32 read_cr4(void) { u32 v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline u32 read_dr6(void) { u32 v; __asm__ volatile("mov %%dr6, %0" : "=r"(v)); return v; }
static inline u32 read_dr7(void) { u32 v; __asm__ volatile("mov %%dr7, %0" : "=r"(v)); return v; }
static inline void write_cr0(u32 v) { __asm__ volatile("mov %0, %%cr0" :: "r"(v) : "memory"); }
static inline void write_cr3(u32 v) { __asm__ volatile("mov %0, %%cr3" :: "r"(v) : "memory"); }
static inline void write_cr4(u32 v) { __asm__ volatile("mov %0, %%cr4" :: "r"(v) : "memory"); }
static inline void write_dr0(u32 v) { __asm__ volatile("mov %0, %%dr0" :: "r"(v)); }
static inline void write_dr1(u32 v) { __asm__ volatile("mov %0, %%dr1" :: "r"(v)); }
static inline void write_dr6(u32 v) { __asm__ volatile("mov %0, %%dr6" :: "r"(v)); }
static inline void write_dr7(u32 v) { __asm__ volatile("mov %0, %%dr7" :: "r"(v)); }
static inline void out8(u16 port, u8 v) { __asm__ volatile("outb %0, %1" :: "a"(v), "Nd"(port)); }
static inline u8 in8(u16 port) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }

enum { CR0_PE = 1, CR0_TS = 8, CR0_WP = 1 << 16, CR0_AM = 1 << 18 };
#define CR0_PG 0x80000000
enum { CR4_VME = 1, CR4_PVI = 2, CR4_TSD = 4, CR4_DE = 8, CR4_PSE = 16, CR4_PAE = 32, CR4_PGE = 128 };

/* EDX of CPUID leaf 1. */
enum { HAS_VME = 1 << 1, HAS_DE = 1 << 2, HAS_PSE = 1 << 3, HAS_MSR = 1 << 5, HAS_PAE = 1 << 6, HAS_CX8 = 1 << 8, HAS_SEP = 1 << 11, HAS_MTRR = 1 << 12, HAS_PGE = 1 << 13 };
u32 features(void);

void segment_tests(void);
void gate_tests(void);
void return_tests(void);
void task_tests(void);
void v86_tests(void);
void debug_tests(void);
void fault_tests(void);
void alignment_tests(void);
void register_tests(void);
void paging_tests(void);
void pae_tests(void);
void real_tests(void);

#endif
