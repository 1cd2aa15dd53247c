/*
 * Runs x86 user-mode instructions on the processor it runs on and says what they did. Any i386 or x86-64 Linux:
 *
 *     i686-linux-gnu-gcc -O2 -fno-stack-protector -fno-pic -no-pie -mno-sse -mno-mmx -ffreestanding -nostdlib -static -o x86-oracle x86-oracle.c
 *
 * Requests come in on stdin, answers go out on stdout, both as the structures below. The code lies at CODE + 0x200 in a page of
 * INT3 that cannot be written, the memory at DATA + 0x400 in a page of zeros, and ESP is wherever the request puts it: STACK to STACK + 0x2000 is there,
 * zeros. Each case ends in a signal, most in that of the INT3 behind it.
 *
 * Nothing but those pages and this program is mapped, so that a stray access faults here as it does in an empty machine.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define CODE 0x10000000u
#define DATA 0x20000000u
#define STACK 0x30000000u
#define PAGE 0x1000u

/* EAX ECX EDX EBX ESP EBP ESI EDI */
struct request {
  u32 gpr[8];
  u32 eflags;
  u32 length;
  u8 code[56];
  u8 memory[64];
};

struct answer {
  u32 gpr[8];
  u32 eflags;
  u32 trap; /* the exception's vector */
  u32 error;
  u32 cr2;
  u32 eip;
  u32 signal; /* 26: it did not end; 31: it made a system call */
  u8 memory[64];
  u8 stack[64]; /* 32 bytes below the middle of the stack and 32 above */
};

/* As the kernel lays out a signal frame: asm/sigcontext.h, asm/ucontext.h. */
struct context {
  u32 segments[4];
  u32 edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip, cs, eflags, esp_at_signal, ss;
  void *fpu;
  u32 mask, cr2;
};

struct ucontext {
  u32 flags;
  void *link, *stack;
  u32 stack_flags, stack_size;
  struct context machine;
};

struct action {
  void *handler;
  u32 flags;
  void *restorer;
  u32 mask[2];
};

static struct request request;
static struct answer answers[256];
static u32 answered, cases, cases_at_alarm;
static u8 signal_stack[65536] __attribute__((aligned(64)));
static u8 main_stack[65536] __attribute__((aligned(64)));
static u8 input[65536];
static u32 input_used, input_there;

/* For the assembly. */
u32 guest[8], guest_eflags, guest_code, own_esp;
u8 *const main_stack_top = main_stack + sizeof main_stack;

void enter(void), leave(void), return_from_signal(void);

__asm__(
    ".text\n"
    ".globl _start\n"
    "_start: mov main_stack_top, %esp\n"
    "  call begin\n"
    /* Into the case; the signal's handler comes back to leave. */
    ".globl enter\n"
    "enter: pusha\n"
    "  mov %esp, own_esp\n"
    "  pushl guest_eflags\n"
    "  popf\n"
    "  mov guest+16, %esp\n"
    "  mov guest, %eax\n"
    "  mov guest+4, %ecx\n"
    "  mov guest+8, %edx\n"
    "  mov guest+12, %ebx\n"
    "  mov guest+20, %ebp\n"
    "  mov guest+24, %esi\n"
    "  mov guest+28, %edi\n"
    "  jmp *guest_code\n"
    ".globl leave\n"
    "leave: mov own_esp, %esp\n"
    "  pushl $2\n"
    "  popf\n"
    "  popa\n"
    "  ret\n"
    ".globl return_from_signal\n"
    "return_from_signal: mov $173, %eax\n"
    "  int $0x80\n");

static long call6(long n, long a, long b, long c, long d, long e, long f) {
  long rest[2] = {f, e}, result, last = (long)rest;
  __asm__ volatile(
      "push %%ebp; mov (%%edi), %%ebp; mov 4(%%edi), %%edi; int $0x80; pop %%ebp"
      : "=a"(result), "+D"(last)
      : "0"(n), "b"(a), "c"(b), "d"(c), "S"(d)
      : "memory");
  return result;
}

static long call3(long n, long a, long b, long c) { return call6(n, a, b, c, 0, 0, 0); }

static void quit(int status) {
  for (;;) call3(252, status, 0, 0);
}

static void copy(u8 *to, const u8 *from, u32 length) {
  while (length-- > 0) *to++ = *from++;
}

static void fill(u32 at, u8 byte, u32 length) {
  u32 *to = (u32 *)at;
  for (u32 k = 0; k < length / 4; k++) to[k] = byte * 0x01010101u;
}

static void flush(void) {
  u8 *at = (u8 *)answers;
  u32 left = answered * sizeof *answers;
  while (left > 0) {
    long done = call3(4, 1, (long)at, left);
    if (done <= 0) quit(3);
    at += done;
    left -= done;
  }
  answered = 0;
}

/* 0 when there is no more. */
static int next_request(void) {
  u8 *to = (u8 *)&request;
  for (u32 got = 0; got < sizeof request; got++) {
    if (input_used == input_there) {
      flush();
      long done = call3(3, 0, (long)input, sizeof input);
      if (done <= 0) return 0;
      input_there = done;
      input_used = 0;
    }
    to[got] = input[input_used++];
  }
  return 1;
}

static void on_signal(u32 number, void *info, struct ucontext *at) {
  struct context *m = &at->machine;
  (void)info;
  if (number == 26 && (m->eip - CODE >= PAGE || cases != cases_at_alarm)) {
    /* Only a case that two alarms find at work is one that does not end. */
    cases_at_alarm = cases;
    return;
  }
  if (m->eip - 0x08048000 < 0x100000 && number != 31) quit(4);
  struct answer *a = &answers[answered];
  const u32 gpr[8] = {m->eax, m->ecx, m->edx, m->ebx, m->esp, m->ebp, m->esi, m->edi};
  for (int k = 0; k < 8; k++) a->gpr[k] = gpr[k];
  a->eflags = m->eflags;
  a->trap = m->trap;
  a->error = m->error;
  a->cr2 = m->cr2;
  a->eip = m->eip;
  a->signal = number;
  __asm__ volatile("jmp leave");
}

/* System calls from anywhere but this program become a signal: a case must not be able to make one. */
static void confine(void) {
  struct instruction {
    u16 code;
    u8 yes, no;
    u32 k;
  };
  static struct instruction filter[] = {
      {0x20, 0, 0, 8},          /* the low half of the instruction pointer */
      {0x35, 0, 2, 0x08048000}, /* at least */
      {0x35, 1, 0, 0x08148000},
      {0x06, 0, 0, 0x7fff0000}, /* allowed */
      {0x06, 0, 0, 0x00030000}, /* SIGSYS */
  };
  static struct {
    u16 length;
    struct instruction *filter;
  } program = {sizeof filter / sizeof *filter, filter};
  if (call6(172, 38, 1, 0, 0, 0, 0) != 0) quit(5);
  if (call6(172, 22, 2, (long)&program, 0, 0, 0) != 0) quit(5);
}

static void map(u32 at, u32 length, int rights) {
  if (call6(192, at, length, rights, 0x32, -1, 0) != (long)at) quit(6);
}

void begin(void) {
  static struct {
    void *at;
    int flags;
    u32 size;
  } stack = {signal_stack, 0, sizeof signal_stack};
  static struct action action = {on_signal, 0x5c000004, return_from_signal, {0, 0}};
  static const u8 signals[] = {4, 5, 7, 8, 11, 26, 31};
  static const u32 tick[4] = {0, 50000, 0, 50000};

  /* The kernel's stack and vdso: away with them, up to the end of the address space under an x86-64 kernel or an i386 one. */
  if (call3(91, 0x40000000, 0xbfffe000, 0) != 0 && call3(91, 0x40000000, 0x80000000, 0) != 0) quit(6);
  map(CODE, PAGE, 7);
  fill(CODE, 0xcc, PAGE);
  map(DATA, PAGE, 3);
  map(STACK, 2 * PAGE, 3);
  call3(186, (long)&stack, 0, 0);
  for (u32 k = 0; k < sizeof signals; k++) call6(174, signals[k], (long)&action, 0, 8, 0, 0);
  call3(104, 1, (long)tick, 0); /* of processor time */
  confine();

  while (next_request()) {
    if (request.length > sizeof request.code) quit(7);
    fill(DATA, 0, PAGE);
    fill(STACK, 0, 2 * PAGE);
    call3(125, CODE, PAGE, 7);
    fill(CODE + 0x200, 0xcc, sizeof request.code);
    copy((u8 *)CODE + 0x200, request.code, request.length);
    call3(125, CODE, PAGE, 5); /* which the case cannot change */
    copy((u8 *)DATA + 0x400, request.memory, sizeof request.memory);
    for (int k = 0; k < 8; k++) guest[k] = request.gpr[k];
    guest_eflags = (request.eflags & 0xcd5) | 2;
    guest_code = CODE + 0x200;
    cases++;
    enter();
    struct answer *a = &answers[answered++];
    copy(a->memory, (u8 *)DATA + 0x400, sizeof a->memory);
    copy(a->stack, (u8 *)STACK + PAGE - 32, sizeof a->stack);
    if (answered == sizeof answers / sizeof *answers) flush();
  }
  flush();
  quit(0);
}
