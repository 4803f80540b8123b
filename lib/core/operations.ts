import type { JsonObject } from "../base/json.ts";
import { errandOf } from "./action.ts";
import { handoverEnd } from "./handover_outcome.ts";
import type { WrittenHandover } from "./handover_outcome.ts";
import type { Memory } from "./memory.ts";
import type { NodeView } from "./node_view.ts";

/** What an operator can order of a member. */
export type OperationKind = "restart" | "reinitialize" | "switchover" | "failover" | "reload";

/** `queued` and `running` go on; the others are ends that never change. */
export type OperationState = "queued" | "running" | "done" | "failed" | "refused" | "unknown";

/** How far a long job is, for people and in figures where they are known. */
export interface Progress {
  /** e.g. "copied 120 of 400 MB". */
  readonly text: string;
  readonly bytes: number | null;
  readonly bytesTotal: number | null;
}

/** One order of an operator and what became of it; kept by the agent that was asked. Times in epoch milliseconds. */
export interface Operation {
  readonly id: string;
  readonly kind: OperationKind;
  readonly member: string;
  readonly state: OperationState;
  readonly why: string | null;
  readonly progress: Progress | null;
  readonly askedMs: number;
  readonly scheduledMs: number | null;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  /** Status and text of Patroni's blocking form (spec 3.5); null until the end. */
  readonly reply: { readonly status: number; readonly text: string } | null;
  /** The request in the store that a switchover or failover is; absent for all others. */
  readonly handover?: WrittenHandover;
}

/** How an operation ends. */
export type OperationEnd = Pick<Operation, "state" | "why" | "reply">;

const KEPT_MAX = 50;
/** A handover without an end by then is given up: its members may never tell. */
const HANDOVER_MAX_MS = 3_600_000;

/** A fresh one, to be put on the board. */
export function newOperation(
  fields: Pick<Operation, "id" | "kind" | "member" | "askedMs"> & Partial<Operation>,
): Operation {
  return {
    state: "queued",
    why: null,
    progress: null,
    scheduledMs: null,
    startedMs: null,
    endedMs: null,
    reply: null,
    ...fields,
  };
}

/** With this one in front; the oldest that have ended make room beyond 50. */
export function withOperation(
  operations: readonly Operation[],
  operation: Operation,
): readonly Operation[] {
  const all = [operation, ...operations];
  if (all.length <= KEPT_MAX) return all;
  const oldest = all.findLast(hasEnded);
  return all.filter((each) => each !== oldest);
}

/** With the end of one of them; one that has ended stays as it is. */
export function settled(
  operations: readonly Operation[],
  id: string,
  end: OperationEnd,
  wallMs: number,
): readonly Operation[] {
  return operations.map((each) =>
    each.id === id && !hasEnded(each) ? ended(each, end, wallMs) : each
  );
}

function ended(operation: Operation, end: OperationEnd, wallMs: number): Operation {
  return { ...operation, ...end, progress: null, endedMs: wallMs };
}

/** What a look of the loop tells of the operations that go on. */
export function seenOperations(
  operations: readonly Operation[],
  view: NodeView,
  memory: Memory,
): readonly Operation[] {
  return operations.map((operation) => {
    if (hasEnded(operation)) return operation;
    if (operation.handover !== undefined) return seenHandover(operation, operation.handover, view);
    return seenErrand(operation, view, memory);
  });
}

function seenErrand(operation: Operation, view: NodeView, memory: Memory): Operation {
  const { task, wallMs } = view;
  const isBegun = memory.begunErrand === operation.id;
  const isMine = task.kind === "running" && errandOf(task.task)?.id === operation.id;
  if (!isMine && !isBegun) return operation;
  const startedMs = operation.startedMs ?? wallMs;
  if (!isMine) return { ...operation, state: "running", startedMs, progress: null };
  return { ...operation, state: "running", startedMs, ...progressOf(view) };
}

/** What runs at this moment, how long by now, and how far it is. */
function progressOf({ task, nowMs }: NodeView): Pick<Operation, "why" | "progress"> {
  if (task.kind !== "running") return { why: null, progress: null };
  const seconds = Math.max(0, Math.round((nowMs - task.sinceMs) / 1000));
  const { done = null, total = null } = task.bytes ?? {};
  const progress = task.progress === null
    ? null
    : { text: task.progress, bytes: done, bytesTotal: total };
  return { why: `${task.task.kind} has been running for ${seconds} s`, progress };
}

function seenHandover(operation: Operation, written: WrittenHandover, view: NodeView): Operation {
  const { cluster, wallMs } = view;
  if (cluster.kind !== "seen" || cluster.revision < (written.revision ?? 0n)) return operation;
  const { scheduledMs } = operation;
  if (scheduledMs !== null && cluster.handover?.revision === written.revision) {
    return waitingHandover(operation, written, { view, leader: cluster.lock?.holder ?? null });
  }
  if (scheduledMs !== null && wallMs < scheduledMs) {
    const end = {
      state: "refused",
      why: "deleted or replaced before its time",
      reply: null,
    } as const;
    return ended(operation, end, wallMs);
  }
  const end = handoverEnd(written, cluster);
  if (end !== null) {
    const state = end.status === 200 ? "done" : "failed";
    return ended(operation, { state, why: end.text, reply: end }, wallMs);
  }
  if (wallMs - operation.askedMs < HANDOVER_MAX_MS || scheduledMs !== null) {
    return { ...operation, ...progressOf(view) };
  }
  return ended(operation, { state: "unknown", why: "no end was seen", reply: null }, wallMs);
}

/** A failover before the time is no success: the leader that is to go is the one at that time. */
function waitingHandover(
  operation: Operation,
  written: WrittenHandover,
  { view, leader }: { readonly view: NodeView; readonly leader: string | null },
): Operation {
  if (view.wallMs >= (operation.scheduledMs ?? 0)) {
    const startedMs = operation.startedMs ?? view.wallMs;
    return { ...operation, state: "running", startedMs, ...progressOf(view) };
  }
  const oldLeader = leader ?? written.handover.oldLeader;
  return { ...operation, handover: { ...written, handover: { ...written.handover, oldLeader } } };
}

/** True when nothing can change any more. */
export function hasEnded({ state }: Operation): boolean {
  return state !== "queued" && state !== "running";
}

/** The document of `GET /operations/<id>`, described in lib/api/OPERATIONS.md. */
export function operationDocument(operation: Operation): JsonObject {
  const { id, kind, member, state, why, progress, reply } = operation;
  return {
    id,
    kind,
    member,
    state,
    why,
    progress: progress === null ? null : progressDocument(progress),
    asked_at: isoTime(operation.askedMs),
    scheduled_at: isoTime(operation.scheduledMs),
    started_at: isoTime(operation.startedMs),
    ended_at: isoTime(operation.endedMs),
    status: reply?.status ?? null,
    text: reply?.text ?? null,
  };
}

function progressDocument({ text, bytes, bytesTotal }: Progress): JsonObject {
  const isKnown = bytes !== null && bytesTotal !== null && bytesTotal > 0;
  const fraction = isKnown ? Math.min(1, bytes / bytesTotal) : null;
  return { text, fraction, bytes, bytes_total: bytesTotal };
}

function isoTime(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
