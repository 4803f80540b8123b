import type { Clock } from "../../lib/base/clock.ts";
import type { StopEscalation } from "../../lib/core/action.ts";
import { LSN_ZERO } from "../../lib/core/lsn.ts";
import type { LeaderReport, PostgresView } from "../../lib/core/node_view.ts";
import type { JobContext, JobResult, PostgresControl, SqlResult } from "../../lib/postgres/port.ts";
import { primary, replica } from "../core/builders.ts";

/** A server of three states that refuses what a real one would. */
export class MemoryPostgres implements PostgresControl {
  view: PostgresView;
  /** No look comes back any more, whatever its signal says. */
  hangs = false;
  /** Names of the calls that arrived, in order; probes are left out. */
  readonly calls: string[] = [];
  /** The orders of stops that arrived. */
  readonly stops: StopEscalation[] = [];
  /** A stop ends only when something goes before it. */
  stopHangs = false;
  readonly #clock: Clock;

  constructor(clock: Clock, view: PostgresView = replica()) {
    this.#clock = clock;
    this.view = view;
  }

  probe(): Promise<PostgresView> {
    return this.hangs ? new Promise(() => {}) : Promise.resolve(this.view);
  }

  bootstrap(): Promise<JobResult> {
    this.calls.push("bootstrap");
    if (this.view.kind !== "no-data") return failed("there is a data directory");
    return this.#become(primary());
  }

  clone(): Promise<JobResult> {
    this.calls.push("clone");
    return this.#isRunning() ? failed("a server is running") : this.#become(replica());
  }

  rewind(): Promise<JobResult> {
    this.calls.push("rewind");
    return this.view.kind === "down" ? this.#become(replica()) : failed("it is not down");
  }

  startReplica(): Promise<JobResult> {
    this.calls.push("start-replica");
    return this.view.kind === "down" ? this.#become(replica()) : failed("it is not down");
  }

  startPrimary(notAfterMs: number): Promise<JobResult> {
    this.calls.push("start-primary");
    if (this.#clock.bootMs() > notAfterMs) return failed("the lease is over");
    return this.view.kind === "down" ? this.#become(primary()) : failed("it is not down");
  }

  follow(): Promise<JobResult> {
    this.calls.push("follow");
    return this.view.kind === "replica" ? this.#become(this.view) : failed("it is no replica");
  }

  prePromote(): Promise<JobResult> {
    this.calls.push("pre-promote");
    return Promise.resolve({ kind: "done" });
  }

  promote(notAfterMs: number, job: JobContext): Promise<JobResult> {
    this.calls.push("promote");
    if (this.view.kind !== "replica") return failed("it is no replica");
    if (this.#clock.bootMs() > notAfterMs) return failed("the lease is over");
    if (!job.passPointOfNoReturn()) return Promise.resolve({ kind: "cancelled" });
    return this.#become(primary({ timeline: 2 }));
  }

  stop(
    _how: string,
    _checkpointFirst: boolean,
    escalation: StopEscalation,
    { signal }: JobContext,
  ): Promise<JobResult> {
    this.calls.push("stop");
    this.stops.push(escalation);
    if (this.stopHangs) return untilAborted(signal);
    const control = {
      systemId: "7000000000000000001",
      state: "shut down",
      timeline: 1,
      checkpointLsn: LSN_ZERO,
      minRecovery: null,
    };
    return this.#become({ kind: "down", control, crashed: false });
  }

  applySettings(): Promise<SqlResult> {
    return this.#sql("apply-settings");
  }

  syncSlots(): Promise<SqlResult> {
    return this.#sql("sync-slots");
  }

  checkpoint(): Promise<SqlResult> {
    return this.#sql("checkpoint");
  }

  inspectLeader(leader: { readonly name: string }): Promise<LeaderReport> {
    this.calls.push("inspect-leader");
    return Promise.resolve({ kind: "failed", name: leader.name, why: "no test answers" });
  }

  watchPostmaster(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #isRunning(): boolean {
    return this.view.kind === "primary" || this.view.kind === "replica";
  }

  #become(view: PostgresView): Promise<JobResult> {
    this.view = view;
    return Promise.resolve({ kind: "done" });
  }

  #sql(call: string): Promise<SqlResult> {
    this.calls.push(call);
    if (this.#isRunning()) return Promise.resolve({ kind: "done" });
    return Promise.resolve({ kind: "unknown", why: "the server is down" });
  }
}

function untilAborted(signal: AbortSignal): Promise<JobResult> {
  const { promise, resolve } = Promise.withResolvers<JobResult>();
  signal.addEventListener("abort", () => resolve({ kind: "cancelled" }), { once: true });
  return promise;
}

function failed(why: string): Promise<JobResult> {
  return Promise.resolve({ kind: "failed", why });
}
