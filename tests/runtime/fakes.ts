import type { Clock } from "../../lib/base/clock.ts";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { ClusterView, HistoryLine } from "../../lib/core/cluster_view.ts";
import { LSN_ZERO } from "../../lib/core/lsn.ts";
import type { LeaderReport, PostgresView } from "../../lib/core/node_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import type {
  Dcs,
  HandoverWrite,
  RenewResult,
  StatusWrite,
  StoreHealth,
  WriteResult,
} from "../../lib/dcs/port.ts";
import type { JobContext, JobResult, PostgresControl, SqlResult } from "../../lib/postgres/port.ts";
import type { LeaseFile, StoredLease } from "../../lib/runtime/lease_file.ts";
import { member, primary, replica } from "../core/builders.ts";
import { Store } from "../sim/store.ts";
import type { Verdict } from "../sim/store.ts";

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Time that moves only when a test says so. */
export class VirtualClock implements Clock {
  #nowMs = 1_000_000;
  readonly #sleepers = new Set<Sleeper>();

  bootMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_767_261_600_000 + this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => {
      this.#sleepers.delete(sleeper);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const sleeper: Sleeper = { atMs: this.#nowMs + Math.max(0, ms), wake };
    this.#sleepers.add(sleeper);
    signal?.addEventListener("abort", wake, { once: true });
    return promise;
  }

  /** Moves on by `ms`, and wakes sleepers in the order of their times. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Sleeper | null {
    const due = [...this.#sleepers].filter(({ atMs }) => atMs <= untilMs);
    return due.sort((one, other) => one.atMs - other.atMs)[0] ?? null;
  }
}

/** A lease file in memory. */
export class MemoryLeaseFile implements LeaseFile {
  stored: StoredLease | null = null;

  load(): Promise<StoredLease | null> {
    return Promise.resolve(this.stored);
  }

  save(lease: StoredLease): Promise<void> {
    this.stored = lease;
    return Promise.resolve();
  }
}

/** The simulator's store behind the port: leases expire in the clock's time, answers can be late, lost or absent. */
export class MemoryDcs implements Dcs {
  readonly store = new Store({ ...defaultSettings }, () => {});
  /** Names of the calls that arrived, in order. */
  readonly calls: string[] = [];
  /** "cut": nothing arrives. "deaf": requests are carried out, answers are lost. */
  fault: "none" | "cut" | "deaf" = "none";
  /** Each answer takes this long. */
  delayMs = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  read(signal: AbortSignal): Promise<ClusterView> {
    return this.#ask("read", signal, () => this.store.read());
  }

  grantLease(ttlS: number, signal: AbortSignal): Promise<string> {
    return this.#ask("grant", signal, () => this.store.grant(this.#clock.bootMs(), ttlS * 1000));
  }

  keepLeaseAlive(lease: string, signal: AbortSignal): Promise<boolean> {
    return this.#ask("keep-alive", signal, () => this.store.keepAlive(this.#clock.bootMs(), lease));
  }

  revokeLease(lease: string, signal: AbortSignal): Promise<void> {
    return this.#ask("revoke", signal, () => this.store.revoke(lease));
  }

  async renewLock(name: string, lease: string, signal: AbortSignal): Promise<RenewResult> {
    try {
      const renewal = await this.#ask(
        "renew",
        signal,
        () => this.store.renew(this.#clock.bootMs(), name, lease),
      );
      return renewal.kind === "refused" ? { ...renewal, why: "not ours" } : renewal;
    } catch (error) {
      return { kind: "unknown", why: String(error) };
    }
  }

  takeLock(name: string, lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#write("take", signal, () => this.store.takeLock(name, lease));
  }

  retakeLock(name: string, lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#write("retake", signal, () => this.store.retakeLock(name, lease));
  }

  releaseLock(name: string, lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#write("release", signal, () => this.store.releaseLock(name, lease));
  }

  writeMember(
    name: string,
    json: JsonObject,
    lease: string,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const role = json["role"] === "primary" ? "primary" : "replica";
    return this.#write("member", signal, () => {
      return this.store.writeMember(member(name, { role }), lease);
    });
  }

  claimBootstrap(lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#write("claim", signal, () => this.store.claimBootstrap(lease));
  }

  abandonBootstrap(lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#write("abandon", signal, () => this.store.abandonBootstrap(lease));
  }

  foundCluster(
    lease: string,
    systemId: string,
    config: JsonObject,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    return this.#write("found", signal, () => this.store.foundCluster(lease, systemId, config));
  }

  restoreKeys(
    name: string,
    systemId: string,
    config: JsonObject,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    return this.#write("restore", signal, () => {
      return this.store.asHolder(name, (store) => {
        store.initialize ??= { value: systemId, lease: null };
        store.config ??= { raw: config, revision: store.revision };
      });
    });
  }

  writeStatus(name: string, status: StatusWrite, signal: AbortSignal): Promise<WriteResult> {
    const { lsn, slots, retainSlots } = status;
    return this.#write("status", signal, () => {
      return this.store.asHolder(name, (store) => {
        store.status = { lsn, slots, retainSlots };
      });
    });
  }

  writeHistory(
    name: string,
    lines: readonly HistoryLine[],
    signal: AbortSignal,
  ): Promise<WriteResult> {
    return this.#write("history", signal, () => {
      return this.store.asHolder(name, (store) => {
        store.history = lines;
      });
    });
  }

  writeHandover(wish: HandoverWrite, _revision: bigint, signal: AbortSignal): Promise<WriteResult> {
    return this.#write("handover", signal, () => {
      this.store.wish(wish.leader, wish.candidate);
      return { kind: "done" };
    });
  }

  clearHandover(revision: bigint, signal: AbortSignal): Promise<WriteResult> {
    return this.#write("clear", signal, () => this.store.clearHandover(revision));
  }

  writeConfig(): Promise<WriteResult> {
    return Promise.resolve({ kind: "refused", why: "no test writes config" });
  }

  watch(): Promise<void> {
    return Promise.resolve();
  }

  health(): StoreHealth {
    return { endpoints: [], lastSeenWallMs: 0 };
  }

  async #ask<T>(call: string, signal: AbortSignal, work: () => T): Promise<T> {
    if (this.fault === "cut") throw new DcsUnreachable(`Cannot ask for ${call}: cut off`);
    this.calls.push(call);
    this.store.expire(this.#clock.bootMs());
    const answer = work();
    if (this.delayMs > 0) await this.#clock.sleep(this.delayMs, signal);
    if (signal.aborted || this.fault === "deaf") {
      throw new DcsUnreachable(`Cannot ask for ${call}: no answer`);
    }
    return answer;
  }

  async #write(call: string, signal: AbortSignal, work: () => Verdict): Promise<WriteResult> {
    try {
      const verdict = await this.#ask(call, signal, work);
      return verdict.kind === "done" ? { ...verdict, revision: this.store.revision } : verdict;
    } catch (error) {
      return { kind: "unknown", why: String(error) };
    }
  }
}

/** A server of three states that refuses what a real one would. */
export class MemoryPostgres implements PostgresControl {
  view: PostgresView;
  /** Names of the calls that arrived, in order; probes are left out. */
  readonly calls: string[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock, view: PostgresView = replica()) {
    this.#clock = clock;
    this.view = view;
  }

  probe(): Promise<PostgresView> {
    return Promise.resolve(this.view);
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

  promote(notAfterMs: number, job: JobContext): Promise<JobResult> {
    this.calls.push("promote");
    if (this.view.kind !== "replica") return failed("it is no replica");
    if (this.#clock.bootMs() > notAfterMs) return failed("the lease is over");
    if (!job.passPointOfNoReturn()) return Promise.resolve({ kind: "cancelled" });
    return this.#become(primary({ timeline: 2 }));
  }

  stop(): Promise<JobResult> {
    this.calls.push("stop");
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

function failed(why: string): Promise<JobResult> {
  return Promise.resolve({ kind: "failed", why });
}
