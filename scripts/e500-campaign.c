/*
 * Runs PowerPC code in user mode, thousands of cases a process, and says what it did. To be run by qemu-ppc (user emulation) with the
 * core that is wanted, or on a real one:
 *
 *     powerpc-linux-gnu-gcc -O1 -static -msdata=none -fno-stack-protector -o e500-campaign scripts/e500-campaign.c
 *     qemu-ppc-static -cpu e500mc ./e500-campaign < requests > answers
 *
 * A case has a slot of the code area: four words which load what the way in needed, the case from CODE_OFFSET on, and endings up to the
 * slot's end, each of which tells which one it is. All 32 general registers are the case's. Slots of one batch are written before
 * any of them runs, since an emulator throws its translation of a page away with each write.
 */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define SLOTS 0x11800000u /* a branch away from the program */
#define SLOT_SIZE 128
#define SLOT_COUNT 512
#define CODE_OFFSET 16
#define DATA_PAGE 0x50020000u
#define DATA 0x50020f00u /* the last 256 bytes of a page with none behind it */
#define MEMORY 256
#define CODE_WORDS 12

struct state {
  uint32_t gpr[32];
  uint32_t cr, xer, lr, ctr; /* 128 */
  uint32_t fpscr;            /* 144 */
  uint32_t signal;           /* 148; of a request: whether floating-point registers are loaded and stored */
  uint32_t pc;               /* 152; of a request: the slot */
  uint32_t address;          /* 156; of a request: words of code */
  uint64_t fpr[32];          /* 160 */
  uint8_t memory[MEMORY];    /* 416 */
};

struct request {
  struct state before;
  uint32_t code[CODE_WORDS];
};

/* A page which instructions reach by displacement alone: no register is needed to load and store all of them. */
#define PAGE 0x7000
struct page {
  struct state s;
  uint32_t pad[88];     /* to 1024 */
  uint32_t ending;      /* 1024 */
  uint32_t target;      /* 1028 */
  uint32_t floats;      /* 1032 */
  uint32_t sp, toc, lr; /* 1036 */
  uint32_t scratch[2];  /* 1048 */
  uint32_t saved[19];   /* 1056: r13 to r31 */
  uint32_t cr;          /* 1132 */
  uint32_t zero[2];     /* 1136 */
};
#define page ((volatile struct page *)PAGE)

__asm__(
    ".text\n"
    ".globl way_in, endings, fault_ending\n"
    "way_in:\n"
    "  stw 1, 0x7000+1036(0)\n"
    "  stw 2, 0x7000+1040(0)\n"
    "  mflr 0\n"
    "  stw 0, 0x7000+1044(0)\n"
    "  mfcr 0\n"
    "  stw 0, 0x7000+1132(0)\n"
    "  stmw 13, 0x7000+1056(0)\n"
    "  li 4, 0x7000+1048\n"
    "  stwcx. 0, 0, 4\n" /* whoever ran before may have left a reservation */
    "  lwz 0, 0x7000+1032(0)\n"
    "  cmpwi 0, 0\n"
    "  beq 1f\n"
    "  lfd 0, 0x7000+1048(0)\n"
    "  mtfsf 255, 0\n"
    "  .set n, 0\n"
    "  .rept 32\n"
    "  lfd n, 0x7000+160+8*n(0)\n"
    "  .set n, n+1\n"
    "  .endr\n"
    "1:lwz 0, 0x7000+128(0)\n"
    "  mtcr 0\n"
    "  lwz 0, 0x7000+132(0)\n"
    "  mtxer 0\n"
    "  lwz 0, 0x7000+136(0)\n"
    "  mtlr 0\n"
    "  lwz 0, 0x7000+1028(0)\n"
    "  mtctr 0\n"
    "  lmw 1, 0x7000+4(0)\n"
    "  bctr\n"
    /* the first words of each slot */
    ".globl slot_head\n"
    "slot_head:\n"
    "  lwz 0, 0x7000+140(0)\n"
    "  mtctr 0\n"
    "  lwz 0, 0x7000(0)\n"
    "  nop\n"
    /* three words each */
    "endings:\n"
    "  .set n, 0\n"
    "  .rept 32\n"
    "  stmw 0, 0x7000(0)\n"
    "  li 0, n\n"
    "  b way_out\n"
    "  .set n, n+1\n"
    "  .endr\n"
    "fault_ending:\n"
    "  stmw 0, 0x7000(0)\n"
    "  li 0, 32\n"
    "way_out:\n"
    "  stw 0, 0x7000+1024(0)\n"
    "  mfcr 0\n"
    "  stw 0, 0x7000+128(0)\n"
    "  mfxer 0\n"
    "  stw 0, 0x7000+132(0)\n"
    "  mflr 0\n"
    "  stw 0, 0x7000+136(0)\n"
    "  mfctr 0\n"
    "  stw 0, 0x7000+140(0)\n"
    "  lwz 0, 0x7000+1032(0)\n"
    "  cmpwi 0, 0\n"
    "  beq 1f\n"
    "  .set n, 0\n"
    "  .rept 32\n"
    "  stfd n, 0x7000+160+8*n(0)\n"
    "  .set n, n+1\n"
    "  .endr\n"
    "  mffs 0\n"
    "  stfd 0, 0x7000+1048(0)\n"
    "  lfd 0, 0x7000+1136(0)\n" /* no exception is left enabled */
    "  mtfsf 255, 0\n"
    "1:lmw 13, 0x7000+1056(0)\n"
    "  lwz 2, 0x7000+1040(0)\n"
    "  lwz 1, 0x7000+1036(0)\n"
    "  lwz 0, 0x7000+1132(0)\n"
    "  mtcr 0\n"
    "  lwz 0, 0x7000+1044(0)\n"
    "  mtlr 0\n"
    "  blr\n");

extern const uint32_t slot_head[], endings[], fault_ending[];
void way_in(void);

static volatile uint32_t caught, caught_at, caught_address, running, seen;

/* The registers are left as the signal found them; only pc moves on. Nothing here may use r2. */
static void on_signal(int number, siginfo_t *info, void *context) {
  ucontext_t *at = context;
  if (number == SIGVTALRM) {
    /* Two of them in one case: it does not end. */
    uint32_t pc = at->uc_mcontext.regs->nip;
    uint32_t before = seen;
    seen = running;
    if (before != running || pc - SLOTS >= SLOT_SIZE * SLOT_COUNT) return;
  }
  caught = number;
  caught_at = at->uc_mcontext.regs->nip;
  caught_address = number == SIGSEGV || number == SIGBUS ? (uint32_t)(uintptr_t)info->si_addr : 0;
  at->uc_mcontext.regs->nip = (uint32_t)(uintptr_t)fault_ending;
}

static struct request requests[SLOT_COUNT];
static struct state answers[SLOT_COUNT];

/* Whole records until the end of input, or as many as there is room for. */
static size_t read_requests(void) {
  size_t have = 0;
  while (have < sizeof requests) {
    ssize_t more = read(0, (char *)requests + have, sizeof requests - have);
    if (more <= 0) break;
    have += (size_t)more;
  }
  return have / sizeof *requests;
}

static void write_all(const void *from, size_t size) {
  while (size > 0) {
    ssize_t done = write(1, from, size);
    if (done <= 0) _exit(3);
    from = (const char *)from + done;
    size -= (size_t)done;
  }
}

static uint32_t branch(uint32_t from, uint32_t to) { return 0x48000000 | ((to - from) & 0x3fffffc); }

static void write_slot(const struct request *r) {
  uint32_t at = SLOTS + r->before.pc * SLOT_SIZE;
  uint32_t words[SLOT_SIZE / 4];

  memcpy(words, slot_head, CODE_OFFSET);
  for (uint32_t k = CODE_OFFSET / 4; k < SLOT_SIZE / 4; k++) words[k] = branch(at + 4 * k, (uint32_t)(uintptr_t)(endings + 3 * k));
  memcpy((char *)words + CODE_OFFSET, r->code, 4 * r->before.address);
  memcpy((void *)(uintptr_t)at, words, sizeof words);
}

static void run(const struct request *r, struct state *answer) {
  uint32_t at = SLOTS + r->before.pc * SLOT_SIZE;

  memcpy((void *)&page->s, &r->before, 160);
  page->floats = r->before.signal;
  if (page->floats) {
    memcpy((void *)page->s.fpr, r->before.fpr, sizeof r->before.fpr);
    page->scratch[0] = 0;
    page->scratch[1] = r->before.fpscr;
  }
  memcpy((void *)(uintptr_t)DATA, r->before.memory, MEMORY);
  page->target = at;
  caught = caught_address = 0;
  running++;
  way_in();
  memcpy(answer, (void *)&page->s, 160);
  if (page->floats) {
    memcpy(answer->fpr, (void *)page->s.fpr, sizeof answer->fpr);
    answer->fpscr = page->scratch[1];
  } else {
    memset(answer->fpr, 0, sizeof answer->fpr);
    answer->fpscr = 0;
  }
  memcpy(answer->memory, (void *)(uintptr_t)DATA, MEMORY);
  answer->signal = caught;
  answer->pc = caught ? caught_at : at + 4 * page->ending;
  answer->address = caught_address;
}

static int map(uint32_t at, uint32_t size, int protection) {
  return mmap((void *)(uintptr_t)at, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

int main(void) {
  static char stack[65536];
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
  struct itimerval often = {{0, 200000}, {0, 200000}};
  const int signals[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGVTALRM};
  size_t count;

  sigaltstack(&other, 0);
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  if (!map(SLOTS, SLOT_COUNT * SLOT_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) || !map(DATA_PAGE, 4096, PROT_READ | PROT_WRITE) ||
      !map(PAGE, 4096, PROT_READ | PROT_WRITE))
    return 1;

  setitimer(ITIMER_VIRTUAL, &often, 0);

  while ((count = read_requests()) > 0) {
    size_t from = 0;
    while (from < count) {
      /* As many as have slots of their own. */
      size_t to = from + 1;
      while (to < count && requests[to].before.pc > requests[to - 1].before.pc) to++;
      for (size_t k = from; k < to; k++) write_slot(&requests[k]);
      __builtin___clear_cache((char *)SLOTS, (char *)SLOTS + SLOT_COUNT * SLOT_SIZE);
      for (size_t k = from; k < to; k++) run(&requests[k], &answers[k]);
      from = to;
    }
    write_all(answers, count * sizeof *answers);
  }
  return 0;
}
