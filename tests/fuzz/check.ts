import type { Hit, Write } from "../../scripts/playground/history.ts";
import { excuseOf } from "./excuse.ts";
import { type Reign, reignsOf } from "./reigns.ts";

/** What clients saw, what was done to the cluster, and what was left. */
export interface History {
  readonly writes: readonly Write[];
  readonly hits: readonly Hit[];
  /** Ids that the last leader has. */
  readonly present: ReadonlySet<number>;
}

/** A promise that was broken. */
export interface Violation {
  readonly kind: "overlap" | "older-timeline" | "lost" | "ghost" | "not-healed";
  /** Boot clock. */
  readonly atMs: number;
  readonly what: string;
}

/** Everything in a history that must not be, in the order of time. */
export function violationsOf(history: History): readonly Violation[] {
  const reigns = reignsOf(history.writes);
  return [
    ...overlapsOf(reigns),
    ...lossesOf(history).filter(({ excuse }) => excuse === null).map(lossViolation),
    ...ghostsOf(history),
  ].sort((one, other) => one.atMs - other.atMs);
}

/**
 * Reigns that share a moment, or go back to an older timeline. Both ends are times of confirmations: a commit is never
 * later than its confirmation, so no overlap stays hidden. A confirmation read late cannot make one up
 * either: a server is killed 0.4 s before its lease ends, and another wins after that.
 */
export function overlapsOf(reigns: readonly Reign[]): readonly Violation[] {
  return reigns.flatMap((late, place) =>
    reigns.slice(0, place).flatMap((early): readonly Violation[] => {
      const what = `${nameOf(early)} and ${nameOf(late)}`;
      if (late.firstMs < early.lastMs) {
        const sharedMs = Math.min(early.lastMs, late.lastMs) - late.firstMs;
        return [{ kind: "overlap", atMs: late.firstMs, what: `${what} share ${sharedMs} ms` }];
      }
      const isOlder = late.timeline < early.timeline;
      return isOlder ? [{ kind: "older-timeline", atMs: late.firstMs, what }] : [];
    })
  );
}

/** A confirmed write that the last leader does not have, and what excuses that. */
export interface Loss {
  readonly write: Write;
  readonly excuse: string | null;
}

/** All confirmed writes that the last leader does not have. */
export function lossesOf({ writes, hits, present }: History): readonly Loss[] {
  const reigns = reignsOf(writes);
  return writes
    .filter(({ outcome, id }) => outcome === "confirmed" && !present.has(id))
    .map((write) => ({ write, excuse: excuseOf(write, { reigns, hits, present }) }));
}

/** What a server refused must not be there. */
function ghostsOf({ writes, present }: History): readonly Violation[] {
  return writes
    .filter(({ outcome, id }) => outcome === "refused" && present.has(id))
    .map(({ id, member, endedMs }) => ({
      kind: "ghost",
      atMs: endedMs,
      what: `write ${id}, refused by ${member}, is there`,
    }));
}

function lossViolation({ write }: Loss): Violation {
  const { id, member, timeline, standbys, endedMs } = write;
  const streaming = standbys.length === 0 ? "nobody" : standbys.join(" and ");
  const what = `write ${id}, confirmed by ${member} on timeline ${timeline}, while ` +
    `${streaming} streamed, is lost`;
  return { kind: "lost", atMs: endedMs, what };
}

function nameOf({ member, timeline }: Reign): string {
  return `${member} on timeline ${timeline}`;
}
