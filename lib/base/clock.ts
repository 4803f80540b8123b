/** Time as the product needs it; tests and the simulator bring their own. */
export interface Clock {
  /** Milliseconds since boot, going on in suspend (CLOCK_BOOTTIME); the only clock for leases and deadlines. */
  bootMs(): number;
  /** Epoch milliseconds; for schedules and for people, never for intervals. */
  wallMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; it never rejects, callers look at the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Resolves within a second, for all who wait at that time at once, or for one as soon as its `signal` aborts. For looks
   * that are due about once a second: with a timer each they would wake an idle process three times as often.
   */
  beat(signal?: AbortSignal): Promise<void>;
}

/** The pause that `beat` never exceeds. */
export const BEAT_MS = 1000;

/** Those who wait for the next beat; the timer runs only while there is one. */
const waiting = new Set<() => void>();
let beating: ReturnType<typeof setTimeout> | undefined;

function beatNow(): void {
  beating = undefined;
  for (const wake of [...waiting]) wake();
}

/**
 * The machine's clock. `/proc/uptime` is CLOCK_BOOTTIME on Linux (proc(5)), shared by all processes, in steps of
 * 10 ms; `performance.now()` would stand still while the host is suspended.
 */
export const systemClock: Clock = {
  bootMs(): number {
    const [seconds] = Deno.readTextFileSync("/proc/uptime").split(" ");
    return Math.round(Number(seconds) * 1000);
  },
  wallMs(): number {
    return Date.now();
  },
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      signal?.addEventListener("abort", done, { once: true });
    });
  },
  beat(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        waiting.delete(done);
        if (waiting.size === 0) clearTimeout(beating);
        if (waiting.size === 0) beating = undefined;
        signal?.removeEventListener("abort", done);
        resolve();
      };
      waiting.add(done);
      beating ??= setTimeout(beatNow, BEAT_MS);
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};
