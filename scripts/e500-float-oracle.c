/*
 * Runs one PowerPC floating-point instruction a line, in user mode, and says what it did: scripts/e500-oracle.c for the other registers. To be run by
 * qemu-ppc (user emulation) with the core that is wanted, or on a real one:
 *
 *     powerpc-linux-gnu-gcc -O1 -static -msdata=none -o float-oracle scripts/e500-float-oracle.c
 *     qemu-ppc-static -cpu e500mc ./float-oracle
 *
 * A line, in hex: the instruction, FPSCR, f3 f4 f5 f6, r4, r5, CR, then 16 bytes of memory. The answer: the signal (0 for none), FPSCR, f3 f4 f5 f6,
 * r4, r5, CR, the same memory. The memory lies at DATA.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define CODE 0x40010000u
#define DATA 0x40020fe0u

struct state {
  uint64_t fpscr;  /* 0 */
  uint64_t fpr[4]; /* 8 */
  uint32_t r4;     /* 40 */
  uint32_t r5;
  uint32_t cr; /* 48 */
  uint32_t stack;
};

/* r3 holds the state all the time. FPSCR is set with no exception yet to come of it: bits first, enables as the last thing. */
__asm__(
    ".section .rodata\n"
    "template:\n"
    "  stwu 1, -32(1)\n"
    "  mfcr 0\n"
    "  stw 0, 8(1)\n"
    "  lwz 0, 48(3)\n"
    "  mtcr 0\n"
    "  lfd 0, 0(3)\n"
    "  mtfsf 255, 0\n"
    "  lfd 3, 8(3)\n"
    "  lfd 4, 16(3)\n"
    "  lfd 5, 24(3)\n"
    "  lfd 6, 32(3)\n"
    "  lwz 4, 40(3)\n"
    "  lwz 5, 44(3)\n"
    "  b template + 0x80\n"
    "  .org template + 0x80\n"
    "  nop\n" /* the instruction */
    "  nop\n"
    "  stfd 3, 8(3)\n"
    "  stfd 4, 16(3)\n"
    "  stfd 5, 24(3)\n"
    "  stfd 6, 32(3)\n"
    "  stw 4, 40(3)\n"
    "  stw 5, 44(3)\n"
    "  mfcr 0\n"
    "  stw 0, 48(3)\n"
    "  mffs 0\n"
    "  stfd 0, 0(3)\n"
    "  mtfsfi 6, 0\n"
    "  mtfsfi 7, 0\n"
    "  lwz 0, 8(1)\n"
    "  mtcr 0\n"
    "  addi 1, 1, 32\n"
    "  blr\n"
    "template_end:\n"
    ".previous\n");

extern const char template[], template_end[];

static volatile uint32_t caught;

/* Any signal of the instruction's goes on behind it. Signals of the state being set or read again do so too, and are not the instruction's. */
static void on_signal(int number, siginfo_t *info, void *context) {
  ucontext_t *at = context;
  if (at->uc_mcontext.regs->nip == CODE + 0x80) caught = number;
  at->uc_mcontext.regs->nip += 4;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};
  const int signals[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE};
  char line[1024];

  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  if (mmap((void *)CODE, 0x12000, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
      MAP_FAILED)
    return 1;
  memcpy((void *)CODE, template, template_end - template);

  while (fgets(line, sizeof line, stdin)) {
    struct state s = {0};
    unsigned instruction;
    unsigned long long fpscr, f[4];
    int used;
    if (sscanf(line, "%x %llx %llx %llx %llx %llx %x %x %x %n", &instruction, &fpscr, &f[0], &f[1], &f[2], &f[3], &s.r4,
               &s.r5, &s.cr, &used) != 9)
      return 2;
    s.fpscr = fpscr;
    for (int i = 0; i < 4; i++) s.fpr[i] = f[i];
    for (int i = 0; i < 16; i++) {
      unsigned byte;
      if (sscanf(line + used + 2 * i, "%2x", &byte) != 1) return 2;
      *(volatile uint8_t *)(uintptr_t)(DATA + i) = byte;
    }
    *(volatile uint32_t *)(uintptr_t)(CODE + 0x80) = instruction;
    __builtin___clear_cache((char *)CODE, (char *)CODE + 0x200);
    caught = 0;
    ((void (*)(struct state *))CODE)(&s);
    printf("%x %x %llx %llx %llx %llx %x %x %x ", caught, (uint32_t)s.fpscr, (unsigned long long)s.fpr[0],
           (unsigned long long)s.fpr[1], (unsigned long long)s.fpr[2], (unsigned long long)s.fpr[3], s.r4, s.r5, s.cr);
    for (int i = 0; i < 16; i++) printf("%02x", *(uint8_t *)(uintptr_t)(DATA + i));
    printf("\n");
  }
  return 0;
}
