import { BEAT_MS } from "../../../lib/base/clock.ts";
import type { Clock } from "../../../lib/base/clock.ts";
import type { Scheduler, Steps } from "../schedule.ts";
import { Host } from "../schedule.ts";

/** What the wall clock of a host is ahead of true time. */
const WALL_EPOCH_MS = 1_800_000_000_000;

/** Says that promises were settled: what waits for them has to run before virtual time moves on. */
export class Stir {
  #isPending = false;

  set(): void {
    this.#isPending = true;
  }

  /** True when something was settled since the last call. */
  take(): boolean {
    const was = this.#isPending;
    this.#isPending = false;
    return was;
  }
}

/** What a life is made of. */
export interface LifeOptions {
  readonly scheduler: Scheduler;
  readonly stir: Stir;
  /** CLOCK_BOOTTIME of the host now. */
  readonly bootMs: () => number;
  readonly wallJumpMs: () => number;
}

/**
 * One agent process in virtual time: everything it waits for ends through here, so that nothing of it goes on while its
 * host is stalled, and nothing at all once it is dead.
 */
export class Life implements Clock {
  readonly host = new Host();
  readonly #options: LifeOptions;

  constructor(options: LifeOptions) {
    this.#options = options;
  }

  bootMs(): number {
    return this.#options.bootMs();
  }

  wallMs(): number {
    return WALL_EPOCH_MS + this.#options.scheduler.nowMs + this.#options.wallJumpMs();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.host.alive) return never();
    if (signal?.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const process = this.#options.scheduler.spawn(this.#end(resolve), this.host, Math.max(0, ms));
    const abort = (): void => {
      process.alive = false;
      this.#settle(resolve);
    };
    signal?.addEventListener("abort", abort, { once: true });
    if (signal === undefined) return promise;
    return promise.then(() => signal.removeEventListener("abort", abort));
  }

  beat(signal?: AbortSignal): Promise<void> {
    return this.sleep(BEAT_MS, signal);
  }

  /** Runs steps as a part of this life; an abort of `signal` ends the sleep they are in. */
  perform<T>(steps: Steps<T>, signal: AbortSignal): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    const { scheduler } = this.#options;
    const process = scheduler.spawn(this.#carry(steps, resolve, signal), this.host);
    const abort = (): void => {
      if (process.alive) scheduler.wake(process);
    };
    signal.addEventListener("abort", abort, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", abort));
  }

  *#end(resolve: () => void): Steps<void> {
    this.#settle(resolve);
    yield 0;
  }

  /** An abort that comes before the first sleep ends that one. */
  *#carry<T>(steps: Steps<T>, resolve: (value: T) => void, signal: AbortSignal): Steps<void> {
    let step = steps.next();
    for (let isFirst = true; !step.done; isFirst = false) {
      yield isFirst && signal.aborted ? 0 : step.value;
      step = steps.next();
    }
    const { value } = step;
    this.#settle(() => resolve(value));
  }

  #settle(resolve: () => void): void {
    if (!this.host.alive) return;
    this.#options.stir.set();
    resolve();
  }
}

/** A promise that nothing ever settles. */
export function never<T>(): Promise<T> {
  return Promise.withResolvers<T>().promise;
}
