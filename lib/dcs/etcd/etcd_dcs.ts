import type { Clock } from "../../base/clock.ts";
import { DcsUnreachable, Refused } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { ClusterView, HistoryLine } from "../../core/cluster_view.ts";
import { encodeHandover, encodeHistory, encodeStatus, NO_HANDOVER } from "../codec.ts";
import { keysOf, memberKey } from "../keys.ts";
import type { Keys } from "../keys.ts";
import type {
  Dcs,
  FailsafeWrite,
  HandoverWrite,
  Look,
  RenewResult,
  StatusWrite,
  StoreHealth,
  WriteResult,
} from "../port.ts";
import { encodeWire } from "../wire_json.ts";
import { Gateway } from "./gateway.ts";
import type { GatewayOptions } from "./gateway.ts";
import { grantLease, keepLeaseAlive, revokeLease, unlessRefused } from "./lease.ts";
import {
  asLooked,
  notProven,
  proveLock,
  proveRights,
  releaseLock,
  replaceFailsafe,
  retakeLock,
  takeLock,
} from "./lock.ts";
import type { EtcdUser } from "./login.ts";
import { OwnRecord } from "./own_record.ts";
import {
  entriesOf,
  entriesRead,
  hasSucceeded,
  isAbsent,
  leaseIs,
  prefixRange,
  put,
  putIfAbsent,
  remove,
  revisionIs,
  valueIs,
} from "./txn.ts";
import type { Compare, Step } from "./txn.ts";
import { ViewReader } from "./view_reader.ts";
import { watch } from "./watch.ts";
import { refusedIfFailed, removeCluster, writeGuarded } from "./writer.ts";
import type { GuardedWrite } from "./writer.ts";

/** Which cluster in which etcd. */
export interface EtcdDcsOptions extends GatewayOptions {
  readonly scope: string;
  readonly namespace: string;
}

/** The store on etcd 3.4 or later. Keys and contents are Patroni 4's. */
export class EtcdDcs implements Dcs {
  readonly #gateway: Gateway;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #own = new OwnRecord();
  readonly #views: ViewReader;

  constructor(options: EtcdDcsOptions) {
    this.#gateway = new Gateway(options);
    this.#keys = keysOf(options);
    this.#views = new ViewReader(this.#keys);
    this.#clock = options.clock;
  }

  /** Another user or password from now on: null when it may lead here, else why the one before goes on for now. */
  relogin(user: EtcdUser, signal: AbortSignal): Promise<string | null> {
    return this.#gateway.relogin(user, proveRights(this.#keys), signal);
  }

  async read(signal: AbortSignal): Promise<ClusterView> {
    const call = { path: "/v3/kv/range", body: prefixRange(this.#keys.prefix) };
    const answer = await unlessRefused(this.#gateway.call(call, signal));
    return this.#views.view(answer, entriesOf(answer));
  }

  grantLease(ttlS: number, signal: AbortSignal): Promise<string> {
    return grantLease(this.#gateway, ttlS, signal);
  }

  keepLeaseAlive(lease: string, signal: AbortSignal): Promise<boolean> {
    return keepLeaseAlive(this.#gateway, lease, signal);
  }

  revokeLease(lease: string, signal: AbortSignal): Promise<void> {
    return revokeLease(this.#gateway, lease, signal);
  }

  /**
   * The keep-alive proves nothing (it answers while another holds the key); the transaction does. Its read is
   * needed even for the proof: etcd answers an empty branch without asking a quorum.
   */
  async renewLock(name: string, lease: string, signal: AbortSignal): Promise<RenewResult> {
    try {
      if (!await this.keepLeaseAlive(lease, signal)) return { kind: "lease-gone" };
      return await this.#proveLock(name, lease, signal);
    } catch (error) {
      // A refusal here is one of permission or login: it says nothing about who holds the lock.
      if (error instanceof Refused || error instanceof DcsUnreachable) {
        return { kind: "unknown", why: error.message };
      }
      throw error;
    }
  }

  async #proveLock(name: string, lease: string, signal: AbortSignal): Promise<RenewResult> {
    const answer = await this.#gateway.call(proveLock(this.#keys, { name, lease }), signal);
    const found = entriesRead(answer);
    if (!hasSucceeded(answer)) return notProven(name, found[0] ?? null);
    return { kind: "held", view: this.#views.view(answer, found) };
  }

  takeLock(name: string, lease: string, signal: AbortSignal, look?: Look): Promise<WriteResult> {
    const conditions = asLooked(this.#keys, this.#views.blank().failsafe, look);
    return this.#create(takeLock(this.#keys.leader, { name, lease }, conditions), signal);
  }

  async retakeLock(name: string, lease: string, signal: AbortSignal): Promise<WriteResult> {
    const write = retakeLock(this.#keys.leader, { name, lease });
    const result = await writeGuarded(this.#gateway, write, signal);
    const isFree = result.kind === "condition-failed" && result.found === null;
    if (!isFree) return refusedIfFailed(result);
    return await this.#create(takeLock(this.#keys.leader, { name, lease }), signal);
  }

  releaseLock(name: string, lease: string, signal: AbortSignal): Promise<WriteResult> {
    return this.#takeAway(releaseLock(this.#keys.leader, { name, lease }), signal);
  }

  writeMember(
    name: string,
    json: JsonObject,
    lease: string,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const write = { key: memberKey(this.#keys, name), text: encodeWire(json), lease };
    return this.#own.write(this.#gateway, write, signal);
  }

  claimBootstrap(lease: string, signal: AbortSignal): Promise<WriteResult> {
    const { initialize } = this.#keys;
    return this.#create({
      compare: [isAbsent(initialize)],
      steps: [put(initialize, "", lease)],
      witness: initialize,
      isDone: (found) => found?.value === "" && found.lease === lease,
    }, signal);
  }

  abandonBootstrap(lease: string, signal: AbortSignal): Promise<WriteResult> {
    const { initialize } = this.#keys;
    return this.#takeAway({
      compare: this.#claimedUnder(lease),
      steps: [remove(initialize)],
      witness: initialize,
      isDone: (found) => found === null,
    }, signal);
  }

  foundCluster(
    lease: string,
    systemId: string,
    config: JsonObject,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { initialize } = this.#keys;
    return this.#write({
      compare: this.#claimedUnder(lease),
      steps: [put(initialize, systemId), putIfAbsent(this.#keys.config, encodeWire(config))],
      witness: initialize,
      isDone: (found) => found?.value === systemId,
    }, signal);
  }

  restoreKeys(
    name: string,
    systemId: string,
    config: JsonObject,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { initialize } = this.#keys;
    const text = encodeWire(config);
    const steps = [putIfAbsent(initialize, systemId), putIfAbsent(this.#keys.config, text)];
    return this.#writeAsLeader(name, steps, signal);
  }

  writeStatus(name: string, status: StatusWrite, signal: AbortSignal): Promise<WriteResult> {
    return this.#writeAsLeader(name, [put(this.#keys.status, encodeStatus(status))], signal);
  }

  writeHistory(
    name: string,
    lines: readonly HistoryLine[],
    signal: AbortSignal,
  ): Promise<WriteResult> {
    return this.#writeAsLeader(name, [put(this.#keys.history, encodeHistory(lines))], signal);
  }

  writeFailsafe(name: string, change: FailsafeWrite, signal: AbortSignal): Promise<WriteResult> {
    const revision = change.revision || this.#views.blank().failsafe;
    return this.#write(replaceFailsafe(this.#keys, name, { ...change, revision }), signal);
  }

  writeHandover(wish: HandoverWrite, revision: bigint, signal: AbortSignal): Promise<WriteResult> {
    const known = revision || this.#views.blank().failover;
    return this.#replace(this.#keys.failover, encodeHandover(wish), known, signal);
  }

  clearHandover(revision: bigint, signal: AbortSignal): Promise<WriteResult> {
    return this.#replace(this.#keys.failover, NO_HANDOVER, revision, signal);
  }

  writeConfig(config: JsonObject, revision: bigint, signal: AbortSignal): Promise<WriteResult> {
    const text = encodeWire(config);
    return this.#replace(this.#keys.config, text, revision || this.#views.blank().config, signal);
  }

  /** Deletes every key of the cluster if `holder` (null: nobody) has the lock at that moment, or its lock has ended. */
  removeCluster(holder: string | null, signal: AbortSignal): Promise<WriteResult> {
    return removeCluster(this.#gateway, this.#keys, holder, signal);
  }

  watch(onHint: () => void, silenceMs: () => number, signal: AbortSignal): Promise<void> {
    const [gateway, keys, clock] = [this.#gateway, this.#keys, this.#clock];
    return watch({ gateway, keys, clock, silenceMs }, onHint, signal);
  }

  health(): StoreHealth {
    return this.#gateway.health();
  }

  #claimedUnder(lease: string): readonly Compare[] {
    const { initialize } = this.#keys;
    return [valueIs(initialize, ""), leaseIs(initialize, lease)];
  }

  #writeAsLeader(
    name: string,
    steps: readonly Step[],
    signal: AbortSignal,
  ): Promise<WriteResult> {
    const { leader } = this.#keys;
    const compare = [valueIs(leader, name)];
    return this.#write({ compare, steps, witness: leader, isDone: () => false }, signal);
  }

  /** Replaces a key that is unchanged since `revision`; one that holds this very text already is done. */
  #replace(
    key: string,
    text: string,
    revision: bigint,
    signal: AbortSignal,
  ): Promise<WriteResult> {
    return this.#write({
      compare: [revisionIs(key, revision)],
      steps: [put(key, text)],
      witness: key,
      isDone: (found) => found?.value === text,
    }, signal);
  }

  /**
   * Creates a key unless a later step of ours has overtaken this request. A failed condition with the key absent means
   * that only the own record has moved; then once more with its revision of now, unless another process of this name has
   * moved it.
   */
  async #create(write: GuardedWrite, signal: AbortSignal): Promise<WriteResult> {
    const fenced = (): GuardedWrite => ({
      ...write,
      compare: [...write.compare, ...this.#own.unchanged()],
    });
    const result = await writeGuarded(this.#gateway, fenced(), signal);
    if (result.kind !== "condition-failed" || result.found !== null) return refusedIfFailed(result);
    try {
      const why = await this.#own.refresh(this.#gateway, signal);
      if (why !== null) return { kind: "refused", why };
    } catch (error) {
      if (error instanceof DcsUnreachable) return { kind: "unknown", why: error.message };
      throw error;
    }
    return await this.#write(fenced(), signal);
  }

  async #takeAway(write: GuardedWrite, signal: AbortSignal): Promise<WriteResult> {
    return await this.#write({ ...write, steps: [...write.steps, ...this.#own.touched()] }, signal);
  }

  async #write(write: GuardedWrite, signal: AbortSignal): Promise<WriteResult> {
    return refusedIfFailed(await writeGuarded(this.#gateway, write, signal));
  }
}
