const PAUSE_MS = 50;

/** Resolves after `ms`, at once for a time that is over. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** What a condition saw: `met` ends the waiting, `seen` is told when the deadline passes. */
export interface Seen<T> {
  readonly met: T | null;
  readonly seen: string;
}

/**
 * Asks until the condition is met and returns what it gave. After `deadlineMs` it throws an error that carries the
 * last state seen; an error of the condition itself counts as a state.
 */
export async function waitFor<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<Seen<T>>,
): Promise<T> {
  const endsAt = performance.now() + deadlineMs;
  let last = "not asked";
  while (performance.now() < endsAt) {
    try {
      const { met, seen } = await look();
      if (met !== null) return met;
      last = seen;
    } catch (error) {
      last = String(error);
    }
    await pause(PAUSE_MS);
  }
  throw new Error(`Cannot see ${what} within ${deadlineMs} ms: ${last}`);
}

/** Milliseconds that `work` took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return Math.round(performance.now() - began);
}
