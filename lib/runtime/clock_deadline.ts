import type { Clock } from "../base/clock.ts";
import type { Deadline } from "../base/deadline.ts";

/**
 * A signal that aborts after `ms` of this clock or together with `parent`, whichever is first; the
 * reason is a `DOMException` named `TimeoutError`, or the parent's. Unlike `within` it follows a virtual clock.
 */
export function withinClock(clock: Clock, ms: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const disposed = new AbortController();
  const follow = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  parent?.addEventListener("abort", follow, { once: true });
  void clock.sleep(Math.max(0, ms), disposed.signal).then(() => {
    if (disposed.signal.aborted) return;
    controller.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
  });
  return {
    signal: controller.signal,
    [Symbol.dispose](): void {
      disposed.abort();
      parent?.removeEventListener("abort", follow);
    },
  };
}

/** True when `signal` aborted before `work` ended; never rejects and leaves `work` to its owner. */
export async function outlasts(work: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const ended = (): void => resolve(false);
  work.then(ended, ended); // first of all, or its failure would be nobody's
  if (signal.aborted) return true;
  const abort = (): void => resolve(true);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** How long a piece of work may take, and how long after that it may still come to its own end. */
export interface Limits {
  readonly ms: number;
  readonly patienceMs: number;
}

/**
 * The result of `work`, which is given a signal that aborts after `ms`; "late" when it has not ended `patienceMs` after
 * that. Whatever hangs in an adapter, the loop goes on: a tick that waits for ever would never stop a server.
 */
export async function inTime<T>(
  clock: Clock,
  { ms, patienceMs }: Limits,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | "late"> {
  using deadline = withinClock(clock, ms, parent);
  using patience = withinClock(clock, ms + patienceMs, parent);
  const result = work(deadline.signal);
  return await outlasts(result, patience.signal) ? "late" : await result;
}
