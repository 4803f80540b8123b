import type { Hit, Write } from "../../scripts/playground/history.ts";
import type { Reign } from "./reigns.ts";

/** A commit is at a streaming standby after this time at the latest, also on a machine that is short of CPU. */
export const SHIP_MS = 1_000;
/** An agent that goes on, or was started, takes part in a race again after this time. */
export const SETTLE_MS = 4_000;

/** What an excuse is looked for in. */
export interface Evidence {
  readonly reigns: readonly Reign[];
  readonly hits: readonly Hit[];
  /** Ids that the last leader has. */
  readonly present: ReadonlySet<number>;
}

/**
 * Why a confirmed write may be missing, or null when it may not. Replication is asynchronous, so a write is promised
 * only when a standby streamed in its moment and was there for the election, and then only when the server
 * that confirmed it lived long enough to send it.
 */
export function excuseOf(write: Write, evidence: Evidence): string | null {
  const { reigns, hits } = evidence;
  const reign = reigns.find((one) =>
    one.member === write.member && one.timeline === write.timeline
  );
  if (reign === undefined) throw new TypeError(`Cannot find the reign of write ${write.id}`);
  const fatal = hits.find((hit) => cutsShort(hit, write, reign));
  if (fatal !== undefined) return `its server was hit (${fatal.how}) at that moment`;
  const next = reigns.find((one) => one.firstMs > reign.lastMs && one.member !== reign.member);
  const untilMs = next?.firstMs ?? Infinity;
  const isThere = (name: string): boolean =>
    !hits.some((hit) => hit.member === name && keepsAway(hit, write.askedMs, untilMs));
  if (!write.standbys.some(isThere)) return "no standby streamed and was there for the election";
  // The next leader had it, and lost it with everything of its own: those writes are judged.
  return isGoneWhole(next, evidence) ? `lost with all of ${next?.member}` : null;
}

/** A killed postmaster sends nothing more; a stopped one lives on until the switch kills it, which ends its reign. */
function cutsShort(hit: Hit, write: Write, reign: Reign): boolean {
  if (hit.part !== "postmaster" || hit.member !== write.member) return false;
  const begins = hit.fromMs - SHIP_MS <= write.endedMs;
  if (hit.how === "kill") return begins && write.askedMs <= hit.fromMs + SHIP_MS;
  return begins && write.askedMs <= hit.toMs && write.endedMs > reign.lastMs - SHIP_MS;
}

/** The switch matters to nobody who stands by. */
function keepsAway(hit: Hit, fromMs: number, untilMs: number): boolean {
  if (hit.part === "switch") return false;
  return hit.fromMs <= untilMs && hit.toMs + SETTLE_MS >= fromMs;
}

function isGoneWhole(reign: Reign | undefined, { present }: Evidence): boolean {
  return reign !== undefined && reign.writes.every(({ id }) => !present.has(id));
}
