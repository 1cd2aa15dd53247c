/*
 * Runs x86 user-mode instructions on the processor it runs on and says what they did. Any i386 or x86-64 Linux:
 *
 *     i686-linux-gnu-gcc -O2 -fno-stack-protector -fno-pic -no-pie -mno-sse -mno-mmx -ffreestanding -nostdlib -static -o x86-oracle x86-oracle.c
 *
 *     x86-oracle [ENTRY BASE LIMIT FLAGS]...
 *
 * The arguments, in hex, are descriptors for the LDT: FLAGS as the last word of struct user_desc. Requests come in on stdin, answers
 * go out on stdout, both as the structures below. The code lies at CODE + 0x200 in a page of INT3 that cannot be written unless the request
 * says so, the memory at DATA + 0x400 in a page of zeros, and ESP is wherever the request puts it: STACK to STACK + 0x2000 is there, zeros. Each
 * case ends in a signal, most in that of the INT3 behind it.
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
  u32 eip;     /* where it begins, as an offset in CS */
  u32 options; /* WRITABLE */
  u16 selectors[8]; /* ES CS SS DS FS GS */
  u8 code[56];
  u8 memory[64];
  u8 unused[8];
  u8 fpu[288]; /* the first part of an FXSAVE image: words, ST, XMM0 to XMM7 */
};

#define WRITABLE 1

struct answer {
  u32 gpr[8];
  u32 eflags;
  u32 trap; /* the exception's vector */
  u32 error;
  u32 cr2;
  u32 eip;
  u32 signal; /* 26: it did not end; 31: it made a system call */
  u32 selectors[6];
  u8 memory[64];
  u8 stack[64]; /* 32 bytes below the middle of the stack and 32 above */
  u8 code[56];
  u8 unused[8];
  u8 fpu[288];
};

/* As the kernel lays out a signal frame: asm/sigcontext.h, asm/ucontext.h. */
struct context {
  u32 segments[4];
  u32 edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip, cs, eflags, esp_at_signal, ss;
  u8 *fpu; /* an FSAVE image, 112 bytes, and an FXSAVE image behind it */
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
static struct answer answers[128];
static u32 answered, running, alarms;
static u8 signal_stack[65536] __attribute__((aligned(64)));
static u8 main_stack[65536] __attribute__((aligned(64)));
static u8 input[65536];
static u32 input_used, input_there;

/* For the assembly. */
u32 guest[8], guest_eflags, own_esp;
u16 guest_selectors[8];
struct {
  u32 offset;
  u16 selector;
} guest_code;
u8 guest_fpu[512] __attribute__((aligned(16)));
u8 *const main_stack_top = main_stack + sizeof main_stack;

void enter(void), leave(void), return_from_signal(void);

__asm__(
    ".text\n"
    ".globl _start\n"
    "_start: mov %esp, %eax\n"
    "  mov main_stack_top, %esp\n"
    "  push %eax\n"
    "  call begin\n"
    /* Into the case; the signal's handler comes back to leave. */
    ".globl enter\n"
    "enter: pusha\n"
    "  mov %esp, own_esp\n"
    "  fxrstor guest_fpu\n"
    "  mov guest_selectors, %es\n"
    "  mov guest_selectors+8, %fs\n"
    "  mov guest_selectors+10, %gs\n"
    "  pushl guest_eflags\n"
    "  popf\n"
    "  mov %cs:guest, %eax\n"
    "  mov %cs:guest+4, %ecx\n"
    "  mov %cs:guest+8, %edx\n"
    "  mov %cs:guest+12, %ebx\n"
    "  mov %cs:guest+20, %ebp\n"
    "  mov %cs:guest+24, %esi\n"
    "  mov %cs:guest+28, %edi\n"
    "  mov %cs:guest_selectors+6, %ds\n"
    "  mov %cs:guest_selectors+4, %ss\n"
    "  mov %cs:guest+16, %esp\n"
    "  ljmpl *%cs:guest_code\n"
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
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
}

static void fill(u32 at, u8 byte, u32 length) {
  length /= 4;
  __asm__ volatile("rep stosl" : "+D"(at), "+c"(length) : "a"(byte * 0x01010101u) : "memory");
}

static int equal(const u8 *a, const u8 *b, u32 length) {
  while (length > 0 && *a == *b) a++, b++, length--;
  return length == 0;
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
  for (u32 got = 0; got < sizeof request;) {
    if (input_used == input_there) {
      flush();
      long done = call3(3, 0, (long)input, sizeof input);
      if (done <= 0) return 0;
      input_there = done;
      input_used = 0;
    }
    u32 some = sizeof request - got;
    if (some > input_there - input_used) some = input_there - input_used;
    copy(to + got, input + input_used, some);
    got += some;
    input_used += some;
  }
  return 1;
}

static void on_signal(u32 number, void *info, struct ucontext *at) {
  struct context *m = &at->machine;
  (void)info;
  if (number == 26 && !running) return;
  /* A case that an alarm finds at work is tried again, as the way back would change null selectors; at the second alarm it is one that does not end. */
  if (number == 26 && alarms++ == 0) __asm__ volatile("jmp leave");
  /* In this program: the case jumped into it, or begins with what cannot be. A jump to where nothing is, is the case's own. */
  u32 nowhere = m->trap == 14 && m->cr2 == m->eip;
  if ((!running || (m->eip - 0x08048000 < 0x100000 && !nowhere)) && number != 31) quit(4);
  struct answer *a = &answers[answered];
  const u32 gpr[8] = {m->eax, m->ecx, m->edx, m->ebx, m->esp, m->ebp, m->esi, m->edi};
  for (int k = 0; k < 8; k++) a->gpr[k] = gpr[k];
  a->eflags = m->eflags;
  a->trap = m->trap;
  a->error = m->error;
  a->cr2 = m->cr2;
  a->eip = m->eip;
  a->signal = number;
  const u32 selectors[6] = {m->segments[2], m->cs, m->ss, m->segments[3], m->segments[1], m->segments[0]};
  for (int k = 0; k < 6; k++) a->selectors[k] = selectors[k] & 0xffff;
  copy(a->fpu, m->fpu + 112, sizeof a->fpu);
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

static u32 number(const char **text) {
  u32 value = 0;
  for (; **text != 0; ++*text) value = value * 16 + (**text & 15) + (**text >= 'a' ? 9 : 0);
  return value;
}

/* argc, argv[0], and then four arguments a descriptor. */
static void descriptors(const u32 *arguments) {
  const char **text = (const char **)arguments + 2;
  for (u32 left = (arguments[0] - 1) / 4; left > 0; left--, text += 4) {
    u32 entry[4]; /* struct user_desc */
    for (int k = 0; k < 4; k++) {
      const char *one = text[k];
      entry[k] = number(&one);
    }
    if (call3(123, 0x11, (long)entry, sizeof entry) != 0) quit(8);
  }
}

void begin(const u32 *arguments) {
  static struct {
    void *at;
    int flags;
    u32 size;
  } stack = {signal_stack, 0, sizeof signal_stack};
  static struct action action = {on_signal, 0x5c000004, return_from_signal, {0, 0}};
  static const u8 signals[] = {4, 5, 7, 8, 11, 26, 31};
  static const u32 tick[4] = {0, 50000, 0, 50000};

  static u8 known_code[56];
  u32 known_length = ~0u;

  descriptors(arguments);
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
    alarms = 0;
  again:;
    u32 alarms_before = alarms;
    fill(DATA, 0, PAGE);
    fill(STACK, 0, 2 * PAGE);
    u32 writable = request.options & WRITABLE;
    if (writable || request.length != known_length || !equal(known_code, request.code, request.length)) {
      call3(125, CODE, PAGE, 7);
      fill(CODE, 0xcc, PAGE);
      copy((u8 *)CODE + 0x200, request.code, request.length);
      copy(known_code, request.code, request.length);
      known_length = writable ? ~0u : request.length;
      if (!writable) call3(125, CODE, PAGE, 5);
    }
    copy((u8 *)DATA + 0x400, request.memory, sizeof request.memory);
    for (int k = 0; k < 8; k++) guest[k] = request.gpr[k];
    guest_eflags = (request.eflags & 0xcd5) | 2;
    guest_code.offset = request.eip;
    guest_code.selector = request.selectors[1];
    for (int k = 0; k < 6; k++) guest_selectors[k] = request.selectors[k];
    copy(guest_fpu, request.fpu, sizeof request.fpu);
    running = 1;
    enter();
    running = 0;
    if (alarms == 1 && alarms_before == 0) goto again;
    struct answer *a = &answers[answered++];
    copy(a->memory, (u8 *)DATA + 0x400, sizeof a->memory);
    copy(a->stack, (u8 *)STACK + PAGE - 32, sizeof a->stack);
    copy(a->code, (u8 *)CODE + 0x200, sizeof a->code);
    if (answered == sizeof answers / sizeof *answers) flush();
  }
  flush();
  quit(0);
}
