import type { Action } from "../action.ts";
import { clusterTimeline } from "../candidate.ts";
import type { ClusterView } from "../cluster_view.ts";
import { whyUnlisted } from "../failsafe.ts";
import type { Memory } from "../memory.ts";
import { mayBePromoted } from "../memory.ts";
import type { NodeView, PrimaryView } from "../node_view.ts";
import { authorityEndsMs, hasEnded, isPaused, leaseEnded, lockSide, timingOf } from "./facts.ts";
import { cleanEnd } from "./guards.ts";
import { forgetPromise, promiseOf, whyPromised } from "./promised.ts";
import { act, actAndLook } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";

const HOLD: Action = { kind: "hold-lock" };

/**
 * Maintenance mode (spec 4.10): nothing is started, stopped, promoted, demoted or copied by itself. What goes on is left
 * to the rungs below: a leader keeps house, a replica is pointed to the leader, a named candidate takes over, and a
 * server that this agent itself has stopped comes back.
 */
export const paused: Rule = {
  name: "paused",
  when: "the cluster is in maintenance mode",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    if (cluster.kind !== "seen" || !isPaused(view, memory)) return null;
    switch (postgres.kind) {
      case "no-data":
      case "unreadable":
        return withoutData(view);
      case "down":
        return whileDown(view, memory);
      case "starting":
      case "silent":
        return act(`the server is ${postgres.kind}`, holdUnlessEnded(view, memory));
      case "primary":
        return asPrimary(view, memory, cluster, postgres);
      default:
        return asReplica(view, memory, cluster);
    }
  },
};

function withoutData(view: NodeView): Answer {
  const why =
    "the data directory is empty or unreadable, and nothing is copied in maintenance mode";
  return act(why, releaseOwn(view));
}

/**
 * Stopped by an operator it stays so (case D24); stopped by this agent, for a handover, or by the switch of the process
 * before it, it is brought back.
 */
function whileDown(view: NodeView, memory: Memory): Answer | null {
  if (hasEnded(view, "stop", "done") || wasFenced(view, memory)) return null;
  return act("the server is not running, and is not started in maintenance mode", releaseOwn(view));
}

/** It went down when the switch was due, and not before: then only an operator can have stopped it. */
function wasFenced(view: NodeView, memory: Memory): boolean {
  const { downMs, endsMs } = memory.guardedReplica ?? { downMs: null, endsMs: 0 };
  return downMs !== null && downMs >= endsMs - timingOf(view, memory).stopBeforeMs;
}

function releaseOwn(view: NodeView): readonly Action[] {
  if (lockSide(view) !== "me") return [];
  return [{ kind: "release-lock", lastLsn: cleanEnd(view) }];
}

/** Cases N3, N6, H4 and L1: it runs on, with the lock or without. */
function asPrimary(
  view: NodeView,
  memory: Memory,
  cluster: ClusterView,
  postgres: PrimaryView,
): Answer | null {
  const side = lockSide(view);
  if (side === "me") {
    if (authorityEndsMs(view, memory) !== null) return null;
    const why = "the lease is not renewed; running on as a primary";
    return act(why, holdUnlessEnded(view, memory));
  }
  if (side === "other") {
    return act(`running on as a primary, although ${cluster.lock?.holder} holds the lock`, []);
  }
  if (cluster.systemId === "" || postgres.timeline < clusterTimeline(cluster.history)) {
    return act("running on as a primary without the lock, which must not be taken with it", []);
  }
  const promise = promiseOf(view);
  const bound = whyUnlisted(cluster, view.self.name) ??
    (promise?.to ? whyPromised(view, cluster) : null);
  if (bound !== null) return act(`running on as a primary without the lock: ${bound}`, []);
  const take: Action = { kind: "take-lock" };
  return actAndLook("acquired session lock as a leader", [...forgetPromise(view), take]);
}

/** Cases N1, N2, H6: the lock is for a primary; only the candidate that an operator names becomes one. */
function asReplica(view: NodeView, memory: Memory, cluster: ClusterView): Answer | null {
  const isNamed = isCandidate(cluster, view.self.name) || mayBePromoted(memory);
  const side = lockSide(view);
  if (side === "other" || isNamed) return null;
  if (side === "nobody") return act("nobody leads, and nobody is promoted", []);
  if (leaseEnded(view, memory)) return null;
  return act("giving the lock up: the server is a replica", [
    { kind: "release-lock", lastLsn: null },
  ]);
}

function isCandidate({ handover }: ClusterView, me: string): boolean {
  return handover !== null && handover.candidate === me && handover.scheduledAtMs === null;
}

function holdUnlessEnded(view: NodeView, memory: Memory): readonly Action[] {
  return lockSide(view) === "me" && !leaseEnded(view, memory) ? [HOLD] : [];
}
