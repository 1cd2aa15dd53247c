/** Where the registers are after reset, and where the 1 MiB of message addresses always is (SDM vol. 3 section 10.11.1). */
export const lapicBase = 0xfee0_0000;

/** Integrated APIC, version 0x14, six LVT entries (0-5). */
export const version = 0x0005_0014;

export const apicBaseBootstrap = 1 << 8;
export const apicBaseEnable = 1 << 11;
export const spuriousEnable = 0x100;
export const masked = 0x1_0000;
export const levelTriggered = 0x8000;
export const remoteIrr = 0x4000;
export const periodicMode = 0x2_0000;

/** Bits of ESR. */
export const sendIllegalVector = 0x20;
export const receiveIllegalVector = 0x40;
export const illegalRegister = 0x80;

/** Entries of the local vector table, in the order of their registers from 0x320 on. */
export const lvtTimer = 0;
export const lvtLint0 = 3;
export const lvtLint1 = 4;
export const lvtError = 5;
/** What can be written of each: vector, mask, and what the entry has of mode, polarity and trigger (SDM figure 10-8). */
export const lvtWritable = [0x3_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff] as const;

/** Everything the chip keeps, as after reset (SDM vol. 3 section 10.4.7.1). */
export function initial() {
  return {
    base: lapicBase + apicBaseEnable + apicBaseBootstrap,
    id: 0,
    tpr: 0,
    ldr: 0,
    dfr: 0xffff_ffff,
    svr: 0xff,
    esr: 0,
    /** Errors since ESR was last written. */
    errors: 0,
    icrLow: 0,
    icrHigh: 0,
    lvt: new Uint32Array(6).fill(masked),
    isr: new Uint32Array(8),
    tmr: new Uint32Array(8),
    irr: new Uint32Array(8),
    initialCount: 0,
    divide: 0,
    start: 0,
    expired: true,
    earliest: 0,
    /** Levels of LINT0 and LINT1. */
    lint: new Uint8Array(2),
    /** An ExtINT message of the IO-APIC waits. */
    extInt: false,
  };
}

export type LapicState = ReturnType<typeof initial>;

/** Whether a message is for this APIC: by its ID or by its logical one (SDM section 10.6.2). */
export function isMine(s: LapicState, destination: number, logical: boolean): boolean {
  if (!logical) return destination === 0xff || destination === s.id;
  const mine = s.ldr >>> 24;
  // Flat: a bit each. Cluster: the upper half names the cluster, or all of them (section 10.6.2.2).
  if (s.dfr >>> 28 === 0xf) return (destination & mine) !== 0;
  const cluster = destination >>> 4;
  return (cluster === 0xf || cluster === mine >>> 4) && (destination & mine & 0x0f) !== 0;
}

/** PPR, from TPR and the highest vector in service or -1 (SDM section 10.8.3.1). */
export function processorPriority(tpr: number, inService: number): number {
  const service = Math.max(inService, 0) & 0xf0;
  return (tpr & 0xf0) >= service ? tpr : service;
}

/** APR, from the highest vector requested too (SDM section 10.6.2.4). */
export function arbitrationPriority(tpr: number, inService: number, requested: number): number {
  const service = Math.max(inService, 0) & 0xf0;
  const request = Math.max(requested, 0) & 0xf0;
  return (tpr & 0xf0) >= request && (tpr & 0xf0) > service ? tpr : Math.max(tpr & 0xf0, service, request);
}
