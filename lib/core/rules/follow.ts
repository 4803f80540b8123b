import type { Action, Source } from "../action.ts";
import type { ClusterView } from "../cluster_view.ts";
import { endOfReplica, judgeFork } from "../divergence.ts";
import type { Memory } from "../memory.ts";
import type { NodeView, ReplicaView } from "../node_view.ts";
import { stuckLimitMs } from "../stuck_replica.ts";
import { hasEnded, isPaused, leaderMember, lockSide, mayBePrimary, restUntilMs } from "./facts.ts";
import { settingsActions, slotActions } from "./housekeeping.ts";
import { wantsRewind } from "./rewind.ts";
import { act, actAndLook } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { followsSource, sourceOf, wantedSlotName, wantedUpstream } from "./sources.ts";
import { demote, stopForked } from "./stopping.ts";

/** Somebody else holds the lock: a primary is stopped, a replica follows, one whose history forked is replaced. */
export const follow: Rule = {
  name: "follow",
  when: "another member holds the lock and the server runs",
  answer: (view, memory): Answer | null => {
    const { cluster, postgres } = view;
    if (cluster.kind !== "seen" || lockSide(view) !== "other") return null;
    if (mayBePrimary(postgres, memory)) {
      const why = `${cluster.lock?.holder} holds the lock: this server must not go on as a primary`;
      return act(why, [demote(view, memory, why)]);
    }
    if (postgres.kind !== "replica") return null;
    const following = { cluster, postgres };
    const forked = isPaused(view, memory) ? null : checkFork(view, memory, following);
    return forked ?? align(view, memory, following);
  },
};

/** Only a replica that does not stream can have forked: a stream begins with the comparison of both histories. */
function checkFork(view: NodeView, memory: Memory, following: Following): Answer | null {
  const { cluster, postgres } = following;
  const member = leaderMember(cluster, view.self.name);
  const leader = sourceOf(member);
  if (postgres.streaming || leader === null || member?.role !== "primary") return null;
  if (view.leader === "not asked") {
    return actAndLook(`not streaming: comparing histories with ${leader.name}`, [
      { kind: "inspect-leader", leader },
    ]);
  }
  if (view.leader.kind === "failed" || view.leader.name !== leader.name) return null;
  const end = endOfReplica(postgres);
  const hasForked = end !== null && judgeFork(end, view.leader) === "forked";
  const why = hasForked
    ? `the history of this server has forked from ${leader.name}`
    : whyStuck(view, memory, following, leader);
  if (why === null) return null;
  const mayReplace = view.self.mayReclone || (hasForked && wantsRewind(view, memory));
  if (!mayReplace) return act(`${why}: an operator must decide`, []);
  const what = hasForked && wantsRewind(view, memory) ? "to rewind it" : "for a new copy";
  return act(`${why}: stopping it ${what}`, [stopForked(why)]);
}

/**
 * Two members that were promoted from one point may carry one timeline number; then positions show no fork, and a replica
 * of the one never streams from the other. Nor does one whose WAL the leader has removed, on any timeline. Both are known
 * by that alone: for a long time the leader answers, everything it needs is there, and yet nothing is received or replayed.
 */
export function whyStuck(
  view: NodeView,
  memory: Memory,
  { cluster, postgres }: Following,
  leader: Source,
): string | null {
  const { stuck, vainCopies } = memory;
  if (stuck === null || postgres.restores || postgres.replayPaused) return null;
  if (postgres.timeline === null) return null;
  if (view.nowMs - stuck.sinceMs < stuckLimitMs(cluster.settings, vainCopies)) return null;
  const wanted = wantedUpstream(view, cluster);
  if (wanted === null || wanted === "none" || wanted.name !== leader.name) return null;
  const slot = wantedSlotName(view, memory);
  if (!followsSource(postgres.upstream, leader, slot) || !hasSlot(cluster, slot)) return null;
  const seconds = Math.round((view.nowMs - stuck.sinceMs) / 1000);
  return `nothing was received from ${leader.name} for ${seconds} s, although it answers`;
}

/** The leader has published the slot; without `member_slots_ttl` it publishes none. */
function hasSlot({ settings, status }: ClusterView, slot: string | null): boolean {
  return slot === null || settings.memberSlotsTtlS === 0 || status.slots[slot] !== undefined;
}

/** A replica under the lock of another member. */
export interface Following {
  readonly cluster: ClusterView;
  readonly postgres: ReplicaView;
}

function align(view: NodeView, memory: Memory, following: Following): Answer {
  const { cluster, postgres } = following;
  const facts = { self: view.self, cluster, memory, nowMs: view.nowMs };
  const care: readonly Action[] = [
    ...settingsActions(view, cluster, memory),
    ...slotActions(postgres, facts),
  ];
  const leader = cluster.lock?.holder;
  const wanted = wantedUpstream(view, cluster);
  if (wanted === null) return act(`the leader ${leader} has not published an address yet`, care);
  const upstream = wanted === "none" ? null : wanted;
  if (followsSource(postgres.upstream, upstream, wantedSlotName(view, memory))) {
    const why = `no action. I am (${view.self.name}), a secondary, and following a leader ` +
      `(${leader})`;
    return act(why, care);
  }
  const restMs = restUntilMs(view, memory, "follow") ?? settlesAtMs(view, cluster);
  const whom = upstream === null ? "nobody" : upstream.name;
  if (restMs !== null) return act(`waiting to follow ${whom}`, care, restMs);
  const task = { kind: "follow", upstream } as const;
  return act(`following ${whom}`, [{ kind: "start-task", task }]);
}

/** A follow that changed nothing (the file system or a hand-written setting wins) is not repeated at once. */
function settlesAtMs(view: NodeView, cluster: ClusterView): number | null {
  const { task } = view;
  if (task.kind !== "ended" || !hasEnded(view, "follow", "done")) return null;
  const atMs = task.endedMs + cluster.settings.loopWaitS * 1000;
  const isSame = task.task.kind === "follow" &&
    task.task.upstream?.name === sourceName(view, cluster);
  return isSame && view.nowMs < atMs ? atMs : null;
}

function sourceName(view: NodeView, cluster: ClusterView): string | undefined {
  const wanted = wantedUpstream(view, cluster);
  return wanted === null || wanted === "none" ? undefined : wanted.name;
}

/** Below the last rung: nothing applies, so nothing is done, and what was seen is told. */
export function answerIdle(view: NodeView): Answer {
  const what = `the server is ${view.postgres.kind}, the lock is with ${lockSide(view)}`;
  return act(`nothing to do: ${what}`, []);
}
