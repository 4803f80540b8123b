import type { Action } from "../action.ts";
import { answered, successors } from "../candidate.ts";
import type { ClusterView, HandoverWish } from "../cluster_view.ts";
import type { Memory } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import { authorityEndsMs } from "./facts.ts";
import { act, actAndLook } from "./rule.ts";
import type { Answer } from "./rule.ts";

const HOLD: Action = { kind: "hold-lock" };

/** Nobody writes while the question runs: where the operator named a successor, no other one is waited for. */
export function askHeirs({ handover }: ClusterView): Action {
  const only = handover?.candidate ?? null;
  return only === null ? { kind: "ask-peers" } : { kind: "ask-peers", only };
}

/**
 * A server on its way down has written its shutdown checkpoint and takes no more writes; only its archiver or WAL
 * senders keep it (case D14). The lock need not wait for them once a member that may lead has that checkpoint. Null: this
 * is not so, and the stop goes on under the lock.
 */
export function releaseEarly(view: NodeView, memory: Memory): Answer | null {
  const { cluster, postgres, peers } = view;
  if (cluster.kind !== "seen" || postgres.kind !== "silent") return null;
  if (authorityEndsMs(view, memory) === null) return null;
  const { state, checkpointLsn } = postgres.stopping ?? { state: "", checkpointLsn: null };
  if (state !== "shut down" || checkpointLsn === null) return null;
  if (peers === "not asked") {
    const why = "the server has written its shutdown checkpoint: asking who has it";
    return actAndLook(why, [HOLD, askHeirs(cluster)]);
  }
  const only = cluster.handover?.candidate ?? null;
  const able = successors(cluster, peers, { only, except: null });
  const heir = answered(peers).find(({ name, lsn }) => able.includes(name) && lsn >= checkpointLsn);
  if (heir === undefined) return null;
  return act(`${heir.name} has the shutdown checkpoint: releasing the lock before the stop ends`, [
    { kind: "release-lock", lastLsn: checkpointLsn, ...verified(cluster.handover) },
  ]);
}

/** What tells the candidate that an operator named that it has everything, so that it need not ask anybody. */
export function verified(wish: HandoverWish | null): { readonly handoverRevision?: bigint } {
  return wish === null || wish.candidate === null ? {} : { handoverRevision: wish.revision };
}
