/** A job in virtual time: it yields the milliseconds it wants to sleep. */
export type Steps<T> = Generator<number, T, void>;

/** What can hold all processes of one agent still at once. */
export class Host {
  /** A dead host's processes never run again. */
  alive = true;
  /** How many faults hold it still. */
  stalls = 0;
  readonly parked = new Set<Process>();

  get stalled(): boolean {
    return this.stalls > 0;
  }
}

/** A running generator; a killed one never runs again. */
export class Process {
  alive = true;
  version = 0;
  readonly steps: Steps<void>;
  readonly host: Host;

  constructor(steps: Steps<void>, host: Host) {
    this.steps = steps;
    this.host = host;
  }
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly version: number;
  readonly work: Process | (() => void);
}

/** Virtual time: one event after the other, ties in the order of their making. */
export class Scheduler {
  nowMs = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  /** Starts a process after what is already due, `delayMs` from now. */
  spawn(steps: Steps<void>, host: Host, delayMs = 0): Process {
    const process = new Process(steps, host);
    this.#push(this.nowMs + delayMs, process);
    return process;
  }

  /** Calls `work` at a moment (not earlier than now). */
  at(ms: number, work: () => void): void {
    this.#push(Math.max(ms, this.nowMs), work);
  }

  /** Ends the sleep of a process now. */
  wake(process: Process): void {
    process.version++;
    this.#push(this.nowMs, process);
  }

  /** Lets an agent run on that nothing holds still any more. */
  resume(host: Host): void {
    if (host.stalled) return;
    for (const process of host.parked) this.#push(this.nowMs, process);
    host.parked.clear();
  }

  /** Runs the next event if it is due by `untilMs`; false when there is none (time is then `untilMs`). */
  step(untilMs: number): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > untilMs) {
      this.nowMs = Math.max(this.nowMs, untilMs);
      return false;
    }
    this.#pop();
    this.nowMs = first.atMs;
    if (first.work instanceof Process) this.#resume(first.work, first.version);
    else first.work();
    return true;
  }

  #resume(process: Process, version: number): void {
    if (!process.alive || !process.host.alive || version !== process.version) return;
    if (process.host.stalled) {
      process.host.parked.add(process);
      return;
    }
    const { done, value } = process.steps.next();
    if (done) process.alive = false;
    else if (process.alive) this.#push(this.nowMs + Math.max(0, value), process);
  }

  #push(atMs: number, work: Entry["work"]): void {
    const version = work instanceof Process ? work.version : 0;
    const heap = this.#heap;
    const entry = { atMs, order: this.#order++, version, work };
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    while (true) {
      let child = 2 * place + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left !== undefined && right !== undefined && isBefore(right, left)) child++;
      const below = heap[child];
      if (below === undefined || isBefore(last, below)) break;
      heap[place] = below;
      place = child;
    }
    heap[place] = last;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
