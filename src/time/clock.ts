/** A point in time to come. Setting it again moves it. */
export interface Alarm {
  readonly name: string;
  /** In nanoseconds, or Infinity when it is not set. */
  readonly due: number;
  /** To be told at `time`; one in the past is due at once. */
  set(time: number): void;
  cancel(): void;
}

/** What a chip knows of time. Nanoseconds since the machine was made; never goes back. */
export interface Clock {
  readonly now: number;
  alarm(name: string, ring: (now: number) => void): Alarm;
}

/** A clock which can be made to wait for the host. */
export interface Holds {
  /** Whether time is the host's own: it passes while the host works, and a request takes what the host takes for it. */
  readonly isHostTime: boolean;
  /** Stops time, and the guest with it, until the function it gives is called. `name` says who is late. */
  hold(name: string): () => void;
}

class QueuedAlarm implements Alarm {
  readonly name: string;
  readonly ring: (now: number) => void;
  due = Number.POSITIVE_INFINITY;
  readonly #queue: AlarmQueue;

  constructor(queue: AlarmQueue, name: string, ring: (now: number) => void) {
    this.#queue = queue;
    this.name = name;
    this.ring = ring;
  }

  set(time: number): void {
    this.#queue.set(this, time);
  }

  cancel(): void {
    this.#queue.cancel(this);
  }
}

/** Alarms in the order in which they are due; those due at the same time ring in the order in which they were set. */
export class AlarmQueue {
  /** Those which are set, the next one first. A machine has a few dozen and sets a few of them, so a list will do. */
  readonly #waiting: QueuedAlarm[] = [];
  /** Told when the earliest alarm may have changed: whoever runs the CPU looks at its budget again. */
  onChange: (() => void) | undefined;

  alarm(name: string, ring: (now: number) => void): Alarm {
    return new QueuedAlarm(this, name, ring);
  }

  set(alarm: QueuedAlarm, time: number): void {
    this.#place(alarm, time);
    this.onChange?.();
  }

  cancel(alarm: QueuedAlarm): void {
    if (alarm.due === Number.POSITIVE_INFINITY) return;
    this.#place(alarm, Number.POSITIVE_INFINITY);
    this.onChange?.();
  }

  /** When the earliest alarm is due, or Infinity. */
  get due(): number {
    return this.#waiting[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  /** Rings the earliest alarm when it is due by `now`, and that one only: a clock which may be told to hold looks in between. */
  ringNext(now: number): boolean {
    const next = this.#waiting[0];
    if (next === undefined || next.due > now) return false;
    this.#place(next, Number.POSITIVE_INFINITY);
    next.ring(now);
    return true;
  }

  /** Cancels every alarm: the state which they followed from is about to be another. */
  clear(): void {
    for (const alarm of this.#waiting) alarm.due = Number.POSITIVE_INFINITY;
    this.#waiting.length = 0;
    this.onChange?.();
  }

  /** Puts an alarm where it belongs: behind those due at the same time, and nowhere when it is not to ring. */
  #place(alarm: QueuedAlarm, time: number): void {
    const waiting = this.#waiting;
    let at = alarm.due === Number.POSITIVE_INFINITY ? waiting.push(alarm) - 1 : waiting.indexOf(alarm);
    alarm.due = time;
    for (; at > 0 && (waiting[at - 1] as QueuedAlarm).due > time; at--) waiting[at] = waiting[at - 1] as QueuedAlarm;
    for (; at + 1 < waiting.length && (waiting[at + 1] as QueuedAlarm).due <= time; at++)
      waiting[at] = waiting[at + 1] as QueuedAlarm;
    waiting[at] = alarm;
    if (time === Number.POSITIVE_INFINITY) waiting.pop();
  }
}

/** A clock for tests, which moves when it is told to. */
export class ManualClock implements Clock, Holds {
  /** What it says of itself; it moves when it is told to all the same. */
  isHostTime = false;
  readonly #alarms = new AlarmQueue();
  #now = 0;
  /** How many holds have not been let go. */
  holds = 0;

  get now(): number {
    return this.#now;
  }

  alarm(name: string, ring: (now: number) => void): Alarm {
    return this.#alarms.alarm(name, ring);
  }

  hold(_name: string): () => void {
    this.holds++;
    let held = true;
    return () => {
      if (held) this.holds--;
      held = false;
    };
  }

  /** Lets time pass, stopping at each alarm on the way. A hold ends it there: the rest does not pass. */
  advance(nanoseconds: number): void {
    const end = this.#now + nanoseconds;
    while (this.holds === 0 && this.#alarms.due <= end) {
      this.#now = Math.max(this.#now, this.#alarms.due);
      this.#alarms.ringNext(this.#now);
    }
    if (this.holds === 0) this.#now = end;
  }
}
