import type { Memory } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import {
  authorityEndsMs,
  consentersOf,
  hasEnded,
  isPaused,
  isUnfounded,
  mayBePrimary,
  restUntilMs,
  timingOf,
} from "./facts.ts";
import { failsafeSlots, slotsToTell } from "./failsafe_slots.ts";
import { act } from "./rule.ts";
import type { Answer, Rule } from "./rule.ts";
import { demote } from "./stopping.ts";

const ASK_AGAIN_MIN_MS = 500;

/**
 * Failsafe mode (spec 4.9, X3): a running leader asks all other members for their consent, and with all of them goes on
 * for a ttl from before the question. Without one of them it goes on only until the stop time of its lease, and asks
 * again in what is left of that.
 */
export const failsafe: Rule = {
  name: "failsafe",
  when: "the store does not answer a leader in failsafe mode",
  answer: (view, memory): Answer | null => {
    if (view.cluster.kind === "seen" || view.task.kind === "running") return null;
    const members = consentersOf(view, memory);
    const endsMs = authorityEndsMs(view, memory);
    if (members === null || endsMs === null || !isOutOfRecovery(view)) return null;
    const holder = view.cluster.lastSeen?.lock?.holder ?? view.self.name;
    if (holder !== view.self.name) return null;
    const names = Object.keys(members);
    const whom = names.length === 0 ? "nobody else has to consent" : `asking ${names.join(", ")}`;
    const againMs = Math.max(ASK_AGAIN_MIN_MS, (endsMs - view.nowMs) / 3);
    const paceMs = Math.min(timingOf(view, memory).ttlMs / 5, againMs);
    return act(`DCS is not accessible; staying the leader in failsafe mode: ${whom}`, [
      { kind: "hold-lock" },
      { kind: "ask-consents", members, slots: slotsToTell(view, memory) },
      ...failsafeSlots(view, memory),
    ], Math.min(endsMs, view.nowMs + paceMs));
  },
};

/** Also one that does not answer for a moment: a slow query must not cost the lock. */
function isOutOfRecovery({ postgres }: NodeView): boolean {
  if (postgres.kind === "primary") return true;
  return postgres.kind === "silent" && postgres.lastRole === "primary" &&
    postgres.stopping === undefined;
}

/**
 * The store does not answer: a leader goes on until the stop time of its lease and no longer; a replica changes
 * nothing; what this process has stopped comes back read-only. No lock means no promotion, whatever else is known. In
 * maintenance mode nobody is demoted for it (case A2).
 */
export const dcsLost: Rule = {
  name: "dcs-lost",
  when: "the store does not answer",
  answer: (view, memory): Answer | null => {
    if (view.cluster.kind === "seen") return null;
    const endsMs = authorityEndsMs(view, memory);
    if (endsMs !== null) {
      const why = "DCS is not accessible; staying the leader until the lease has to be given up";
      return act(why, [{ kind: "hold-lock" }], endsMs);
    }
    if (view.task.kind === "running" && isPaused(view, memory)) return runningTask(view);
    if (isPaused(view, memory)) return act("DCS is not accessible", []);
    if (mayBePrimary(view.postgres, memory)) return stopPrimary(view, memory);
    if (view.task.kind === "running") return runningTask(view);
    return comeBack(view, memory);
  },
};

function stopPrimary(view: NodeView, memory: Memory): Answer {
  if (view.lease.kind === "none" && view.lease.neverManaged === true) {
    return act("DCS is not accessible; this primary was never led by an agent: left alone", []);
  }
  if (isUnknown(view)) {
    return act("DCS is not accessible; no switch was armed over this primary: left alone", []);
  }
  const { task } = view;
  if (task.kind === "running" && task.task.kind === "bootstrap") return runningTask(view);
  if (view.lease.kind === "none" && isUnfounded(view, memory)) {
    return act("DCS is not accessible; this server is not a cluster yet: left alone", []);
  }
  const isStopping = task.kind === "running" && task.task.kind === "stop" &&
    task.task.escalation.killAtMs !== null;
  const why = "demoted self because DCS is not accessible and I was a leader";
  return act(why, isStopping ? [] : [demote(view, memory, why)]);
}

/** A fresh process that has seen no store: the switch that it found decides, and one at rest was laid so in maintenance mode. */
function isUnknown({ cluster, lease, armed }: NodeView): boolean {
  return cluster.kind !== "seen" && cluster.lastSeen === null && lease.kind === "none" &&
    armed === null;
}

function runningTask(view: NodeView): Answer {
  const { task } = view;
  const kind = task.kind === "running" ? task.task.kind : "";
  const needsLock = ["promote", "pre-promote", "start-primary"].includes(kind);
  const mayCancel = task.kind === "running" && task.cancellable && needsLock;
  const why = `DCS is not accessible; the task ${kind} is running`;
  return act(why, mayCancel ? [{ kind: "cancel-task" }] : []);
}

function comeBack(view: NodeView, memory: Memory): Answer {
  const why = "DCS is not accessible";
  if (view.postgres.kind !== "down" || !wasStoppedByUs(view)) {
    return act(why, failsafeSlots(view, memory));
  }
  const restMs = restUntilMs(view, memory, "start-replica");
  if (restMs !== null) return act(`${why}; the server did not start`, [], restMs);
  const task = { kind: "start-replica", upstream: null } as const;
  return act(`${why}; coming back read-only`, [{ kind: "start-task", task }]);
}

function wasStoppedByUs(view: NodeView): boolean {
  return hasEnded(view, "stop", "done") || hasEnded(view, "start-replica", "failed");
}
