import { within } from "../base/deadline.ts";
import { DcsUnreachable } from "../base/errors.ts";
import type { CommandContext } from "./command.ts";

/** Who led, who shall lead (null: anybody else), and how long to look. */
export interface Awaited {
  readonly former: string | null;
  readonly candidate: string | null;
  readonly limitMs: number;
}

const EVERY_MS = 1000;
const LOOK_MS = 5000;

/** Looks into the store each second until the wished leader holds the lock; null when the time is over. */
export async function awaitLeader(
  { cluster, clock }: Pick<CommandContext, "cluster" | "clock">,
  { former, candidate, limitMs }: Awaited,
): Promise<string | null> {
  const endMs = clock.bootMs() + limitMs;
  do {
    const holder = await holderNow(cluster);
    if (holder !== null && (candidate === null ? holder !== former : holder === candidate)) {
      return holder;
    }
    await clock.sleep(EVERY_MS);
  } while (clock.bootMs() < endMs);
  return null;
}

async function holderNow(cluster: CommandContext["cluster"]): Promise<string | null> {
  using deadline = within(LOOK_MS);
  try {
    const view = await cluster.read(deadline.signal);
    return view.lock?.holder ?? null;
  } catch (error) {
    if (error instanceof DcsUnreachable) return null; // nothing learned: look again
    throw error;
  }
}
