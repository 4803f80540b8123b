import type { Clock } from "../../lib/base/clock.ts";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { ClusterView, HistoryLine } from "../../lib/core/cluster_view.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import type {
  Dcs,
  FailsafeWrite,
  HandoverWrite,
  Look,
  RenewResult,
  StatusWrite,
  StoreHealth,
  WriteResult,
} from "../../lib/dcs/port.ts";
import { member } from "../core/builders.ts";
import { Store } from "../sim/store.ts";
import type { Verdict } from "../sim/store.ts";

/** The simulator's store behind the port: leases expire in the clock's time, answers can be late, lost or absent. */
export class MemoryDcs implements Dcs {
  readonly store: Store;
  /** Names of the calls that arrived, in order. */
  readonly calls: string[] = [];
  /**
   * "cut": nothing arrives. "hung": the same, and it shows at the deadline only, or at `givesUpMs`. "stuck": a call never
   * ends, whatever its signal says. "deaf": answers are lost.
   */
  fault: "none" | "cut" | "hung" | "stuck" | "deaf" = "none";
  /** Boot clock: then calls that hang are given up ahead of their deadline. */
  givesUpMs = Infinity;
  /** Each answer takes this long. */
  delayMs = 0;
  readonly #clock: Clock;

  constructor(clock: Clock, settings = defaultSettings) {
    this.#clock = clock;
    this.store = new Store(settings, () => {});
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

  takeLock(
    name: string,
    lease: string,
    signal: AbortSignal,
    look?: Look,
  ): Promise<WriteResult> {
    return this.#write("take", signal, () => this.store.takeLock(name, lease, look));
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
    return this.#write("status", signal, () => {
      return this.store.asHolder(name, (store) => {
        store.status = status;
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

  writeFailsafe(name: string, change: FailsafeWrite, signal: AbortSignal): Promise<WriteResult> {
    return this.#write("failsafe", signal, () => this.store.writeFailsafe(name, change));
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
    if (this.fault === "hung") {
      const leftMs = this.givesUpMs - this.#clock.bootMs();
      await this.#clock.sleep(leftMs > 0 ? Math.min(1e9, leftMs) : 1e9, signal);
      throw new DcsUnreachable(`Cannot ask for ${call}: no answer`);
    }
    if (this.fault === "stuck") await new Promise(() => {});
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
