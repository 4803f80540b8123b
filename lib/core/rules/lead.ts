import type { Action } from "../action.ts";
import { handoverDue } from "../candidate.ts";
import type { ClusterView } from "../cluster_view.ts";
import { isSameList, wantedFailsafe } from "../failsafe.ts";
import type { Memory } from "../memory.ts";
import { mayBePromoted } from "../memory.ts";
import type { NodeView, PrimaryView, ReplicaView } from "../node_view.ts";
import { authorityEndsMs, hasEnded, timingOf } from "./facts.ts";
import { asksForHistory, historyActions } from "./history.ts";
import { identityFirst, settingsActions, slotActions, statusActions } from "./housekeeping.ts";
import { act, actAndLook, earlier } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { stopInOrder } from "./stopping.ts";

const HOLD: Action = { kind: "hold-lock" };

/** This node holds the lock under a running lease: a replica is promoted, a primary keeps house. */
export const lead: Rule = {
  name: "lead",
  when: "this node holds the lock under a running lease",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    const endsMs = authorityEndsMs(view, memory);
    if (cluster.kind !== "seen" || endsMs === null) return null;
    if (postgres.kind === "replica") return promote(view, memory, { cluster, postgres, endsMs });
    if (postgres.kind !== "primary") return null;
    return keepHouse(view, memory, { cluster, postgres, endsMs });
  },
};

function promote(
  view: NodeView,
  memory: Memory,
  { cluster, postgres, endsMs: notAfterMs }: Leading<ReplicaView>,
): Answer {
  const { task } = view;
  const gaveUpMs = memory.gaveUpMs ?? -Infinity;
  const hasFailed = task.kind === "ended" && hasEnded(view, "promote", "failed") &&
    task.endedMs > gaveUpMs;
  if (hasFailed) return giveUp("the promotion failed", memory, notAfterMs);
  const prepared = preparePromotion(view, memory, notAfterMs);
  if (prepared !== null) return prepared;
  const why = "promoted self to leader by acquiring session lock";
  const paused = postgres.replayPaused ? "; replay was paused and ends with the promotion" : "";
  return act(why + paused, [
    HOLD,
    ...identityFirst(cluster, memory, postgres.systemId),
    { kind: "start-task", task: { kind: "promote", notAfterMs } },
  ], notAfterMs);
}

/** A promotion that was ordered may still happen: the server goes before the lock does. */
function giveUp(what: string, memory: Memory, endsMs: number): Answer {
  if (!mayBePromoted(memory)) {
    return act(`${what}: giving the lock up`, [{ kind: "release-lock", lastLsn: null }]);
  }
  const why = `${what}, and one may still happen: stopping before the lock is given up`;
  return act(why, [HOLD, stopInOrder("immediate", why)], endsMs);
}

/** Case E2: `pre_promote` runs once under each lock, and its refusal gives the lock up for a lease. */
function preparePromotion(view: NodeView, memory: Memory, endsMs: number): Answer | null {
  const { cluster, self, task } = view;
  if (memory.promoteAskedMs !== null) return null; // a promotion under way has passed this step
  if (self.hasPrePromote !== true || cluster.kind !== "seen" || cluster.lock === null) return null;
  const lockRevision = cluster.lock.revision;
  const wasRun = task.kind === "ended" && task.task.kind === "pre-promote" &&
    task.task.lockRevision === lockRevision && task.result !== "cancelled";
  if (!wasRun) {
    const order: Action = { kind: "start-task", task: { kind: "pre-promote", lockRevision } };
    return act("running pre_promote before the promotion", [HOLD, order]);
  }
  if (task.result === "done") return null;
  return giveUp(`pre_promote refused the promotion (${task.reason})`, memory, endsMs);
}

interface Leading<Server> {
  readonly cluster: ClusterView;
  readonly postgres: Server;
  readonly endsMs: number;
}

/**
 * The first refusal ends the list: what others rely on for safety (the history above all) comes first, and what a setting
 * can forbid for good (a slot) after the settings that may cure it.
 */
function keepHouse(view: NodeView, memory: Memory, leading: Leading<PrimaryView>): Answer {
  const { cluster, postgres, endsMs } = leading;
  const facts = { self: view.self, cluster, memory, nowMs: view.nowMs };
  const history = historyActions(view, cluster, postgres);
  if (asksForHistory(history)) {
    return actAndLook("reading the own timeline history", [HOLD, ...history]);
  }
  const checkpoint: readonly Action[] = postgres.checkpointed ? [] : [{ kind: "checkpoint" }];
  const actions = [
    HOLD,
    ...failsafeActions(view, memory, cluster),
    ...statusActions(postgres, facts),
    ...history,
    ...restoreActions(cluster, memory, postgres),
    ...checkpoint,
    ...settingsActions(view, cluster, memory),
    ...slotActions(postgres, facts),
  ];
  return act(describe(view, cluster), actions, earlier(endsMs, wishAtMs(view, cluster)));
}

/**
 * The list of whom the leader asks without the store; others rely on it for safety, so it comes first. After an outage
 * nobody is taken off it for a ttl: whose key expired meanwhile comes back, and could not lead without being named.
 */
function failsafeActions(view: NodeView, memory: Memory, cluster: ClusterView): readonly Action[] {
  const present = cluster.failsafe?.members ?? null;
  const seenMs = view.nowMs - (memory.seenSinceMs ?? view.nowMs);
  const isEarly = seenMs < timingOf(view, memory).ttlMs;
  const members = wantedFailsafe(view.self, cluster, isEarly ? present ?? {} : {});
  if (isSameList(members, present)) return [];
  return [{ kind: "write-failsafe", members, revision: cluster.failsafe?.revision ?? 0n }];
}

/** Keys that vanished with the tree come back from the leader (A21); an own claim that was never filled in is filled. */
function restoreActions(
  cluster: ClusterView,
  memory: Memory,
  postgres: PrimaryView,
): readonly Action[] {
  const { systemId } = postgres;
  if (cluster.systemId === "") {
    return memory.unfoundedId === systemId ? [{ kind: "found-cluster", systemId }] : [];
  }
  if (cluster.systemId !== null && cluster.config !== null) return [];
  return [{ kind: "restore-keys", systemId, config: memory.lastConfig }];
}

function describe(view: NodeView, cluster: ClusterView): string {
  const why = `no action. I am (${view.self.name}), the leader with the lock`;
  const { unsupported } = cluster.settings;
  if (unsupported.length === 0) return why;
  return `${why}; not implemented and not obeyed: ${unsupported.join(", ")}`;
}

function wishAtMs(view: NodeView, cluster: ClusterView): number | null {
  if (cluster.handover === null) return null;
  const due = handoverDue(cluster.handover, view.wallMs, cluster.settings.loopWaitS);
  return due.kind === "later" ? view.nowMs + due.inMs : null;
}
