/*
 * Runs one PowerPC instruction a line, in user mode, and says what it did. To be run by qemu-ppc (user emulation) with the core
 * that is wanted, or on a real one:
 *
 *     powerpc-linux-gnu-gcc -O1 -static -msdata=none -o oracle scripts/e500-oracle.c
 *     qemu-ppc-static -cpu e500mc ./oracle
 *
 * A line, in hex: the instruction before (or nop), the instruction, r0 r3 r4 r5 r6 r29 r30 r31, XER, CR, LR, CTR, then 64 bytes of
 * memory. The answer: the signal (0 for none), whether the branch to the second instruction behind was taken, the same
 * registers, the same memory. The instruction lies at CODE + 0x100 and the memory at DATA.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define CODE 0x40010000u
#define DATA 0x40020fe0u
#define REGISTERS 8

struct state {
  uint32_t gpr[REGISTERS]; /* 0: r0 r3 r4 r5 r6 r29 r30 r31 */
  uint32_t xer;            /* 32 */
  uint32_t cr;
  uint32_t lr;
  uint32_t ctr;
  uint32_t taken; /* 48 */
  uint32_t stack;
  uint32_t scratch;
};

/* r1 holds the state from "begin" to "end"; all else belongs to the instruction. */
__asm__(
    ".section .rodata\n"
    "template:\n"
    "  stwu 1, -96(1)\n"
    "  stmw 13, 8(1)\n"
    "  mflr 0\n"
    "  stw 0, 100(1)\n"
    "  mfcr 0\n"
    "  stw 0, 88(1)\n"
    "  stw 2, 92(1)\n"
    "  stw 1, 52(3)\n"
    "  mr 1, 3\n"
    "  addi 4, 1, 56\n"
    "  stwcx. 0, 0, 4\n" /* whoever ran before may have left a reservation */
    "  lwz 0, 32(1)\n"
    "  mtxer 0\n"
    "  lwz 0, 36(1)\n"
    "  mtcr 0\n"
    "  lwz 0, 40(1)\n"
    "  mtlr 0\n"
    "  lwz 0, 44(1)\n"
    "  mtctr 0\n"
    "  lwz 0, 0(1)\n"
    "  lwz 3, 4(1)\n"
    "  lwz 4, 8(1)\n"
    "  lwz 5, 12(1)\n"
    "  lwz 6, 16(1)\n"
    "  lwz 29, 20(1)\n"
    "  lwz 30, 24(1)\n"
    "  lwz 31, 28(1)\n"
    "  b template + 0xfc\n"
    "  .org template + 0xfc\n"
    "  nop\n" /* the instruction before */
    "  nop\n" /* the instruction */
    "  b template + 0x110\n"
    "  stw 1, 48(1)\n"
    "  nop\n"
    "  .org template + 0x110\n"
    "  stw 0, 0(1)\n"
    "  stw 3, 4(1)\n"
    "  stw 4, 8(1)\n"
    "  stw 5, 12(1)\n"
    "  stw 6, 16(1)\n"
    "  stw 29, 20(1)\n"
    "  stw 30, 24(1)\n"
    "  stw 31, 28(1)\n"
    "  mfxer 0\n"
    "  stw 0, 32(1)\n"
    "  mfcr 0\n"
    "  stw 0, 36(1)\n"
    "  mflr 0\n"
    "  stw 0, 40(1)\n"
    "  mfctr 0\n"
    "  stw 0, 44(1)\n"
    "  lwz 1, 52(1)\n"
    "  lwz 2, 92(1)\n"
    "  lwz 0, 88(1)\n"
    "  mtcr 0\n"
    "  lwz 0, 100(1)\n"
    "  mtlr 0\n"
    "  lmw 13, 8(1)\n"
    "  addi 1, 1, 96\n"
    "  blr\n"
    "template_end:\n"
    ".previous\n");

extern const char template[], template_end[];

static volatile uint32_t caught;

/* The registers are left as the signal found them; only pc moves on. Nothing here may use r2. */
static void on_signal(int number, siginfo_t *info, void *context) {
  ucontext_t *at = context;
  caught = number;
  at->uc_mcontext.regs->nip = CODE + 0x110;
}

static void put(uint32_t at, uint32_t word) { *(volatile uint32_t *)(uintptr_t)at = word; }

int main(void) {
  static char stack[65536];
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE};
  char line[1024];

  sigaltstack(&other, 0);
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  if (mmap((void *)CODE, 0x12000, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
      MAP_FAILED)
    return 1;
  memcpy((void *)CODE, template, template_end - template);

  while (fgets(line, sizeof line, stdin)) {
    struct state s = {0};
    uint32_t words[14];
    char *at = line;
    int used;
    for (int i = 0; i < 14; i++, at += used)
      if (sscanf(at, "%x%n", &words[i], &used) != 1) return 2;
    while (*at == ' ') at++;
    for (int i = 0; i < 64; i++) {
      unsigned byte;
      if (sscanf(at + 2 * i, "%2x", &byte) != 1) return 2;
      *(volatile uint8_t *)(uintptr_t)(DATA + i) = byte;
    }
    memcpy(s.gpr, words + 2, sizeof s.gpr);
    s.xer = words[10];
    s.cr = words[11];
    s.lr = words[12];
    s.ctr = words[13];
    put(CODE + 0xfc, words[0]);
    put(CODE + 0x100, words[1]);
    __builtin___clear_cache((char *)CODE, (char *)CODE + 0x200);
    caught = 0;
    ((void (*)(struct state *))CODE)(&s);
    printf("%x %x", caught, s.taken != 0);
    for (int i = 0; i < REGISTERS; i++) printf(" %x", s.gpr[i]);
    printf(" %x %x %x %x ", s.xer, s.cr, s.lr, s.ctr);
    for (int i = 0; i < 64; i++) printf("%02x", *(uint8_t *)(uintptr_t)(DATA + i));
    printf("\n");
  }
  return 0;
}
