import { errandOf, taskName } from "../action.ts";
import type { Action, TaskSpec } from "../action.ts";
import { handoverDue } from "../candidate.ts";
import type { Memory } from "../memory.ts";
import { mayBePromoted } from "../memory.ts";
import type {
  NodeView,
  OperatorWish,
  ReinitializeWish,
  RestartWish,
  TaskView,
} from "../node_view.ts";
import { answering, roleOf } from "../server_texts.ts";
import { authorityEndsMs, isPaused, leaderMember, lockSide, settingsOf } from "./facts.ts";

/** A wish that is carried out by jobs and has an end to tell of. */
export type ErrandWish = RestartWish | ReinitializeWish;

/** How far the jobs of an errand are: none yet, one runs or has ended, or another job took their place. */
export type Stage = { readonly kind: "new" | "lost" } | Exclude<TaskView, { kind: "idle" }>;

/** How far this errand is. */
export function stageOf({ task }: NodeView, memory: Memory, { id }: ErrandWish): Stage {
  if (task.kind !== "idle" && errandOf(task.task)?.id === id) return task;
  return { kind: memory.begunErrand === id ? "lost" : "new" };
}

/** The restarts and new copies that are wished, in the order in which they are looked at. */
export function errandsOf(view: NodeView): readonly ErrandWish[] {
  return view.wishes.filter(isErrand);
}

function isErrand(wish: OperatorWish): wish is ErrandWish {
  return ["restart", "scheduled-restart", "reinitialize"].includes(wish.kind);
}

/** Operators watch how far their orders are. */
const PROGRESS_MS = 1000;

type Settlement = Pick<Extract<Action, { kind: "settle" }>, "state" | "why" | "reply">;

/** The ends of errands that this view shows; each is told once, for then its wish is gone. */
export function settleErrands(view: NodeView, memory: Memory): readonly Action[] {
  return errandsOf(view).flatMap((wish): readonly Action[] => {
    const end = wish.kind === "reinitialize"
      ? endOfReinitialize(view, memory, wish)
      : endOfRestart(view, memory, wish);
    return end === null ? [] : [{ kind: "settle", operation: wish.id, ...end }];
  });
}

/** Boot clock of the next moment at which an errand must be looked at; null: none waits. */
export function errandWakeMs(view: NodeView, memory: Memory): number | null {
  const moments = errandsOf(view).flatMap((wish): readonly number[] => {
    const stage = stageOf(view, memory, wish);
    if (stage.kind === "running") return [view.nowMs + PROGRESS_MS];
    if (wish.kind === "reinitialize") return [];
    const { schedule } = wish;
    if (stage.kind === "new") {
      const inMs = schedule === null ? 0 : schedule.atMs - view.wallMs;
      return inMs > 0 ? [view.nowMs + inMs] : [];
    }
    const sinceMs = sinceOf(stage);
    return sinceMs === null ? [] : [sinceMs + startLimitMs(view, memory, wish) + 1];
  });
  return moments.length === 0 ? null : Math.min(...moments);
}

/** True when the server is to be stopped for this restart now. */
export function mayRestart(view: NodeView, memory: Memory, wish: RestartWish): boolean {
  if (stageOf(view, memory, wish).kind !== "new") return false;
  if (endOfRestart(view, memory, wish) !== null) return false;
  return wish.schedule === null || whyWait(view, memory, wish.schedule.atMs) === null;
}

/** The restart whose stop has just ended, so that a start is now its second half; null: there is none. */
export function restartUnderWay(view: NodeView): RestartWish | null {
  const { task } = view;
  if (task.kind !== "ended" || task.task.kind !== "stop" || task.result !== "done") return null;
  const id = task.task.errand?.id;
  const wish = errandsOf(view).find((each) => each.id === id);
  return wish === undefined || wish.kind === "reinitialize" ? null : wish;
}

/** How long the start of a restart may take, in milliseconds (spec 4.11). */
export function startLimitMs(view: NodeView, memory: Memory, { timeoutS }: RestartWish): number {
  const { primaryStartTimeoutS } = settingsOf(view, memory);
  return 1000 * (timeoutS ?? (primaryStartTimeoutS || START_TIMEOUT_MIN_S));
}

/** With `primary_start_timeout` 0 a crash is not waited for; an ordered start gets this long. */
const START_TIMEOUT_MIN_S = 30;

function endOfRestart(view: NodeView, memory: Memory, wish: RestartWish): Settlement | null {
  const stage = stageOf(view, memory, wish);
  switch (stage.kind) {
    case "new":
      return wish.schedule === null
        ? whyNotRestart(view, memory, wish)
        : endOfSchedule(view, memory, wish, wish.schedule);
    case "lost":
      return failed("another task took the place of the restart", "restart failed");
    case "running":
      return endByTime(view, memory, wish, stage);
    default:
      if (stage.result !== "done") return endByFailure(stage);
      if (stage.task.kind === "stop") return endByTime(view, memory, wish, stage);
      return done(`restarted as a ${view.postgres.kind}`, "restarted successfully");
  }
}

/** A start that was cut short is told in Patroni's words for it (spec 3.5). */
function endByFailure(stage: Extract<Stage, { kind: "ended" }>): Settlement {
  const why = `${stage.task.kind} ${stage.result}: ${stage.reason ?? "it was asked to end"}`;
  return failed(why, stage.result === "failed" ? "restart failed" : "postgres is still starting");
}

/** The stop has no limit; a start that exceeds its own goes on, and `primary_start_timeout` judges it (rule S2). */
function endByTime(
  view: NodeView,
  memory: Memory,
  wish: RestartWish,
  stage: Stage,
): Settlement | null {
  const sinceMs = sinceOf(stage);
  const limitMs = startLimitMs(view, memory, wish);
  if (sinceMs === null || view.nowMs - sinceMs <= limitMs) return null;
  return failed(`the server has not started within ${limitMs / 1000} s`, "restart failed");
}

/** Since when the start is waited for. */
function sinceOf(stage: Stage): number | null {
  if (stage.kind === "ended") return stage.endedMs;
  return stage.kind === "running" && stage.task.kind !== "stop" ? stage.sinceMs : null;
}

function endOfSchedule(
  view: NodeView,
  memory: Memory,
  wish: RestartWish,
  { atMs, startTime }: NonNullable<RestartWish["schedule"]>,
): Settlement | null {
  const server = answering(view.postgres);
  if (server !== null && server.startTime !== startTime) {
    return refused("the server was started anew meanwhile", "restart failed");
  }
  const { loopWaitS } = settingsOf(view, memory);
  if (view.wallMs - atMs > Math.floor(1.5 * loopWaitS) * 1000) {
    return refused("its time has passed", "restart failed");
  }
  return whyWait(view, memory, atMs) === null ? whyNotRestart(view, memory, wish) : null;
}

/** Why a scheduled restart is not looked at now. */
function whyWait(view: NodeView, memory: Memory, atMs: number): string | null {
  if (view.wallMs < atMs) return "its time has not come";
  if (isPaused(view, memory)) return "nothing scheduled runs in maintenance mode";
  return view.task.kind === "running" ? "a task is running" : null;
}

function whyNotRestart(view: NodeView, memory: Memory, wish: RestartWish): Settlement | null {
  const { task } = view;
  const obstacle = whyNotNow(view, memory);
  if (!meetsConditions(view, wish)) {
    return refused("the server is not as wished", "restart conditions are not satisfied");
  }
  if (task.kind === "running") return taskRuns(task.task);
  return obstacle === null ? null : refused(obstacle, "restart failed");
}

function meetsConditions(view: NodeView, { conditions }: RestartWish): boolean {
  const { role, olderThan, pendingOnly } = conditions;
  const server = answering(view.postgres);
  if (role !== null && roleOf(view) !== role) return false;
  if (olderThan !== null && (server === null || server.serverVersion >= olderThan)) return false;
  return !pendingOnly || Object.keys(server?.pendingRestart ?? {}).length > 0;
}

/** A server is stopped only where it is certain that it may come back as what it was. */
function whyNotNow(view: NodeView, memory: Memory): string | null {
  const { cluster, postgres } = view;
  if (cluster.kind !== "seen") return `the store does not answer: ${cluster.why}`;
  if (postgres.kind === "replica") {
    const side = lockSide(view);
    if (mayBePromoted(memory) || side === "me") return "it is about to be promoted";
    const isAwaited = side === "nobody" && !isPaused(view, memory);
    return isAwaited ? "nobody leads, and this replica may have to" : null;
  }
  if (postgres.kind !== "primary" && postgres.kind !== "silent") {
    return `the server is ${postgres.kind}`;
  }
  if (postgres.kind === "silent" && postgres.lastRole === "replica") return null;
  if (authorityEndsMs(view, memory) === null) {
    return "it is a primary without the lock, which could not be started again";
  }
  const wish = cluster.handover;
  const due = wish === null
    ? null
    : handoverDue(wish, view.wallMs, cluster.settings.loopWaitS).kind;
  return due === null || due === "later" ? null : "a handover is under way";
}

function endOfReinitialize(
  view: NodeView,
  memory: Memory,
  wish: ReinitializeWish,
): Settlement | null {
  const stage = stageOf(view, memory, wish);
  switch (stage.kind) {
    case "new":
      return whyNotReinitialize(view, wish);
    case "lost":
      return failed("another task took the place of the copy", "reinitialize failed");
    case "running":
      return null;
    default:
      if (stage.result !== "done") {
        const why = `${stage.task.kind} ${stage.result}: ${stage.reason ?? "it was asked to end"}`;
        return failed(why, "reinitialize failed");
      }
      if (stage.task.kind === "clone") return done("copied anew", "reinitialized successfully");
      return lockSide(view) === "other" ? null : failed("no leader any more", NO_LEADER);
  }
}

const NO_LEADER = "Cluster has no leader, can not reinitialize";

function whyNotReinitialize(view: NodeView, { force }: ReinitializeWish): Settlement | null {
  const { cluster, task, self } = view;
  if (cluster.kind !== "seen") return refused("the store does not answer", NO_LEADER);
  if (cluster.lock === null) return refused("nobody holds the lock", NO_LEADER);
  if (cluster.lock.holder === self.name) {
    return refused("this node leads", "I am the leader, can not reinitialize");
  }
  if ((leaderMember(cluster, self.name)?.connUrl ?? null) === null) {
    return refused("the leader has not published an address", NO_LEADER);
  }
  return task.kind === "running" && !force ? taskRuns(task.task) : null;
}

function taskRuns(task: TaskSpec): Settlement {
  const text = `${taskName(task)} already in progress`;
  return refused(text, text);
}

function done(why: string, text: string): Settlement {
  return { state: "done", why, reply: { status: 200, text } };
}

function refused(why: string, text: string): Settlement {
  return { state: "refused", why, reply: { status: 503, text } };
}

function failed(why: string, text: string): Settlement {
  return { state: "failed", why, reply: { status: 503, text } };
}
