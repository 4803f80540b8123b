import type { Action } from "../action.ts";
import type { Memory } from "../memory.ts";
import { mayBePromoted } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import { releaseEarly } from "./early_release.ts";
import {
  authorityEndsMs,
  hasEnded,
  isPaused,
  isRunning,
  isUnfounded,
  lastCluster,
  leaderMember,
  localSystemId,
  lockSide,
  mayBePrimary,
} from "./facts.ts";
import { DISARM } from "./every_answer.ts";
import { asksForHistory, historyBeforeStop } from "./history.ts";
import { act, actAndLook } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { demote, stopInOrder } from "./stopping.ts";
import { cloneFrom } from "./sources.ts";

/** The agent was asked to end: the server is stopped, then the lock released with its last position, then it exits. */
export const shutdown: Rule = {
  name: "shutdown",
  when: "the agent was asked to end",
  answer: (view, memory): Answer | null => {
    if (!view.wishes.some((wish) => wish.kind === "shutdown")) return null;
    const hold = holdIfLeading(view, memory);
    if (isForeign(view) && !hasLedHere(view, memory)) {
      return act("leaving a server of another cluster alone", leave(view));
    }
    if (view.task.kind === "running") return endTask(view, memory);
    if (isPaused(view, memory)) {
      return act("leaving server and lock as they are: maintenance mode", [{ kind: "exit" }]);
    }
    if (!isRunning(view.postgres)) return act("the server is stopped; leaving", leave(view));
    const mustHurry = mayBePrimary(view.postgres, memory) && hold.length === 0;
    const how = hasEnded(view, "stop", "failed") ? "immediate" : "fast";
    const why = "the agent was asked to end";
    const stop = mustHurry ? demote(view, memory, why) : stopInOrder(how, why);
    const history = historyBeforeStop(view, memory);
    if (asksForHistory(history)) {
      return actAndLook("reading the own timeline history before the end", [...hold, ...history]);
    }
    // The stop begins before the store is written to: it must not wait for it.
    const actions = [...hold, stop, ...history];
    return act("stopping the server, because the agent was asked to end", actions);
  },
};

/**
 * The agent goes and leaves everything to the next process of this member: the lock under its lease, the armed switch, the
 * server. A leader needs the proof of this very look, so that the next one has the most of a lease to take over.
 */
export const detach: Rule = {
  name: "detach",
  when: "the agent was asked to leave its server to the next process",
  answer: (view, memory): Answer | null => {
    if (!view.wishes.some((wish) => wish.kind === "detach")) return null;
    const obstacle = whyNotDetach(view, memory);
    if (obstacle !== null) return null;
    return act("detaching: server, lock and switch are left as they are", [{ kind: "exit" }]);
  },
};

/** Why the agent must not leave its server alone now, or null. */
export function whyNotDetach(view: NodeView, memory: Memory): string | null {
  const { postgres, task } = view;
  if (task.kind === "running") return `the task ${task.task.kind} is running`;
  if (postgres.kind === "replica" && mayBePromoted(memory)) {
    return "a promotion is under way";
  }
  if (!mayBePrimary(postgres, memory) || isPaused(view, memory)) return null;
  if (postgres.kind !== "primary") return `the server is ${postgres.kind}`;
  const isProved = lockSide(view) === "me" && authorityEndsMs(view, memory) !== null;
  return isProved ? null : "the lock is not proved to be held";
}

function endTask(view: NodeView, memory: Memory): Answer {
  const hold = holdIfLeading(view, memory);
  const mustStop = mayBePrimary(view.postgres, memory) && !isPaused(view, memory);
  if (mustStop && hold.length === 0) {
    return act("the lease has ended", [demote(view, memory, "the lease has ended")]);
  }
  const { task } = view;
  if (task.kind !== "running" || !task.cancellable || task.task.kind === "stop") {
    const isStopping = task.kind === "running" && task.task.kind === "stop";
    const release = isStopping ? releaseEarly(view, memory) : null;
    return release ?? act("waiting for the running task, then leaving", hold);
  }
  return act("cancelling the running task, because the agent was asked to end", [
    ...hold,
    { kind: "cancel-task" },
  ]);
}

function holdIfLeading(view: NodeView, memory: Memory): readonly Action[] {
  return authorityEndsMs(view, memory) === null ? [] : [{ kind: "hold-lock" }];
}

function leave(view: NodeView): readonly Action[] {
  if (view.lease.kind !== "held") return [{ kind: "exit" }];
  const isArmed = view.armed !== undefined && view.armed !== null;
  const disarm = isArmed && !isRunning(view.postgres) ? [DISARM] : [];
  return [{ kind: "release-lock", lastLsn: cleanEnd(view) }, ...disarm, { kind: "exit" }];
}

/** The shutdown checkpoint of a cleanly stopped primary: what its successor must have. */
export function cleanEnd(view: NodeView): Extract<Action, { kind: "release-lock" }>["lastLsn"] {
  const { postgres } = view;
  if (postgres.kind !== "down" || postgres.control.state !== "shut down") return null;
  return postgres.control.checkpointLsn;
}

/** True when the data directory belongs to another cluster than the store's. */
export function isForeign(view: NodeView): boolean {
  const local = localSystemId(view.postgres);
  const cluster = lastCluster(view)?.systemId ?? "";
  return local !== null && cluster !== "" && local !== cluster;
}

/**
 * True for a primary that writes by the authority this member had: its key tree was deleted and another cluster founded in
 * it. Nothing else would end it before the dead-man's switch does, and both would write until then.
 */
function hasLedHere(view: NodeView, memory: Memory): boolean {
  if (isPaused(view, memory) || !mayBePrimary(view.postgres, memory)) return false;
  return view.lease.kind !== "none" || (view.armed ?? null) !== null;
}

/**
 * A server of another cluster is never touched, but for two: one that this very process made in vain is replaced, and one
 * that has led here is stopped.
 */
export const foreignSystem: Rule = {
  name: "foreign-system-id",
  when: "the data directory belongs to another cluster",
  answer: (view, memory): Answer | null => {
    if (!isForeign(view) || view.task.kind === "running") return null;
    const isHeld = lockSide(view) === "me" && view.lease.kind === "held";
    const mayReplace = view.cluster.kind === "seen" && !isPaused(view, memory);
    if (isUnfounded(view, memory) && !isHeld && mayReplace) {
      return replaceUnfounded(view, memory);
    }
    const what =
      `the system identifier ${localSystemId(view.postgres)} of this data directory is ` +
      `not ${lastCluster(view)?.systemId} of the cluster`;
    if (hasLedHere(view, memory)) {
      const why = `${what}: stopping the primary that has led it`;
      return act(why, [...holdIfLeading(view, memory), demote(view, memory, why)]);
    }
    const why = `${what}: doing nothing until an operator decides`;
    return act(why, isHeld ? [{ kind: "release-lock", lastLsn: null }] : []);
  },
};

function replaceUnfounded(view: NodeView, memory: Memory): Answer {
  const why = "another member founded the cluster before this one could";
  if (isRunning(view.postgres)) return act(why, [stopInOrder("fast", why)]);
  return cloneFrom(view, memory, { old: "move-aside", why });
}

/** A data directory that must not be started; a copy of the leader takes its place, and the old one is kept aside. */
export const unreadableData: Rule = {
  name: "unreadable-data",
  when: "the data directory is missing under the lock, or must not be started",
  answer: (view, memory): Answer | null => {
    const { postgres } = view;
    if (postgres.kind !== "unreadable" && postgres.kind !== "no-data") return null;
    const what = postgres.kind === "unreadable" ? postgres.why : "the data directory is empty";
    if (lockSide(view) === "me") {
      return act(`giving the lock up: ${what}`, [{ kind: "release-lock", lastLsn: null }]);
    }
    if (postgres.kind === "no-data") return null;
    const { cluster, self } = view;
    const leader = cluster.kind === "seen" ? leaderMember(cluster, self.name) : null;
    const isUnproven = postgres.unproven === true;
    if (leader === null || !self.mayReclone || isUnproven) {
      return act(`the data directory must not be started: ${what}`, []);
    }
    const why = `the data directory cannot be used: ${what}`;
    return cloneFrom(view, memory, { old: "move-aside", why });
  },
};
