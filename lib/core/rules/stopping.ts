import type { Action, Errand, StopEscalation, TaskSpec } from "../action.ts";
import type { LeaseTiming } from "../lease_timing.ts";
import type { Memory } from "../memory.ts";
import type { NodeView } from "../node_view.ts";
import { lockSide, timingOf } from "./facts.ts";

const NO_ESCALATION: StopEscalation = { immediateAtMs: null, killAtMs: null };

/**
 * Stops a server whose right to be primary ended. While the lease still runs the stop is fast, because standbys then
 * receive everything, and turns harsher by the moments of the lease budget; without a running lease, or when the store
 * shows that the lock is not ours, it is immediate.
 */
export function demote(view: NodeView, memory: Memory, why: string): Action {
  const timing = timingOf(view, memory);
  const escalation = escalationOf(view, timing);
  const isLate = escalation.immediateAtMs === null || view.nowMs >= escalation.immediateAtMs;
  return stopTask({ how: isLate ? "immediate" : "fast", checkpointFirst: false, escalation, why });
}

/** Stops a server that nothing presses: the lease is renewed meanwhile, or it is a replica. */
export function stopInOrder(
  how: "fast" | "immediate",
  why: string,
  errand: Errand | null = null,
): Action {
  const spec = { how, checkpointFirst: how === "fast", escalation: NO_ESCALATION, why };
  return stopTask(errand === null ? spec : { ...spec, errand });
}

/** Stops a replica that has forked or is stuck, for the copy that takes its place. */
export function stopForked(why: string): Action {
  const escalation = NO_ESCALATION;
  return stopTask({ how: "fast", checkpointFirst: false, escalation, forked: true, why });
}

type StopSpec = Omit<Extract<TaskSpec, { kind: "stop" }>, "kind">;

function stopTask(spec: StopSpec): Action {
  return { kind: "start-task", task: { kind: "stop", ...spec } };
}

function escalationOf(view: NodeView, timing: LeaseTiming): StopEscalation {
  const spanMs = timing.immediateBeforeMs - timing.killBeforeMs;
  const side = lockSide(view);
  if (view.lease.kind !== "held" || side === "other" || side === "nobody") {
    return { immediateAtMs: view.nowMs, killAtMs: view.nowMs + spanMs };
  }
  return {
    immediateAtMs: view.lease.endsMs - timing.immediateBeforeMs,
    killAtMs: view.lease.endsMs - timing.killBeforeMs,
  };
}
