import type { NodeView, PostgresView } from "./node_view.ts";

/**
 * A replica that was seen to run under the armed switch of the process before us, which may have asked for its promotion:
 * the end of the lease that the switch guards, and since when the replica is down.
 */
export interface GuardedReplica {
  readonly endsMs: number;
  /** Boot clock; null: it runs. */
  readonly downMs: number | null;
}

/** Goes on with what is known while the replica is down; a replica that runs without such a switch forgets it. */
export function watchGuarded(
  known: GuardedReplica | null,
  { armed, nowMs, postgres }: NodeView,
): GuardedReplica | null {
  if (postgres.kind === "down") return known && { ...known, downMs: known.downMs ?? nowMs };
  if (!wasReplica(postgres) || armed?.inherited !== true) return null;
  return { endsMs: armed.endsMs, downMs: null };
}

function wasReplica(postgres: PostgresView): boolean {
  return postgres.kind === "replica" || (postgres.kind === "starting" && postgres.asReplica) ||
    (postgres.kind === "silent" && postgres.lastRole === "replica");
}
