import type { Memory } from "../memory.ts";
import type { NodeView, TaskView } from "../node_view.ts";
import { releaseEarly } from "./early_release.ts";
import { authorityEndsMs, mayBePrimary } from "./facts.ts";
import { act } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { demote } from "./stopping.ts";

const SOON_MS = 500;
const STOP_LOOK_MS = 1000;

type Running = Extract<TaskView, { kind: "running" }>;

/** A job runs: the lock is kept for it, or, when the right to it has ended, it is cancelled or the server stopped. */
export const taskRunning: Rule = {
  name: "task-running",
  when: "a task is running",
  answer: (view, memory): Answer | null => {
    const { task } = view;
    if (task.kind !== "running") return null;
    const kind = task.task.kind;
    const endsMs = authorityEndsMs(view, memory);
    if (endsMs !== null) {
      if (task.task.kind === "stop" && task.task.errand?.kind !== "restart") {
        return stopUnderLock(view, memory);
      }
      const why = task.progress === null ? "" : ` (${task.progress})`;
      return act(`${kind} is running${why}; keeping the lock`, [{ kind: "hold-lock" }], endsMs);
    }
    if (kind === "bootstrap") return duringBootstrap(view, task);
    if (kind === "start-primary" || kind === "promote" || kind === "pre-promote") {
      return withoutLock(view, memory, task);
    }
    if (kind === "stop") return duringStop(view, memory, task);
    return act(`${kind} is running`, []);
  },
};

/** Looked at often, because others wait for the lock. */
function stopUnderLock(view: NodeView, memory: Memory): Answer {
  return releaseEarly(view, memory) ??
    act("stop is running; keeping the lock", [{ kind: "hold-lock" }], view.nowMs + STOP_LOOK_MS);
}

/** The claim is a key under our lease: when it is gone, another member may found the cluster. */
function duringBootstrap(view: NodeView, task: Running): Answer {
  const isOurs = view.cluster.kind === "seen" && view.cluster.systemId === "";
  if (isOurs || !task.cancellable) return act("bootstrap is running", []);
  return act("the bootstrap claim is gone: cancelling", [{ kind: "cancel-task" }]);
}

function withoutLock(view: NodeView, memory: Memory, task: Running): Answer {
  const why = `the right to lead ended while ${task.task.kind} was running`;
  if (task.cancellable) return act(why, [{ kind: "cancel-task" }], view.nowMs + SOON_MS);
  return act(why, [demote(view, memory, why)], view.nowMs + SOON_MS);
}

/** An unhurried stop of a server that may still take writes must not outlast the lease. */
function duringStop(view: NodeView, memory: Memory, task: Running): Answer {
  const isUnhurried = task.task.kind === "stop" && task.task.escalation.killAtMs === null;
  if (!isUnhurried || !mayBePrimary(view.postgres, memory)) return act("stop is running", []);
  const why = "the lease ended during the stop";
  return act(why, [demote(view, memory, why)], view.nowMs + SOON_MS);
}
