/**
 * What instruction bodies leave to the system half: everything that looks at descriptors, control registers, privilege or ports.
 *
 * Two ways in. An *exit* ends the instruction and returns a `Status`. A *call* returns a value, and the body goes on; when it has to
 * fault it records the fault and throws the front end's fault object. Either may throw that object. `pc` in the state is the
 * instruction's own address; whoever needs the address behind it is given it as `next`. Numbers are i32.
 *
 * What the bodies rely on: `rights` of a segment in real or virtual-8086 mode say present, writable, expand-up data (CS as well, since
 * there a code segment can be written), so that the inline check passes; a null selector has rights 0. After a successful
 * exit which changes mode, CS, or anything that decoding depends on, `mode` and `fetchBase` are up to date.
 */
export type Helpers = {
  // --- faults (exits)

  /** Raises a fault without an error code: #DE 0, #BR 5, #UD 6, #NM 7. */
  readonly raise: (vector: number) => number;
  /** Raises a fault with an error code: #GP 13, #SS 12. */
  readonly raiseCode: (vector: number, code: number) => number;
  /** #UD for bytes that are no instruction of this CPU, or LOCK where it may not stand; says so on the trace, once a kind. */
  readonly undefinedOpcode: () => number;

  // --- segments

  /**
   * Call. An access whose inline check did not pass: `segment` 0..5, `offset` inside it, `access` = width in bytes, plus 0x100 for a
   * write. Returns 0 when it is allowed after all (expand-down, readable code), else #GP(0), or #SS(0) for SS. SDM vol. 3 sections 5.3, 5.5.
   */
  readonly segmentCheck: (segment: number, offset: number, access: number) => number;
  /** Call. As `loadSegment` for DS, ES, FS and GS where that changes nothing in how code is decoded and faults in nothing but reading the descriptor: 0; else 1, and nothing was done. */
  readonly reloadSegment: (segment: number, selector: number) => number;
  /** Exit. MOV to a segment register: checks and loads; loading SS holds off interrupts for one instruction. SDM vol. 3 section 5.6. */
  readonly loadSegment: (segment: number, selector: number) => number;
  /** Exit. POP to a segment register: as `loadSegment`; ESP becomes `esp` when that succeeded. */
  readonly popSegment: (segment: number, selector: number, esp: number) => number;
  /** Exit. LDS, LES, LFS, LGS, LSS: as `loadSegment`, then 32 bits of `value` go to the register at state offset `register`. */
  readonly loadFar: (segment: number, selector: number, register: number, value: number) => number;

  // --- control transfers (exits); `size` is the operand size in bytes, 2 or 4

  /** JMP far; `next` is where a task that it leaves goes on. */
  readonly farJump: (selector: number, offset: number, size: number, next: number) => number;
  /** CALL far: pushes CS and `next`. */
  readonly farCall: (selector: number, offset: number, size: number, next: number) => number;
  /** RET far, and `release` bytes of parameters. */
  readonly farReturn: (size: number, release: number) => number;
  /** IRET; `next` is where a task that it leaves goes on. SDM vol. 3 section 6.12.1. */
  readonly interruptReturn: (size: number, next: number) => number;
  /** INT n: a software interrupt, checked against the gate's DPL, in virtual-8086 mode against IOPL. */
  readonly interrupt: (vector: number, next: number) => number;
  /** INT3 (CC): vector 3, a trap, never checked against IOPL. */
  readonly breakpoint: (next: number) => number;
  /** INTO with OF set: vector 4, a trap. */
  readonly overflow: (next: number) => number;
  /** INT1 (F1): vector 1, without checks of the gate's DPL. */
  readonly debugTrap: (next: number) => number;
  /** SYSENTER, SYSEXIT: SDM vol. 2; #UD on a CPU without them. */
  readonly sysenter: () => number;
  readonly sysexit: () => number;

  // --- EFLAGS (exits)

  /** POPF: `value` of `size` bytes was popped; what may be changed follows from CPL and IOPL. ESP becomes `esp` when nothing faulted. */
  readonly popFlags: (value: number, size: number, esp: number) => number;
  /** PUSHF in virtual-8086 mode (elsewhere it is IR): #GP(0) when IOPL < 3, else pushes. `flags` is the image as PUSHF would store it. */
  readonly pushFlagsV86: (flags: number, size: number) => number;
  /** CLI, STI: IOPL against CPL, else #GP(0). STI holds off interrupts for one instruction when IF was 0. */
  readonly cli: () => number;
  /** REP MOVS and REP STOS in flat segments, upwards: many steps at once, each counted as an instruction. */
  readonly moveBulk: (width: number) => number;
  readonly storeBulk: (width: number) => number;
  readonly sti: () => number;

  // --- ports; width 1, 2 or 4; IOPL and the TSS's bitmap decide. SDM vol. 1 section 18.5

  /** Exit. IN: AL, AX or EAX becomes what the port gives. */
  readonly inPort: (port: number, width: number) => number;
  /** Exit. OUT: the low `width` bytes of `value`. */
  readonly outPort: (port: number, width: number, value: number) => number;
  /** Call. INS and OUTS: #GP(0) unless the port may be used; does nothing else and returns 0. */
  readonly checkPort: (port: number, width: number) => number;
  /** Call. After `checkPort`: what the port gives, zero-extended. */
  readonly readPort: (port: number, width: number) => number;
  /** Call. After `checkPort`; returns 0. */
  readonly writePort: (port: number, width: number, value: number) => number;

  // --- control and debug registers, system tables (exits). Each checks its privilege: #GP(0) unless CPL is 0

  readonly movToCr: (register: number, value: number) => number;
  /** The general register at state offset `destination` becomes the control register's value. */
  readonly movFromCr: (register: number, destination: number) => number;
  readonly movToDr: (register: number, value: number) => number;
  readonly movFromDr: (register: number, destination: number) => number;
  /** LMSW: bits 3..0; PE is never cleared. */
  readonly lmsw: (value: number) => number;
  readonly clts: () => number;
  /** `base` has 24 bits when the operand size is 16: the body has cut it already. */
  readonly lgdt: (base: number, limit: number) => number;
  readonly lidt: (base: number, limit: number) => number;
  readonly lldt: (selector: number) => number;
  readonly ltr: (selector: number) => number;
  readonly invlpg: (linear: number) => number;
  /** INVD and WBINVD. */
  readonly flushCaches: () => number;
  /** Waits for an interrupt at `next`. */
  readonly halt: (next: number) => number;

  // --- descriptors asked for (exits). The selector is 16 bits; ZF says whether it may be used and nothing else changes when not.

  /** VERR, VERW. SDM vol. 3 section 5.10. */
  readonly verr: (selector: number) => number;
  readonly verw: (selector: number) => number;
  /** LAR, LSL: what is found goes to the `size` bytes at state offset `destination`. */
  readonly lar: (selector: number, destination: number, size: number) => number;
  readonly lsl: (selector: number, destination: number, size: number) => number;

  // --- identification, counters, MSRs (exits); operands and results in EAX, EBX, ECX, EDX

  readonly cpuid: () => number;
  /** RDTSC: #GP(0) when CR4.TSD and CPL is not 0. */
  readonly rdtsc: () => number;
  readonly rdpmc: () => number;
  readonly rdmsr: () => number;
  readonly wrmsr: () => number;
};

export type HelperName = keyof Helpers;
