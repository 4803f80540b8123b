import type { TaskSpec } from "../../lib/core/action.ts";
import type { TaskView } from "../../lib/core/node_view.ts";
import { preempts } from "../../lib/runtime/task_slot.ts";
import { unreachable } from "../../lib/base/never.ts";
import type { Node } from "./node.ts";
import type { Process, Steps } from "./schedule.ts";
import type { Server } from "./server.ts";
import type { Verdict } from "./store.ts";
import type { World } from "./world.ts";

type JobEnd = { readonly result: "done" | "failed" | "cancelled"; readonly reason: string | null };

const DONE: JobEnd = { result: "done", reason: null };
const CANCELLED: JobEnd = { result: "cancelled", reason: "cancelled" };
const PROMOTE_WAIT_MS = 60_000;

function isOff(server: Server): boolean {
  return server.process === "off";
}

function runs(server: Server): boolean {
  return server.process === "running";
}

function failed(reason: string): JobEnd {
  return { result: "failed", reason };
}

/** The one exclusive job of an agent, against the simulated server. It refuses what the real one would. */
export class Tasks {
  readonly #node: Node;
  readonly #world: World;
  #view: TaskView = { kind: "idle" };
  #process: Process | null = null;
  #cancelled = false;

  constructor(node: Node, world: World) {
    this.#node = node;
    this.#world = world;
  }

  /** The job as the tick sees it. */
  view(): TaskView {
    return this.#view;
  }

  /** Begins a job; only a stop may take the place of another one. */
  start(task: TaskSpec): Verdict {
    const before = this.#view;
    if (before.kind === "running" && !preempts(task, before.task)) {
      return { kind: "refused", why: `${before.task.kind} runs` };
    }
    if (before.kind === "running") this.#cutShort(before.task);
    this.#cancelled = false;
    const sinceMs = this.#node.bootMs();
    this.#view = {
      kind: "running",
      task,
      sinceMs,
      cancellable: task.kind !== "stop",
      progress: null,
    };
    this.#process = this.#world.scheduler.spawn(this.#run(task), this.#node.host);
    this.#world.faults.taskStarts(this.#node, task.kind);
    return { kind: "done" };
  }

  /** Asks the job to end; refused after its point of no return. */
  cancel(): Verdict {
    const { kind } = this.#view;
    if (this.#view.kind !== "running" || this.#process === null) {
      return { kind: "refused", why: `the task is ${kind}` };
    }
    if (!this.#view.cancellable) return { kind: "refused", why: "past the point of no return" };
    this.#cancelled = true;
    this.#world.scheduler.wake(this.#process);
    return { kind: "done" };
  }

  /** The agent is gone, and its job with it. */
  kill(): void {
    if (this.#process !== null) this.#process.alive = false;
  }

  #cutShort(task: TaskSpec): void {
    const { server } = this.#node;
    this.kill();
    const copied = task.kind === "clone" || task.kind === "bootstrap";
    if (copied && server.data === "half-made") server.data = "none";
  }

  *#run(task: TaskSpec): Steps<void> {
    yield 1;
    const { result, reason } = yield* this.#job(task);
    this.#view = { kind: "ended", task, result, reason, endedMs: this.#node.bootMs() };
    this.#node.wake();
  }

  #job(task: TaskSpec): Steps<JobEnd> {
    const { server } = this.#node;
    switch (task.kind) {
      case "bootstrap":
        return this.#bootstrap(server);
      case "clone":
        return this.#clone(server, task.source.name, task.moveAside);
      case "start-replica":
        return this.#startReplica(server, task.upstream?.name ?? null);
      case "start-primary":
        return this.#startPrimary(server, task);
      case "follow":
        return this.#follow(server, task.upstream?.name ?? null);
      case "pre-promote":
        return this.#prePromote();
      case "promote":
        return this.#promote(server, task.notAfterMs);
      case "stop":
        return this.#stop(server, task);
      default:
        return unreachable(task);
    }
  }

  /** The simulated members have none. */
  *#prePromote(): Steps<JobEnd> {
    yield 0;
    return failed("there is no pre_promote");
  }

  *#bootstrap(server: Server): Steps<JobEnd> {
    if (server.data !== "none") return failed("there is data");
    server.data = "half-made";
    yield this.#world.random.between(2000, 6000);
    if (this.#cancelled || this.#world.random.chance(0.05)) {
      server.data = "none";
      return this.#cancelled ? CANCELLED : failed("initdb failed");
    }
    this.#passPointOfNoReturn();
    server.initialize(this.#world.nextSystemId());
    yield* this.#launch(server, this.#world.random.between(200, 1000));
    return runs(server) ? DONE : failed("the server ended");
  }

  *#clone(server: Server, sourceName: string, moveAside: boolean): Steps<JobEnd> {
    if (server.process !== "off") return failed("the server runs");
    if (server.data !== "none" && !moveAside) return failed("there is data");
    const source = this.#world.server(sourceName);
    server.data = "half-made";
    const ends = this.#world.scheduler.nowMs + this.#world.random.between(3000, 30000);
    while (this.#world.scheduler.nowMs < ends) {
      const broken = this.#cancelled || !this.#canCopy(source) || this.#world.cloneFails();
      if (broken) {
        server.data = "none";
        return this.#cancelled ? CANCELLED : failed("the copy broke off");
      }
      yield Math.min(1000, ends - this.#world.scheduler.nowMs);
    }
    if (!this.#canCopy(source)) {
      server.data = "none";
      return failed("the copy broke off at its end");
    }
    server.copyFrom(source);
    return yield* this.#startReplica(server, sourceName);
  }

  #canCopy(source: Server | null): source is Server {
    if (source === null || source.process !== "running" || source.shuttingDown) return false;
    return this.#world.linked(this.#node.name, source.name);
  }

  *#startReplica(server: Server, upstream: string | null): Steps<JobEnd> {
    if (server.process !== "off" || server.data !== "usable") return failed("cannot start that");
    if (this.#cancelled) return CANCELLED;
    this.#passPointOfNoReturn();
    server.standby = true;
    server.upstream = upstream;
    yield* this.#launch(server, this.#world.random.between(200, 3000));
    return runs(server) ? DONE : failed("the server ended");
  }

  *#startPrimary(
    server: Server,
    task: Extract<TaskSpec, { kind: "start-primary" }>,
  ): Steps<JobEnd> {
    if (server.process !== "off" || server.data !== "usable") return failed("cannot start that");
    if (this.#cancelled) return CANCELLED;
    if (this.#isTooLate(task.notAfterMs)) return failed("too late for a start");
    this.#passPointOfNoReturn();
    this.#world.checks.beginsToWrite(this.#node, "start-primary");
    server.standby = false;
    server.upstream = null;
    const recoveryMs = this.#world.random.between(300, 4000) * this.#world.slowness();
    yield* this.#launch(server, recoveryMs, task.timeoutMs);
    return runs(server) ? DONE : failed("the server does not accept connections");
  }

  *#launch(server: Server, recoveryMs: number, waitMs = 60_000): Steps<void> {
    const { scheduler } = this.#world;
    server.spawn(scheduler.nowMs);
    const { epoch } = server;
    scheduler.at(scheduler.nowMs + recoveryMs, () => {
      if (server.epoch === epoch) this.#world.accept(server);
    });
    yield Math.min(recoveryMs, waitMs) + 1;
  }

  *#follow(server: Server, upstream: string | null): Steps<JobEnd> {
    yield this.#world.random.between(50, 500);
    if (server.process !== "running" || !server.standby) return failed("no running replica");
    server.upstream = upstream;
    server.streaming = false;
    return DONE;
  }

  *#promote(server: Server, notAfterMs: number): Steps<JobEnd> {
    if (server.process !== "running" || !server.standby) return failed("no running replica");
    yield this.#world.random.between(1, 50) * this.#world.slowness();
    if (this.#cancelled) return CANCELLED;
    if (server.process !== "running" || !server.standby) return failed("no running replica");
    if (this.#isTooLate(notAfterMs)) return failed("too late for a promotion");
    this.#passPointOfNoReturn();
    this.#world.checks.beginsToWrite(this.#node, "promote");
    const tookMs = this.#world.random.between(50, 1500) * this.#world.slowness();
    this.#world.promote(server, tookMs);
    yield Math.min(tookMs, PROMOTE_WAIT_MS) + 1;
    return server.writable ? DONE : failed("still in recovery");
  }

  *#stop(server: Server, task: Extract<TaskSpec, { kind: "stop" }>): Steps<JobEnd> {
    const { escalation, how } = task;
    if (isOff(server)) return DONE;
    const immediateAtMs = escalation.immediateAtMs ?? Infinity;
    if (task.checkpointFirst) yield this.#world.random.between(50, 1500);
    if (how === "fast") yield* this.#stopFast(server, immediateAtMs);
    if (isOff(server)) return DONE;
    const hangs = this.#world.slowness() > 1 && escalation.killAtMs !== null;
    const killAtMs = escalation.killAtMs ?? 0;
    yield hangs ? Math.max(50, killAtMs - this.#node.bootMs()) : 100;
    this.#world.die(server, false);
    return DONE;
  }

  *#stopFast(server: Server, immediateAtMs: number): Steps<void> {
    const { scheduler } = this.#world;
    const ends = this.#node.bootMs() +
      this.#world.random.between(100, 2000) * this.#world.slowness();
    const { epoch } = server;
    server.shuttingDown = true;
    scheduler.at(scheduler.nowMs + ends - this.#node.bootMs(), () => {
      if (server.epoch === epoch) this.#world.shutDown(server);
    });
    yield Math.max(0, Math.min(ends, immediateAtMs) - this.#node.bootMs()) + 1;
  }

  #isTooLate(notAfterMs: number): boolean {
    return this.#node.bootMs() >= notAfterMs && !this.#world.plan.planted.ignoresNotAfter;
  }

  #passPointOfNoReturn(): void {
    if (this.#view.kind === "running") this.#view = { ...this.#view, cancellable: false };
  }
}
