import type { Outcome } from "./action.ts";
import type { Memory } from "./memory.ts";
import type { NodeView, PrimaryView, ReplicaView } from "./node_view.ts";
import { restartUnderWay } from "./rules/errands.ts";
import { authorityEndsMs, hasEnded } from "./rules/facts.ts";

/** The callbacks of `postgresql.callbacks`. */
export type CallbackKind =
  | "on_start"
  | "on_stop"
  | "on_restart"
  | "on_reload"
  | "on_role_change";

/** A callback to run: `on_role_change` with the new role, the others with the present one. */
export interface CallbackCall {
  readonly kind: CallbackKind;
  readonly role: "primary" | "replica";
}

/** What callbacks were last told about the server; null before the first. */
export type Told = {
  readonly role: "primary" | "replica";
  readonly isUp: boolean;
  /** null: whatever comes up next was announced by a change of the role. */
  readonly startTime: string | null;
} | null;

/** What a round showed, and the next state of what was told. */
export interface Telling {
  readonly told: Told;
  readonly calls: readonly CallbackCall[];
}

/** A round of the loop as far as callbacks depend on it; `memory` is the one that was decided with. */
export interface CallbackFacts {
  readonly view: NodeView;
  readonly memory: Memory;
  readonly outcomes: readonly Outcome[];
}

/**
 * Which callbacks a round gives rise to (spec 1.6.2). Only settled servers count, one that answers or one that is down
 * for certain. A change of the role is one call, without start or restart beside it; a primary that crashed under its
 * lock is silent until it is back or has lost the lock.
 */
export function tellCallbacks(told: Told, facts: CallbackFacts): Telling {
  const { postgres } = facts.view;
  switch (postgres.kind) {
    case "primary":
    case "replica":
      return tellRunning(told, postgres, facts);
    case "down":
    case "no-data":
    case "unreadable":
      return tellStopped(told, facts);
    default:
      return { told, calls: [] };
  }
}

function tellRunning(
  told: Told,
  { kind: role, startTime }: PrimaryView | ReplicaView,
  { memory, outcomes }: CallbackFacts,
): Telling {
  const now = { role, isUp: true, startTime };
  const change = changeOf(told, now);
  // The first order of a process compares the files with what it finds; only later ones are changes.
  const isReload = told?.isUp === true && memory.appliedSettings !== null &&
    outcomes.some((one) => one.action.kind === "apply-settings" && one.result === "done");
  const kinds = [...(change === null ? [] : [change]), ...(isReload ? ["on_reload" as const] : [])];
  return { told: now, calls: kinds.map((kind) => ({ kind, role })) };
}

function changeOf(told: Told, now: NonNullable<Told>): CallbackKind | null {
  if (told === null) return "on_start";
  if (told.role !== now.role) return "on_role_change";
  if (!told.isUp) return "on_start";
  const isAnother = told.startTime !== null && told.startTime !== now.startTime;
  return isAnother ? "on_restart" : null;
}

function tellStopped(told: Told, { view, memory }: CallbackFacts): Telling {
  const isTold = told === null || !told.isUp || told.startTime === null;
  if (isTold || view.task.kind === "running") return { told, calls: [] };
  const { role } = told;
  const isRestart = restartUnderWay(view) !== null;
  if (isRestart && (role === "replica" || authorityEndsMs(view, memory) !== null)) {
    return { told, calls: [] }; // the start that follows is told as a restart
  }
  const wasStopped = hasEnded(view, "stop", "done");
  const isEnding = view.wishes.some((wish) => wish.kind === "shutdown");
  const isGone = view.postgres.kind !== "down";
  const mayComeBack = authorityEndsMs(view, memory) !== null && !wasStopped && !isGone;
  if (role === "primary" && !isEnding) {
    if (mayComeBack) return { told, calls: [] };
    const demoted = { role: "replica", isUp: true, startTime: null } as const;
    return { told: demoted, calls: [{ kind: "on_role_change", role: "replica" }] };
  }
  if (!wasStopped && !isEnding && !isGone) return { told, calls: [] };
  return { told: { ...told, isUp: false }, calls: [{ kind: "on_stop", role }] };
}
