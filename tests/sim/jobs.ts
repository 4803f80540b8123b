import type { OldData, TaskSpec } from "../../lib/core/action.ts";
import { unreachable } from "../../lib/base/never.ts";
import type { Steps } from "./schedule.ts";
import type { Server } from "./server.ts";
import type { SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

/** How a job ended. */
export type JobEnd = {
  readonly result: "done" | "failed" | "cancelled";
  readonly reason: string | null;
};

/** What a job sees of the one who ordered it. */
export interface JobDesk {
  /** It was asked to end. */
  cancelled(): boolean;
  /** False when it was asked to end before. */
  passPointOfNoReturn(): boolean;
}

const DONE: JobEnd = { result: "done", reason: null };
const CANCELLED: JobEnd = { result: "cancelled", reason: "cancelled" };
const PROMOTE_WAIT_MS = 60_000;
const DISK_FULL = "no space is left on the device";

function isOff(server: Server): boolean {
  return server.process === "off";
}

function runs(server: Server): boolean {
  return server.process === "running";
}

function failed(reason: string): JobEnd {
  return { result: "failed", reason };
}

/** Jobs against the simulated server. They refuse what the real ones would, and may be woken early by a cancel. */
export class Jobs {
  readonly #node: SimNode;
  readonly #world: World;
  readonly #desk: JobDesk;

  constructor(node: SimNode, world: World, desk: JobDesk) {
    this.#node = node;
    this.#world = world;
    this.#desk = desk;
  }

  /** The steps of one job. */
  steps(task: TaskSpec): Steps<JobEnd> {
    const { server } = this.#node;
    switch (task.kind) {
      case "bootstrap":
        return this.#bootstrap(server);
      case "clone":
        return this.#clone(server, task.source.name, task.old);
      case "rewind":
        return this.#rewind(server, task.source.name);
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
    if (server.data === "usable" || server.data === "spoiled") return failed("there is data");
    if (server.process !== "off") this.#world.die(server, false); // left by a process before
    server.data = "half-made";
    yield this.#world.random.between(2000, 6000);
    if (this.#desk.cancelled() || server.diskFull || this.#world.random.chance(0.05)) {
      server.data = "none";
      return this.#desk.cancelled() ? CANCELLED : failed("initdb failed");
    }
    server.initialize(this.#world.nextSystemId());
    const end = yield* this.#launch(server, this.#world.random.between(200, 1000));
    server.data = end.result === "done" ? "usable" : "none";
    if (end.result !== "done" && server.process !== "off") this.#world.die(server, false);
    return end;
  }

  *#clone(server: Server, sourceName: string, old: OldData): Steps<JobEnd> {
    if (server.data === "half-made" && server.process !== "off") this.#world.die(server, false);
    if (server.process !== "off") return failed("the server runs");
    const isKept = server.data === "usable" || server.data === "spoiled";
    if (isKept && old === "refuse") return failed("there is data");
    const source = this.#world.server(sourceName);
    server.data = "half-made";
    const ends = this.#world.scheduler.nowMs + this.#world.random.between(3000, 30000);
    while (this.#world.scheduler.nowMs < ends) {
      const broken = this.#desk.cancelled() || !this.#canCopy(source) || server.diskFull ||
        this.#world.cloneFails();
      if (broken) {
        server.data = "none";
        return this.#desk.cancelled() ? CANCELLED : failed("the copy broke off");
      }
      yield Math.min(1000, ends - this.#world.scheduler.nowMs);
    }
    if (!this.#canCopy(source)) {
      server.data = "none";
      return failed("the copy broke off at its end");
    }
    server.copyFrom(source);
    server.data = "usable";
    return yield* this.#startReplica(server, sourceName);
  }

  /** What fails in the dry run leaves the directory as it was; what fails later leaves one that counts as none. */
  *#rewind(server: Server, sourceName: string): Steps<JobEnd> {
    if (server.process !== "off" || server.data !== "usable") return failed("cannot rewind that");
    const { random, scheduler } = this.#world;
    const source = this.#world.server(sourceName);
    yield random.between(100, 1500);
    const isBarred = !this.#canRewind(server, source) || server.diskFull;
    if (isBarred || this.#world.cloneFails()) return failed("the dry run failed");
    if (!this.#desk.passPointOfNoReturn()) return CANCELLED;
    server.data = "half-made";
    const ends = scheduler.nowMs + random.between(200, 5000);
    while (scheduler.nowMs < ends) {
      yield Math.min(500, ends - scheduler.nowMs);
      if (!this.#canRewind(server, source) || this.#world.cloneFails()) {
        return failed("the rewind broke off");
      }
    }
    server.copyFrom(source);
    server.data = "usable";
    return yield* this.#startReplica(server, sourceName);
  }

  /** The source is a primary whose control file shows its timeline. */
  #canRewind(server: Server, source: Server | null): source is Server {
    return this.#canCopy(source) && source.writable && source.systemId === server.systemId &&
      source.controlTimeline === source.head.branch.timeline;
  }

  #canCopy(source: Server | null): source is Server {
    if (source === null || source.process !== "running" || source.shuttingDown) return false;
    return this.#world.linked(this.#node.name, source.name);
  }

  *#startReplica(server: Server, upstream: string | null): Steps<JobEnd> {
    if (server.process !== "off" || server.data !== "usable") return failed("cannot start that");
    if (this.#desk.cancelled()) return CANCELLED;
    if (server.diskFull) return failed(DISK_FULL);
    server.standby = true;
    server.upstream = upstream;
    return yield* this.#launch(server, this.#world.random.between(200, 3000));
  }

  *#startPrimary(
    server: Server,
    task: Extract<TaskSpec, { kind: "start-primary" }>,
  ): Steps<JobEnd> {
    if (server.process !== "off" || server.data !== "usable") return failed("cannot start that");
    if (this.#desk.cancelled()) return CANCELLED;
    if (server.diskFull) return failed(DISK_FULL);
    if (this.#isTooLate(task.notAfterMs)) return failed("too late for a start");
    this.#world.checks.beginsToWrite(this.#node, "start-primary");
    server.standby = false;
    server.upstream = null;
    const recoveryMs = this.#world.random.between(300, 4000) * this.#world.slowness();
    return yield* this.#launch(server, recoveryMs, task.timeoutMs);
  }

  /** A server on its way up is stopped again when the job is cancelled. */
  *#launch(server: Server, recoveryMs: number, waitMs = 60_000): Steps<JobEnd> {
    const { scheduler } = this.#world;
    server.spawn(scheduler.nowMs);
    const { epoch } = server;
    scheduler.at(scheduler.nowMs + recoveryMs, () => {
      if (server.epoch === epoch) this.#world.accept(server);
    });
    yield Math.min(recoveryMs, waitMs) + 1;
    if (runs(server)) return DONE;
    if (!this.#desk.cancelled()) return failed("the server does not accept connections");
    if (server.epoch === epoch) this.#world.die(server, false);
    return CANCELLED;
  }

  *#follow(server: Server, upstream: string | null): Steps<JobEnd> {
    yield this.#world.random.between(50, 500);
    if (server.process !== "running" || !server.standby) return failed("no running replica");
    if (server.diskFull) return failed(DISK_FULL);
    server.upstream = upstream;
    server.streaming = false;
    return DONE;
  }

  *#promote(server: Server, notAfterMs: number): Steps<JobEnd> {
    if (server.process !== "running" || !server.standby) return failed("no running replica");
    yield this.#world.random.between(1, 50) * this.#world.slowness();
    if (server.process !== "running" || !server.standby) return failed("no running replica");
    if (!this.#desk.passPointOfNoReturn()) return CANCELLED;
    if (this.#isTooLate(notAfterMs)) return failed("too late for a promotion");
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
    if (!this.#desk.passPointOfNoReturn()) return CANCELLED;
    if (how === "fast") yield* this.#stopFast(server, immediateAtMs);
    if (isOff(server)) return DONE;
    if (this.#desk.cancelled()) return CANCELLED;
    const hangs = this.#world.slowness() > 1 && escalation.killAtMs !== null;
    const killAtMs = escalation.killAtMs ?? 0;
    yield hangs ? Math.max(50, killAtMs - this.#node.bootMs()) : 100;
    if (isOff(server)) return DONE;
    if (this.#desk.cancelled()) return CANCELLED;
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
}
