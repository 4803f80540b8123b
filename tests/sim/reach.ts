import type { Result } from "./simulate.ts";

/** What stands outside the agent has acted in each of its ways. */
export const GUARDS = ["switch-INT", "switch-QUIT", "switch-KILL", "watchdog-reset"];

/** What failsafe mode and a handover have come to. */
export const FEATS = ["consented", "beyond-lease", "verified-handover"];

/** Which of these kinds has never struck, or which of these rungs has never answered, in all of these runs. */
export function missing(
  wanted: readonly string[],
  results: readonly Result[],
  what: "struck" | "rules",
): readonly string[] {
  const reached = new Set(results.flatMap((result) => [...result[what].keys()]));
  return wanted.filter((name) => !reached.has(name));
}
