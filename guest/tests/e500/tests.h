#ifndef TESTS_H
#define TESTS_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* What runs, and how it was when an interrupt ended it. In the order in which entry.S has it. */
struct interrupted {
	u32 gpr[32];
	u32 vector, pc, msr, cr, xer, lr, ctr;
	struct { u32 pc, msr; } srr, csrr, dsrr, mcsrr;
	u32 esr, dear;
	u32 mas[8];
	u32 dbsr, epr;
	u32 handler_msr;
};
#define context (*(volatile struct interrupted *)0x4000)

/* Where they lead, an entry of 16 bytes each; its last instruction is a branch. */
extern u8 vectors[42][16];

/* Interrupts by the number of their IVOR. */
enum {
	CRITICAL, MACHINE_CHECK, DATA, INSTRUCTION, EXTERNAL, ALIGNMENT, PROGRAM, FP_UNAVAILABLE, SYSTEM_CALL,
	DECREMENTER = 10, FIXED_INTERVAL, WATCHDOG, DATA_TLB, INSTRUCTION_TLB, DEBUG,
	PERFORMANCE = 35, DOORBELL, DOORBELL_CRITICAL, HYPERVISOR_CALL = 40, HYPERVISOR_PRIVILEGE = 41,
};

enum {
	MSR_UCLE = 1 << 26, MSR_CE = 1 << 17, MSR_EE = 1 << 15, MSR_PR = 1 << 14, MSR_FP = 1 << 13, MSR_ME = 1 << 12,
	MSR_DE = 1 << 9, MSR_IS = 1 << 5, MSR_DS = 1 << 4, MSR_RI = 1 << 1,
};
enum {
	ESR_ILLEGAL = 1 << 27, ESR_PRIVILEGED = 1 << 26, ESR_TRAP = 1 << 25, ESR_STORE = 1 << 23, ESR_DATA_LOCK = 1 << 21,
	ESR_INSTRUCTION_LOCK = 1 << 20, ESR_EXTERNAL_PID = 1 << 6,
};

/* Special-purpose registers. */
enum {
	DEC = 22, SRR0 = 26, SRR1, PID = 48, DECAR = 54, CSRR0 = 58, CSRR1, DEAR = 61, ESR, IVPR, TBL = 268, TBU,
	TBL_W = 284, TBU_W, PIR, PVR, DBSR = 304, DBSRWR = 306, EPCR, DBCR0, DBCR1, DBCR2, IAC1 = 312, IAC2, DAC1 = 316, DAC2,
	TSR = 336, TCR = 340, IVOR0 = 400, MCSRR0 = 570, MCSRR1, MCSR, MCAR, DSRR0, DSRR1, MAS0 = 624, MAS1, MAS2, MAS3, MAS4,
	MAS6 = 630, TLB0CFG = 688, TLB1CFG, EPR = 702, MAS7 = 944, EPLC = 947, EPSC, HID0 = 1008, L1CSR0 = 1010, L1CSR1, MMUCSR0,
	L1CFG0 = 515, L1CFG1, MMUCFG = 1015, SVR = 1023,
};
#define mfspr(spr)                                                      \
	({                                                              \
		u32 v_;                                                 \
		__asm__ volatile("mfspr %0, %1" : "=r"(v_) : "i"(spr)); \
		v_;                                                     \
	})
#define mtspr(spr, value) __asm__ volatile("mtspr %0, %1; isync" : : "i"(spr), "r"((u32)(value)) : "memory")
static inline void set_msr(u32 v) { __asm__ volatile("mtmsr %0; isync" : : "r"(v) : "memory"); }
static inline u32 get_msr(void) { u32 v; __asm__ volatile("mfmsr %0" : "=r"(v)); return v; }

/* A piece of code by its name. It ends by STOP. */
#define STOP "sc\n"
#define CODE_OF(name, text)          \
	extern const char name[];    \
	__asm__(".text\n.balign 4\n" #name ":\n" text "\n")

/* Makes `context` code with this MSR, all other registers 0. */
void start(const char *code, u32 msr);
/* Runs `context` until an interrupt; its vector. */
u32 run(void);
/* The same at once. */
u32 run_code(const char *code, u32 msr);
bool stopped(void);
/* It ended in this interrupt, at this place behind `code`, with this syndrome. */
bool ended(u32 vector, const char *code, u32 offset);
/* Places of an instruction word of one's own, and STOP behind it. */
const char *word_code(u32 word);

/* A check; the second kind is not made where the command line says `tcg`, since TCG is known to be wrong there. */
void check(bool holds, const char *what);
void check_not_tcg(bool holds, const char *what);
extern bool on_tcg;
void note(const char *what, u32 value);

/* A TLB entry. `mas0` names it; `mas1` is TSIZE and TS and TID; VALID is added. */
enum { SR = 1, UR = 2, SW = 4, UW = 8, SX = 16, UX = 32, ALL = 63 };
enum { TLB1 = 1 << 28, TS = 1 << 12, IPROT = 1 << 30, SIZE_4K = 1 << 8, SIZE_16K = 2 << 8, SIZE_64K = 3 << 8, SIZE_256K = 4 << 8, SIZE_1M = 5 << 8, SIZE_4M = 6 << 8, SIZE_16M = 7 << 8 };
#define VALID 0x80000000u
#define ESEL(n) ((u32)(n) << 16)
#define TID(n) ((u32)(n) << 16)
enum { WRITE_THROUGH = 16, INHIBITED = 8, COHERENT = 4, GUARDED = 2 };
void tlb_write(u32 mas0, u32 mas1, u32 mas2, u32 mas3);
void tlb_read(u32 mas0, u32 mas2);
void tlb_search(u32 address, u32 mas6);
/* Both TLBs empty but for what the kernel needs. */
void tlb_clear(void);
/* An address with nothing behind it, where tests map pages, and memory of theirs: 64 KiB, aligned. */
enum { WINDOW = 0x80000000 };
extern u8 area[65536];
#define AREA ((u32)area)
void map(u32 ea, u32 pa, u32 permissions);

static inline u32 load(u32 at) { return *(volatile u32 *)at; }
static inline void store(u32 at, u32 v) { *(volatile u32 *)at = v; }
/* The board's registers. */
enum { CCSR = 0xe0000000 };
static inline u32 ccsr(u32 offset) { u32 v = load(CCSR + offset); __asm__ volatile("mbar" : : : "memory"); return v; }
static inline void set_ccsr(u32 offset, u32 v) { store(CCSR + offset, v); __asm__ volatile("mbar" : : : "memory"); }
void fill(u32 at, u8 with, u32 size);
u32 ticks(void);

void tlb_tests(void);
void interrupt_tests(void);
void timer_tests(void);
void debug_tests(void);
void doorbell_tests(void);
void external_tests(void);
void cache_tests(void);
void register_tests(void);
void mpic_tests(void);

#endif
