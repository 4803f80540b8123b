import type { Clock } from "../base/clock.ts";

/** The least time from the start of one tick to the next, beyond the burst: no storm of wake-ups turns into a storm of requests. */
const TICK_MIN_MS = 100;
/** Ticks that may follow one another at once: a takeover is a chain of events, each of which another one waits for. */
const BURST = 4;

/** How soon the next tick may begin. */
export class TickLimit {
  readonly #clock: Clock;
  /** Each tick takes `TICK_MIN_MS` of time that has passed since, `BURST` of them at most; this is how much is taken. */
  #takenMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A tick begins. */
  begin(): void {
    const leastMs = this.#clock.bootMs() - BURST * TICK_MIN_MS;
    this.#takenMs = Math.max(this.#takenMs, leastMs) + TICK_MIN_MS;
  }

  /** Milliseconds until the next one may; 0: now. */
  untilNextMs(): number {
    return Math.max(0, this.#takenMs - this.#clock.bootMs());
  }
}
