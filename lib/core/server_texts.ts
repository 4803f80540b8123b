import { unreachable } from "../base/never.ts";
import { errandOf } from "./action.ts";
import type { MemberRole, MemberRunState } from "./cluster_view.ts";
import type { LeaseView, PostgresView, PrimaryView, ReplicaView, TaskView } from "./node_view.ts";

/** The state texts on the wire; Patroni's number of each is its place in the metric `patroni_postgres_state`. */
export const RUN_STATES: readonly MemberRunState[] = [
  "initializing new cluster",
  "initdb failed",
  "running custom bootstrap script",
  "custom bootstrap failed",
  "creating replica",
  "running",
  "starting",
  "starting after custom bootstrap",
  "start failed",
  "restarting",
  "restart failed",
  "stopping",
  "stopped",
  "stop failed",
  "crashed",
];

/** The local server and the job that changes it: what the published state and role are made of. */
export interface ServerFacts {
  readonly postgres: PostgresView;
  readonly task: TaskView;
  readonly lease: LeaseView;
}

/** A server that answered the probe, or null. */
export function answering(postgres: PostgresView): PrimaryView | ReplicaView | null {
  return postgres.kind === "primary" || postgres.kind === "replica" ? postgres : null;
}

/** The state text of spec 1.14: that of the running job, else that of the server. */
export function runStateOf({ postgres, task }: ServerFacts): MemberRunState {
  switch (task.kind) {
    case "running":
      if (errandOf(task.task)?.kind === "restart") return "restarting";
      return stateDuring(task.task.kind) ?? stateOfServer(postgres);
    case "ended":
      return task.result === "failed"
        ? stateAfterFailure(task.task.kind, postgres)
        : stateOfServer(postgres);
    case "idle":
      return stateOfServer(postgres);
    default:
      return unreachable(task);
  }
}

type TaskKind = Extract<TaskView, { kind: "running" }>["task"]["kind"];

/** null: the job does not take the server away. */
function stateDuring(kind: TaskKind): MemberRunState | null {
  switch (kind) {
    case "bootstrap":
      return "initializing new cluster";
    case "clone":
    case "rewind":
      return "creating replica";
    case "start-replica":
    case "start-primary":
      return "starting";
    case "stop":
      return "stopping";
    case "pre-promote":
    case "promote":
    case "follow":
      return null;
    default:
      return unreachable(kind);
  }
}

function stateAfterFailure(kind: TaskKind, postgres: PostgresView): MemberRunState {
  if (kind === "stop" && postgres.kind === "silent") return "stop failed";
  const state = stateOfServer(postgres);
  if (state !== "stopped" && state !== "crashed") return state;
  if (kind === "bootstrap") return "initdb failed";
  return kind === "start-replica" || kind === "start-primary" ? "start failed" : state;
}

function stateOfServer(postgres: PostgresView): MemberRunState {
  switch (postgres.kind) {
    case "no-data":
    case "unreadable":
      return "stopped";
    case "down":
      return postgres.crashed ? "crashed" : "stopped";
    case "starting":
      return "starting";
    case "silent":
    case "primary":
    case "replica":
      return "running";
    default:
      return unreachable(postgres);
  }
}

function isBeingMade(task: TaskView): boolean {
  return task.kind === "running" && ["clone", "rewind"].includes(task.task.kind);
}

/** The role text of spec 1.14, by the recovery state of the server; `demoted`: a former primary that is down. */
export function roleOf({ postgres, task, lease }: ServerFacts): MemberRole {
  switch (postgres.kind) {
    case "no-data":
    case "unreadable":
      return isBeingMade(task) ? "replica" : "uninitialized";
    case "down":
      return roleOfStopped(postgres.control.state, lease);
    case "starting":
      return postgres.asReplica ? "replica" : "primary";
    case "silent":
      return postgres.lastRole;
    case "primary":
      return "primary";
    case "replica":
      return "replica";
    default:
      return unreachable(postgres);
  }
}

function roleOfStopped(controlState: string, lease: LeaseView): MemberRole {
  if (controlState.includes("recovery") && controlState !== "in crash recovery") return "replica";
  return lease.kind === "held" ? "primary" : "demoted";
}
