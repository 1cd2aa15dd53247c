import type { Alarm, Clock, Holds } from "../time/clock.ts";
import { FrameFifo } from "./frame-fifo.ts";
import { Inbox } from "./inbox.ts";
import type { NetworkBackend } from "./network.ts";

/** From a frame's end to its arrival, and also how far one machine's time may run ahead of another's. In virtual nanoseconds. */
const usualLatency = 100_000;
/** Frames which a station may send within a round, and which may be on their way to it. */
const outboxSize = 64;
const inFlight = 1024;

/**
 * An Ethernet hub between machines of one process: what one station sends, all others receive, a latency later.
 *
 * Each machine has a clock of its own, and the host runs them one after the other, as it likes. So time is cut into rounds as long as
 * the latency: a machine at the end of its round is held until all others are there, then the frames of the round are handed
 * out. None of them is due before the next round, hence no machine ever receives in its past, and the traffic is the same
 * whatever the order in which the host runs them. A machine alone is never held.
 *
 * Whoever runs one of several machines must run the others too, or close their ports.
 */
export class Hub {
  readonly name: string;
  readonly #latency: number;
  readonly #members: Member[] = [];
  readonly #ports: HubPort[] = [];
  #stations = 0;
  /** Rounds which have ended. */
  #round = 0;

  /** @param latency in virtual nanoseconds. */
  constructor(name: string, latency = usualLatency) {
    this.name = name;
    this.#latency = latency;
  }

  /** How many ports have a machine. */
  get size(): number {
    return this.#ports.length;
  }

  /** A new port, for one device. */
  port(): NetworkBackend {
    return new HubPort(`hub ${this.name}`, this.#stations++, {
      join: (port, clock) => this.#join(port, clock),
      leave: (port) => this.#leave(port),
      sent: (port, frame) => this.#sent(port, frame),
      restored: (member) => member.begin(this.#round, this.#latency),
    });
  }

  /** Two devices of one machine share its clock and so its place in the round. */
  #join(port: HubPort, clock: Clock & Holds): Member {
    let member = this.#members.find((one) => one.clock === clock);
    if (member === undefined) {
      member = new Member(clock, `hub ${this.name}`, () => this.#reached());
      this.#members.push(member);
      // Who was alone until now has no round yet.
      if (this.#members.length === 2) this.#members[0]?.begin(this.#round, this.#latency);
      if (this.#members.length >= 2) member.begin(this.#round, this.#latency);
    }
    this.#ports.push(port);
    return member;
  }

  #leave(port: HubPort): void {
    const at = this.#ports.indexOf(port);
    if (at < 0) return;
    this.#ports.splice(at, 1);
    const { member } = port;
    if (member === undefined || this.#ports.some((other) => other.member === member)) return;
    this.#members.splice(this.#members.indexOf(member), 1);
    member.stop();
    if (this.#members.length === 1) this.#endRound();
    else this.#reached();
  }

  /** Within one machine a frame needs no round. */
  #sent(from: HubPort, frame: Uint8Array): void {
    if (from.member === undefined) return;
    if (this.#members.length > 1) {
      from.outbox.push(frame, from.member.hubTime);
      return;
    }
    const arrival = from.member.clock.now + this.#latency;
    for (const port of this.#ports) if (port !== from) port.expect(frame, arrival);
  }

  /** A member is at the end of its round. When all are, the next one begins. */
  #reached(): void {
    if (this.#members.length > 0 && this.#members.every((member) => member.arrived)) this.#endRound();
  }

  #endRound(): void {
    this.#round++;
    this.#deliver();
    for (const member of this.#members)
      if (this.#members.length > 1) member.proceed(this.#latency);
      else member.stop();
    for (const port of this.#ports) port.onRoom?.();
  }

  /** The frames of a round, in the order in which they were sent; at the same time, in that of the stations. */
  #deliver(): void {
    for (;;) {
      let next: HubPort | undefined;
      for (const port of this.#ports)
        if (port.outbox.time < (next?.outbox.time ?? Number.POSITIVE_INFINITY)) next = port;
      const frame = next?.outbox.first;
      if (next === undefined || frame === undefined) return;
      const arrival = next.outbox.time + this.#latency;
      for (const port of this.#ports) if (port !== next) port.expect(frame, port.member?.local(arrival) ?? 0);
      next.outbox.shift();
    }
  }
}

/** A machine at a hub: its clock against the hub's, and whether it waits for the others. */
class Member {
  readonly clock: Clock & Holds;
  /** At the end of its round. */
  arrived = false;
  readonly #alarm: Alarm;
  #release: (() => void) | undefined;
  /** Hub time less the clock's. */
  #offset = 0;
  /** When its round ends, by its clock. */
  #end = 0;

  constructor(clock: Clock & Holds, name: string, reached: () => void) {
    this.clock = clock;
    this.#alarm = clock.alarm(name, () => {
      this.arrived = true;
      this.#release = clock.hold(name);
      reached();
    });
  }

  get hubTime(): number {
    return this.clock.now + this.#offset;
  }

  local(hubTime: number): number {
    return hubTime - this.#offset;
  }

  /** Sets its clock against the hub's: the round begins now, or has just ended for one which waits. */
  begin(round: number, latency: number): void {
    const { now } = this.clock;
    this.#end = this.arrived ? now : now + latency;
    this.#offset = (round + 1) * latency - this.#end;
    if (!this.arrived) this.#alarm.set(this.#end);
  }

  proceed(latency: number): void {
    this.#end += latency;
    this.#alarm.set(this.#end);
    this.#letGo();
  }

  /** No rounds any more. */
  stop(): void {
    this.#alarm.cancel();
    this.#letGo();
  }

  #letGo(): void {
    this.arrived = false;
    this.#release?.();
    this.#release = undefined;
  }
}

interface HubWires {
  join(port: HubPort, clock: Clock & Holds): Member;
  leave(port: HubPort): void;
  sent(port: HubPort, frame: Uint8Array): void;
  restored(member: Member): void;
}

class HubPort implements NetworkBackend {
  readonly station: number;
  readonly linkUp = true;
  /** What was sent in this round. */
  readonly outbox = new FrameFifo(outboxSize);
  onRoom: (() => void) | undefined;
  onFrame: (() => void) | undefined;
  onLink: (() => void) | undefined;
  member: Member | undefined;
  readonly #name: string;
  readonly #hub: HubWires;
  readonly #inbox = new Inbox(inFlight);

  constructor(name: string, station: number, hub: HubWires) {
    this.#name = name;
    this.station = station;
    this.#hub = hub;
    this.#inbox.onFrame = () => this.onFrame?.();
  }

  attach(clock: Clock & Holds): void {
    this.#inbox.attach(clock, this.#name);
    this.member = this.#hub.join(this, clock);
  }

  get room(): number {
    return this.outbox.room;
  }

  send(frame: Uint8Array): void {
    this.#hub.sent(this, frame);
  }

  /** From the hub: a frame which arrives at this time of the machine's own clock. */
  expect(frame: Uint8Array, time: number): void {
    this.#inbox.expect(frame, time);
  }

  get first(): Uint8Array | undefined {
    return this.#inbox.first;
  }

  take(): void {
    this.#inbox.take();
  }

  flush(): void {
    this.#inbox.flush();
  }

  restored(): void {
    this.outbox.clear();
    this.#inbox.clear();
    if (this.member !== undefined) this.#hub.restored(this.member);
  }

  close(): void {
    this.#hub.leave(this);
    this.outbox.clear();
    this.#inbox.clear();
  }
}
