import type { CommandContext } from "./command.ts";
import { lookOrNull } from "./look.ts";

/** Who led, who shall lead (null: anybody else), and how long to look. */
export interface Awaited {
  readonly former: string | null;
  readonly candidate: string | null;
  readonly limitMs: number;
}

const EVERY_MS = 1000;

/** Looks into the store each second until the wished leader holds the lock; null when the time is over. */
export async function awaitLeader(
  { cluster, clock }: Pick<CommandContext, "cluster" | "clock">,
  { former, candidate, limitMs }: Awaited,
): Promise<string | null> {
  const endMs = clock.bootMs() + limitMs;
  do {
    const holder = (await lookOrNull(cluster))?.lock?.holder ?? null;
    if (holder !== null && (candidate === null ? holder !== former : holder === candidate)) {
      return holder;
    }
    await clock.sleep(EVERY_MS);
  } while (clock.bootMs() < endMs);
  return null;
}
