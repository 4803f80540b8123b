import type { Action, Source, StopEscalation } from "../action.ts";
import type { ClusterView } from "../cluster_view.ts";
import type { Memory } from "../memory.ts";
import type { NodeView, ReinitializeWish, RestartWish } from "../node_view.ts";
import { errandsOf, mayRestart, settleErrands, stageOf } from "./errands.ts";
import {
  authorityEndsMs,
  isPaused,
  isRunning,
  leaderMember,
  mayBePrimary,
  settingsOf,
} from "./facts.ts";
import { mustBeKept, oldDataOf } from "./old_data.ts";
import { act, actAndLook } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { cloneSource, ofThisSystem, sourceOf } from "./sources.ts";
import { stopInOrder } from "./stopping.ts";

/**
 * An operator wants the server restarted: it is stopped in order, under the lock where it leads. The start is the affair
 * of the rungs that bring a stopped server back, with their guards.
 */
export const restart: Rule = {
  name: "restart",
  when: "an operator wants a restart now, and it may be",
  answer: (view, memory): Answer | null => {
    const wish = errandsOf(view).find((each): each is RestartWish =>
      each.kind !== "reinitialize" && mayRestart(view, memory, each)
    );
    if (wish === undefined) return null;
    const endsMs = authorityEndsMs(view, memory);
    const hold: readonly Action[] = endsMs === null ? [] : [{ kind: "hold-lock" }];
    const why = wish.schedule === null
      ? "restarting the server, as the operator wishes"
      : "restarting the server, as was scheduled";
    const stop = stopInOrder("fast", why, { kind: "restart", id: wish.id });
    return act(why, [...hold, stop], endsMs);
  },
};

/** An operator wants this replica copied anew; `force` ends the task that runs first. */
export const reinitialize: Rule = {
  name: "reinitialize",
  when: "an operator wants a new copy of the leader here",
  answer: (view, memory): Answer | null => {
    const { cluster } = view;
    const wish = errandsOf(view).find((each) => each.kind === "reinitialize");
    if (wish === undefined || cluster.kind !== "seen") return null;
    const settled = settleErrands(view, memory);
    if (settled.some((end) => end.kind === "settle" && end.operation === wish.id)) return null;
    const stage = stageOf(view, memory, wish);
    if (view.task.kind === "running") {
      return stage.kind === "new" ? endTask(view) : null;
    }
    if (!isRunning(view.postgres)) return copy(view, cluster, memory, wish);
    const isDemoted = mayBePrimary(view.postgres, memory) && !isPaused(view, memory);
    return isDemoted ? null : stopForCopy(view, cluster, memory, wish);
  },
};

/** The task may have reached the point from which it must go on; then it is waited for. */
function endTask({ task }: NodeView): Answer | null {
  if (task.kind !== "running" || !task.cancellable) return null;
  const why = `cancelling ${task.task.kind}: an operator wants a new copy`;
  return act(why, [{ kind: "cancel-task" }]);
}

function stopForCopy(
  view: NodeView,
  cluster: ClusterView,
  memory: Memory,
  wish: ReinitializeWish,
): Answer {
  const leader = sourceOf(leaderMember(cluster, view.self.name));
  const kept = leader === null ? "no" : mustBeKept(view, memory, cluster, leader);
  if (leader !== null && kept === "not known") return lookAtLeader(leader);
  const why = "stopping the server for a new copy, as the operator wishes";
  const escalation: StopEscalation = {
    immediateAtMs: view.nowMs,
    killAtMs: view.nowMs + settingsOf(view, memory).retryTimeoutS * 1000,
  };
  const task = {
    kind: "stop",
    how: "immediate",
    checkpointFirst: false,
    escalation,
    why,
    ...(kept === "yes" ? { forked: true } as const : {}),
    errand: { kind: "reinitialize", id: wish.id },
  } as const;
  return act(why, [{ kind: "start-task", task }]);
}

/** What another member may lack is kept aside, as by a copy that the agent makes by itself. */
function copy(
  view: NodeView,
  cluster: ClusterView,
  memory: Memory,
  wish: ReinitializeWish,
): Answer | null {
  const leader = sourceOf(leaderMember(cluster, view.self.name));
  const source = wish.fromLeader
    ? ofThisSystem(view, cluster, leader)
    : cloneSource(view, cluster, memory);
  if (source === null || leader === null) return null;
  const old = oldDataOf(view, leader);
  if (old === "not known") return lookAtLeader(leader);
  const why = `copying ${source.name}, as the operator wishes`;
  const errand = { kind: "reinitialize", id: wish.id } as const;
  return act(why, [{ kind: "start-task", task: { kind: "clone", source, old, why, errand } }]);
}

function lookAtLeader(leader: Source): Answer {
  const why = `comparing histories with ${leader.name} before data is given up`;
  return actAndLook(why, [{ kind: "inspect-leader", leader }]);
}
