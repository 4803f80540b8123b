import type { Clock } from "../base/clock.ts";
import type { Session } from "./session.ts";

/** Pause between looks at the postmaster without a session that would tell of its death. */
const BLIND_MS = 200;
/** The sessions end a moment before the postmaster itself has ended. */
const ENDING_MS = 20;

/**
 * Waits until it is time to look whether the postmaster is alive; at once when `signal` aborts. Every backend ends when
 * its postmaster dies (PostgreSQL source, WL_POSTMASTER_DEATH), so the end of an open session tells before any look would.
 */
export async function nextDeathLook(
  clock: Clock,
  session: Pick<Session, "isOpen" | "onEnd"> | null,
  signal: AbortSignal,
): Promise<void> {
  if (session?.isOpen !== true) return await clock.sleep(BLIND_MS, signal);
  const waiting = new AbortController();
  const stop = (): void => waiting.abort();
  signal.addEventListener("abort", stop, { once: true });
  let hasEnded = false;
  using _end = session.onEnd(() => {
    hasEnded = true;
    stop();
  });
  await clock.beat(waiting.signal);
  signal.removeEventListener("abort", stop);
  if (hasEnded) await clock.sleep(ENDING_MS, signal);
}
