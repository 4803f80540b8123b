import { DcsUnreachable } from "../../../lib/base/errors.ts";
import type { JsonObject } from "../../../lib/base/json.ts";
import type { ClusterView, HistoryLine } from "../../../lib/core/cluster_view.ts";
import { decodeMember } from "../../../lib/dcs/member_codec.ts";
import type {
  Dcs,
  FailsafeWrite,
  Look,
  RenewResult,
  StatusWrite,
  StoreHealth,
  WriteResult,
} from "../../../lib/dcs/port.ts";
import type { SimNode } from "../sim_node.ts";
import type { Store, Verdict } from "../store.ts";
import type { World } from "../world.ts";
import type { Life } from "./life.ts";

/** The simulated store and network behind the port: a request may be late, lost, or carried out without an answer. */
export class ShellDcs implements Dcs {
  readonly #world: World;
  readonly #node: SimNode;
  readonly #life: Life;

  constructor(world: World, node: SimNode, life: Life) {
    this.#world = world;
    this.#node = node;
    this.#life = life;
  }

  read(signal: AbortSignal): Promise<ClusterView> {
    return this.#ask(signal, (store) => store.read());
  }

  grantLease(ttlS: number, signal: AbortSignal): Promise<string> {
    return this.#ask(signal, (store) => store.grant(this.#trueMs(), ttlS * 1000));
  }

  keepLeaseAlive(lease: string, signal: AbortSignal): Promise<boolean> {
    return this.#ask(signal, (store) => store.keepAlive(this.#trueMs(), lease));
  }

  revokeLease(lease: string, signal: AbortSignal): Promise<void> {
    return this.#ask(signal, (store) => store.revoke(lease));
  }

  async renewLock(name: string, lease: string, signal: AbortSignal): Promise<RenewResult> {
    try {
      const renewal = await this.#ask(signal, (store) => store.renew(this.#trueMs(), name, lease));
      return renewal.kind === "refused" ? { ...renewal, why: "not ours" } : renewal;
    } catch (error) {
      return unknown(error);
    }
  }

  takeLock(
    name: string,
    lease: string,
    signal: AbortSignal,
    look?: Look,
  ): Promise<WriteResult> {
    this.#world.faults.reachesForLock(this.#node);
    return this.#write(signal, (store) => store.takeLock(name, lease, look));
  }

  retakeLock(name: string, lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#write(signal, (store) => store.retakeLock(name, lease));
  }

  releaseLock(name: string, lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#write(signal, (store) => store.releaseLock(name, lease));
  }

  writeMember(
    name: string,
    json: JsonObject,
    lease: string,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const state = decodeMember(name, JSON.stringify(json));
    return this.#write(signal, (store) => store.writeMember(state, lease));
  }

  claimBootstrap(lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#write(signal, (store) => store.claimBootstrap(lease));
  }

  abandonBootstrap(lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#write(signal, (store) => store.abandonBootstrap(lease));
  }

  foundCluster(
    lease: string,
    systemId: string,
    config: JsonObject,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    return this.#write(signal, (store) => store.foundCluster(lease, systemId, config));
  }

  restoreKeys(
    name: string,
    systemId: string,
    config: JsonObject,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    return this.#asHolder(name, signal, (store) => {
      store.initialize ??= { value: systemId, lease: null };
      store.config ??= { raw: config, revision: store.revision };
    });
  }

  writeStatus(name: string, status: StatusWrite, signal: AbortSignal): Promise<WriteResult> {
    return this.#asHolder(name, signal, (store) => {
      store.status = status;
    });
  }

  writeHistory(
    name: string,
    lines: readonly HistoryLine[],
    signal: AbortSignal,
  ): Promise<WriteResult> {
    return this.#asHolder(name, signal, (store) => {
      store.history = lines;
    });
  }

  writeFailsafe(name: string, change: FailsafeWrite, signal: AbortSignal): Promise<WriteResult> {
    return this.#write(signal, (store) => store.writeFailsafe(name, change));
  }

  writeHandover(): Promise<WriteResult> {
    return Promise.resolve({ kind: "refused", why: "operators wish by themselves here" });
  }

  clearHandover(revision: bigint, signal: AbortSignal): Promise<WriteResult> {
    return this.#write(signal, (store) => store.clearHandover(revision));
  }

  writeConfig(): Promise<WriteResult> {
    return Promise.resolve({ kind: "refused", why: "nobody changes the settings here" });
  }

  /** Hints come from the world by `SimNode.wake`. */
  watch(): Promise<void> {
    return Promise.resolve();
  }

  health(): StoreHealth {
    return { endpoints: [], lastSeenWallMs: 0 };
  }

  #trueMs(): number {
    return this.#world.scheduler.nowMs;
  }

  #asHolder(
    name: string,
    signal: AbortSignal,
    change: (store: Store) => void,
  ): Promise<WriteResult> {
    return this.#write(signal, (store) => store.asHolder(name, change));
  }

  async #write(signal: AbortSignal, change: (store: Store) => Verdict): Promise<WriteResult> {
    try {
      const verdict = await this.#ask(signal, change);
      return verdict.kind === "done"
        ? { ...verdict, revision: this.#world.store.revision }
        : verdict;
    } catch (error) {
      return unknown(error);
    }
  }

  async #ask<T>(signal: AbortSignal, request: (store: Store) => T): Promise<T> {
    if (signal.aborted) throw new DcsUnreachable("no time was left to ask the store");
    const trip = this.#world.ask(this.#node, Infinity, request);
    const answer = await this.#life.perform(trip, signal);
    if (answer.kind === "lost" || signal.aborted) throw new DcsUnreachable("no answer");
    return answer.value;
  }
}

function unknown(error: unknown): { readonly kind: "unknown"; readonly why: string } {
  if (!(error instanceof DcsUnreachable)) throw error;
  return { kind: "unknown", why: error.message };
}
