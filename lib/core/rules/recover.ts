import type { Action } from "../action.ts";
import { clusterTimeline, successors } from "../candidate.ts";
import type { ClusterView } from "../cluster_view.ts";
import { endOfStopped, judgeFork } from "../divergence.ts";
import type { Memory } from "../memory.ts";
import type { ControlData, NodeView, PostgresView, RestartWish } from "../node_view.ts";
import { restartUnderWay, startLimitMs } from "./errands.ts";
import {
  authorityEndsMs,
  hasDataElsewhere,
  isLongEmpty,
  isPaused,
  isUnfounded,
  leaderMember,
  lockSide,
  restUntilMs,
} from "./facts.ts";
import { watchdogObstacle } from "../watchdog.ts";
import { identityFirst } from "./housekeeping.ts";
import { finishHandover, stoppedForHandover } from "./handover.ts";
import { mayRewind, rewindTo } from "./rewind.ts";
import { act, actAndLook } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { cloneFrom, sourceOf, wantedUpstream } from "./sources.ts";

type Down = Extract<PostgresView, { kind: "down" }>;

const HOLD: Action = { kind: "hold-lock" };
const START_TIMEOUT_MIN_MS = 30_000;
const LOOK_AGAIN_MS = 1000;

/** The server is down under the lock: it comes back as the primary, or the lock goes to somebody else. */
export const recoverLeader: Rule = {
  name: "recover-leader",
  when: "the server is down and this node holds the lock",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    if (cluster.kind !== "seen" || postgres.kind !== "down") return null;
    const endsMs = authorityEndsMs(view, memory);
    if (endsMs === null) return null;
    const stopped = stoppedForHandover(view, cluster);
    if (stopped !== null) return finishHandover(view, cluster, stopped);
    const gaveUp = whyGiveUp(view, memory, cluster, postgres.control);
    if (gaveUp !== null) return act(gaveUp, [{ kind: "release-lock", lastLsn: null }]);
    if (isRecoveryState(postgres.control)) {
      const task = { kind: "start-replica", upstream: null } as const;
      return act("starting read-only first, then promoting", [HOLD, { kind: "start-task", task }]);
    }
    const start = startPrimary(view, memory, cluster, endsMs);
    const identity = identityFirst(cluster, memory, postgres.control.systemId);
    const actions = start.actions.flatMap((action) => {
      return action.kind === "start-task" ? [...identity, action] : [action];
    });
    return { ...start, actions };
  },
};

function isRecoveryState(control: ControlData): boolean {
  return control.state === "shut down in recovery" || control.state === "in archive recovery";
}

function whyGiveUp(
  view: NodeView,
  memory: Memory,
  cluster: ClusterView,
  control: ControlData,
): string | null {
  const sinceMs = memory.downSinceMs ?? view.nowMs;
  const { kind, lastMs } = memory.failedTask ?? { kind: "", lastMs: -Infinity };
  if (kind === "promote" && lastMs > (memory.gaveUpMs ?? -Infinity)) {
    return "the promotion failed: giving the lock up";
  }
  if (["start-primary", "start-replica"].includes(kind) && lastMs >= sinceMs) {
    return "the server did not start: giving the lock up";
  }
  // After a promotion the checkpoint is on the timeline before until its own one ends; recovery goes to the newer of both.
  const timeline = Math.max(control.timeline, control.minRecovery?.timeline ?? 0);
  if (timeline < clusterTimeline(cluster.history)) {
    return "the data directory is behind the cluster's timeline: giving the lock up";
  }
  const limitMs = cluster.settings.primaryStartTimeoutS * 1000;
  if (limitMs === 0 || view.nowMs - sinceMs <= limitMs) return null;
  return "the server has been down for too long: giving the lock up";
}

/** With `primary_start_timeout` 0 a healthy peer takes over instead; without one, starting is all that is left (D2, D3). */
function startPrimary(
  view: NodeView,
  memory: Memory,
  cluster: ClusterView,
  notAfterMs: number,
): Answer {
  const restart = restartUnderWay(view);
  if (restart !== null) return startAgain(view, memory, { notAfterMs, restart });
  const limitMs = cluster.settings.primaryStartTimeoutS * 1000;
  if (limitMs === 0 && view.peers === "not asked") {
    return actAndLook("asking who could take over", [HOLD, { kind: "ask-peers" }]);
  }
  const peers = view.peers === "not asked" ? [] : view.peers;
  if (limitMs === 0 && successors(cluster, peers, { only: null, except: null }).length > 0) {
    return act("the server crashed: a replica takes over", [
      { kind: "release-lock", lastLsn: null },
    ]);
  }
  const leftMs = limitMs - (view.nowMs - (memory.downSinceMs ?? view.nowMs));
  const timeoutMs = limitMs === 0 ? START_TIMEOUT_MIN_MS : Math.max(1000, leftMs);
  const task = { kind: "start-primary", notAfterMs, timeoutMs } as const;
  return act("starting the server again as the primary", [HOLD, { kind: "start-task", task }]);
}

/** The second half of a restart: nothing has crashed, so nobody is asked to take over. */
function startAgain(
  view: NodeView,
  memory: Memory,
  order: { readonly notAfterMs: number; readonly restart: RestartWish },
): Answer {
  const { notAfterMs, restart } = order;
  const timeoutMs = startLimitMs(view, memory, restart);
  const errand = { kind: "restart", id: restart.id } as const;
  const task = { kind: "start-primary", notAfterMs, timeoutMs, errand } as const;
  return act("starting the server again, as the operator wishes", [
    HOLD,
    { kind: "start-task", task },
  ]);
}

/** The server is down without the lock: it comes back as a replica, or as a copy when its history has forked. */
export const recoverReplica: Rule = {
  name: "recover-replica",
  when: "the server is down and this node does not hold the lock",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    if (cluster.kind !== "seen" || postgres.kind !== "down" || lockSide(view) === "me") return null;
    if (isPaused(view, memory)) return startReplica(view, memory, cluster);
    if (lockSide(view) === "nobody" && mayAdopt(view, cluster, memory)) {
      return adopt(view, memory, cluster, postgres);
    }
    return checkFork(view, memory, cluster, postgres) ?? startReplica(view, memory, cluster);
  },
};

/**
 * Under a bootstrap claim the server may be what that bootstrap made, stopped before anybody led, and a process that was
 * started again cannot know it: founding is refused unless the claim is our own, and nobody else would ever do it.
 */
function adopt(view: NodeView, memory: Memory, cluster: ClusterView, { control }: Down): Answer {
  if (cluster.systemId === "") {
    const { systemId } = control;
    const actions = [{ kind: "found-cluster", systemId }, { kind: "take-lock" }] as const;
    const why = "a bootstrap claim: leading with the data of this node if the claim is mine";
    return act(why, actions, view.nowMs + LOOK_AGAIN_MS);
  }
  if (!isUnfounded(view, memory) && !isLongEmpty(view, memory)) {
    return act("an empty store: waiting for members that may know more", []);
  }
  return actAndLook("no cluster yet: leading with the data of this node", [{ kind: "take-lock" }]);
}

/** A stopped former primary may become the first of a new cluster; never when any leader is or was known (P15). */
function mayAdopt(view: NodeView, cluster: ClusterView, memory: Memory): boolean {
  const { postgres, self } = view;
  if (memory.lastLeader !== null || postgres.kind !== "down") return false;
  if (cluster.systemId !== null && cluster.systemId !== "") return false;
  const isAlone = !hasDataElsewhere(cluster, self.name);
  const mayLead = !self.tags.nofailover && cluster.settings.unsupported.length === 0 &&
    watchdogObstacle(view.watchdog) === null;
  const hasFailed = memory.failedTask?.kind === "start-primary" || memory.gaveUpMs !== null;
  return isAlone && mayLead && !hasFailed && !isRecoveryState(postgres.control);
}

function checkFork(
  view: NodeView,
  memory: Memory,
  cluster: ClusterView,
  postgres: Down,
): Answer | null {
  const leader = sourceOf(leaderMember(cluster, view.self.name));
  const { control } = postgres;
  const end = endOfStopped(control);
  const known = whyForked(view);
  if (leader === null) return null;
  const isOpen = end !== null && (known === null || mayRewind(view, memory, control));
  if (isOpen && view.leader === "not asked") {
    return actAndLook(`comparing histories with ${leader.name}`, [
      { kind: "inspect-leader", leader },
    ]);
  }
  const isSeen = view.leader !== "not asked" && view.leader.kind === "seen" &&
    view.leader.name === leader.name;
  const isProved = isOpen && isSeen && judgeFork(end, view.leader) === "forked";
  if (known === null && !isProved) return null;
  const why = known ?? `the history of this data directory has forked from ${leader.name}`;
  const rewound = isProved && mayRewind(view, memory, control)
    ? rewindTo(view, memory, cluster, why)
    : null;
  return rewound ?? replaceForked(view, memory, why);
}

/** Why the server was stopped for a new copy, null when it was not. */
function whyForked({ task }: NodeView): string | null {
  if (task.kind !== "ended" || task.task.kind !== "stop" || task.result !== "done") return null;
  return task.task.forked === true ? task.task.why : null;
}

function replaceForked(view: NodeView, memory: Memory, why: string): Answer {
  const { mayReclone, mayRecloneAfterRewind } = view.self;
  const hasFailed = memory.failedTask?.kind === "rewind" && mayRecloneAfterRewind === true;
  if (!mayReclone && !hasFailed) return act(`${why}: an operator must decide`, []);
  return cloneFrom(view, memory, { old: "move-aside", why });
}

function startReplica(view: NodeView, memory: Memory, cluster: ClusterView): Answer {
  const restMs = restUntilMs(view, memory, "start-replica");
  if (restMs !== null) return act("the server did not start; trying again later", [], restMs);
  const wanted = wantedUpstream(view, cluster);
  const upstream = wanted === "none" ? null : wanted;
  const whom = upstream === null ? "nobody" : upstream.name;
  const restart = restartUnderWay(view);
  const errand = restart === null ? {} : { errand: { kind: "restart", id: restart.id } as const };
  const task = { kind: "start-replica", upstream, ...errand } as const;
  return act(`starting as a replica of ${whom}`, [{ kind: "start-task", task }]);
}
