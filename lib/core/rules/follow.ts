import type { Action } from "../action.ts";
import type { ClusterView } from "../cluster_view.ts";
import { endOfReplica, judgeFork } from "../divergence.ts";
import type { Memory } from "../memory.ts";
import type { NodeView, ReplicaView } from "../node_view.ts";
import { hasEnded, isPaused, leaderMember, lockSide, mayBePrimary, restUntilMs } from "./facts.ts";
import { settingsActions, slotActions } from "./housekeeping.ts";
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
    const forked = isPaused(view, memory) ? null : checkFork(view, cluster, postgres);
    return forked ?? align(view, memory, { cluster, postgres });
  },
};

/** Only a replica that does not stream can have forked: a stream begins with the comparison of both histories. */
function checkFork(view: NodeView, cluster: ClusterView, postgres: ReplicaView): Answer | null {
  const member = leaderMember(cluster, view.self.name);
  const leader = sourceOf(member);
  if (postgres.streaming || leader === null || member?.role !== "primary") return null;
  if (view.leader === "not asked") {
    return actAndLook(`not streaming: comparing histories with ${leader.name}`, [
      { kind: "inspect-leader", leader },
    ]);
  }
  const end = endOfReplica(postgres);
  const isAbout = view.leader.kind === "seen" && view.leader.name === leader.name;
  if (!isAbout || end === null || judgeFork(end, view.leader) !== "forked") return null;
  const why = `the history of this server has forked from ${leader.name}`;
  if (!view.self.mayReclone) return act(`${why}: an operator must decide`, []);
  return act(`${why}: stopping it for a new copy`, [stopForked(why)]);
}

interface Following {
  readonly cluster: ClusterView;
  readonly postgres: ReplicaView;
}

function align(view: NodeView, memory: Memory, following: Following): Answer {
  const { cluster, postgres } = following;
  const facts = { self: view.self, cluster, memory, nowMs: view.nowMs };
  const care: readonly Action[] = [
    ...settingsActions(cluster, memory),
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
