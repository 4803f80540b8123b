import type { Lsn } from "./lsn.ts";
import type { NodeView } from "./node_view.ts";
import type { Settings } from "./settings.ts";

/** A replica that does not stream from a leader that was seen running: since when, and where its replay stands. */
export interface StuckReplica {
  readonly leader: string;
  readonly replayedLsn: Lsn | null;
  readonly sinceMs: number;
}

const WAIT_MIN_MS = 120_000;
const LOOPS = 12;
const DOUBLINGS_MAX = 6;

/**
 * Goes on with what is known while nothing moves. A stream, a replay that goes on, another leader, one that does not answer
 * and a store that is silent begin it anew; it begins when the leader's server has answered.
 */
export function watchStuck(known: StuckReplica | null, view: NodeView): StuckReplica | null {
  const { cluster, postgres, leader } = view;
  if (cluster.kind !== "seen" || postgres.kind !== "replica" || postgres.streaming) return null;
  const holder = cluster.lock?.holder ?? null;
  if (holder === null || holder === view.self.name) return null;
  const { replayedLsn } = postgres;
  const isSame = known?.leader === holder && known.replayedLsn === replayedLsn;
  if (leader === "not asked") return isSame ? known : null;
  if (leader.kind === "failed" || leader.name !== holder) return null;
  return isSame ? known : { leader: holder, replayedLsn, sinceMs: view.nowMs };
}

/** How long a replica may be stuck before a copy replaces it; twice as long after each copy that did not help. */
export function stuckLimitMs({ loopWaitS }: Settings, vainCopies: number): number {
  const limitMs = Math.max(WAIT_MIN_MS, LOOPS * loopWaitS * 1000);
  return limitMs * 2 ** Math.min(vainCopies, DOUBLINGS_MAX);
}
