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
  const ended = Promise.withResolvers<boolean>();
  using _end = session.onEnd(() => ended.resolve(true));
  const waited = clock.beat(signal).then(() => false);
  if (await Promise.race([ended.promise, waited])) await clock.sleep(ENDING_MS, signal);
}
