import type { OldData, Source } from "../action.ts";
import type { ClusterView } from "../cluster_view.ts";
import { endOfStopped, judgeFork } from "../divergence.ts";
import type { LocalEnd } from "../divergence.ts";
import type { Memory } from "../memory.ts";
import type { NodeView, ReplicaView } from "../node_view.ts";
import { whyStuck } from "./follow.ts";
import { isForeign } from "./guards.ts";

/**
 * Whether a running replica that is to be copied anew may hold what no other member has: its history forked from the
 * leader's, or it is stuck. A stream begins with the comparison of both histories, so one that streams holds nothing of
 * its own. "not known": the leader's history must be looked at first.
 */
export function mustBeKept(
  view: NodeView,
  memory: Memory,
  cluster: ClusterView,
  leader: Source,
): "yes" | "no" | "not known" {
  const { postgres } = view;
  if (postgres.kind !== "replica" || postgres.streaming) return "no";
  if (view.leader === "not asked") return "not known";
  const end = lastOf(postgres);
  if (end !== null && isBeyond(view, end, leader) === true) return "yes";
  return whyStuck(view, memory, { cluster, postgres }, leader) === null ? "no" : "yes";
}

/**
 * What a copy on an operator's order does with the data of a server that is down: only what is proved to be a part of the
 * leader's history is removed. "not known": the leader's history must be looked at first.
 */
export function oldDataOf(view: NodeView, leader: Source): OldData | "not known" {
  const { postgres, task } = view;
  if (postgres.kind === "no-data") return "refuse";
  if (postgres.kind !== "down" || isForeign(view)) return "move-aside";
  const { state } = postgres.control;
  const wasReplica = state.includes("recovery") && state !== "in crash recovery";
  const wasForked = task.kind === "ended" && task.task.kind === "stop" && task.task.forked === true;
  const end = endOfStopped(postgres.control);
  if (!wasReplica || wasForked || end === null) return "move-aside";
  if (view.leader === "not asked") return "not known";
  return isBeyond(view, end, leader) === false ? "remove" : "move-aside";
}

/** Everything that was received counts: a client may have been told that it is safe here. */
function lastOf({ timeline, receivedLsn, replayedLsn }: ReplicaView): LocalEnd | null {
  const lsn = receivedLsn !== null && (replayedLsn === null || receivedLsn > replayedLsn)
    ? receivedLsn
    : replayedLsn;
  return timeline === null || lsn === null ? null : { timeline, lsn, inclusive: false };
}

/** Null: the leader has not shown its history. */
function isBeyond({ leader: report }: NodeView, end: LocalEnd, leader: Source): boolean | null {
  if (report === "not asked" || report.kind === "failed" || report.name !== leader.name) {
    return null;
  }
  const fork = judgeFork(end, report);
  return fork === "unknown" ? null : fork === "forked";
}
