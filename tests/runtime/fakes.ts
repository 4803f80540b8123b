import { BEAT_MS } from "../../lib/base/clock.ts";
import type { Clock } from "../../lib/base/clock.ts";
import type { LeaseFile, StoredLease } from "../../lib/runtime/lease_file.ts";

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Time that moves only when a test says so. */
export class VirtualClock implements Clock {
  #nowMs = 1_000_000;
  readonly #sleepers = new Set<Sleeper>();

  bootMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_767_261_600_000 + this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => {
      this.#sleepers.delete(sleeper);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const sleeper: Sleeper = { atMs: this.#nowMs + Math.max(0, ms), wake };
    this.#sleepers.add(sleeper);
    signal?.addEventListener("abort", wake, { once: true });
    return promise;
  }

  beat(signal?: AbortSignal): Promise<void> {
    return this.sleep(BEAT_MS, signal);
  }

  /** Moves on by `ms`, and wakes sleepers in the order of their times. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Sleeper | null {
    const due = [...this.#sleepers].filter(({ atMs }) => atMs <= untilMs);
    return due.sort((one, other) => one.atMs - other.atMs)[0] ?? null;
  }
}

/** A lease file in memory. */
export class MemoryLeaseFile implements LeaseFile {
  stored: StoredLease | null = null;

  load(): Promise<StoredLease | null> {
    return Promise.resolve(this.stored);
  }

  save(lease: StoredLease): Promise<void> {
    this.stored = lease;
    return Promise.resolve();
  }
}
