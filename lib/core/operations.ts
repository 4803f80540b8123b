import type { JsonObject } from "../base/json.ts";

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
