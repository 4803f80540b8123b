import type { ClusterView } from "../../lib/core/cluster_view.ts";
import type { LeaseTiming } from "../../lib/core/lease_timing.ts";
import type { LeaseView } from "../../lib/core/node_view.ts";
import type { Lsn } from "../../lib/core/lsn.ts";
import type { Steps } from "./schedule.ts";
import type { Store, Verdict } from "./store.ts";

/** One request to the store as an agent sees it: an answer, or nothing known. */
export type StoreAnswer<T> = { readonly kind: "answer"; readonly value: T } | {
  readonly kind: "lost";
};

/** What the keeper needs of its node. */
export interface KeeperPorts {
  readonly name: string;
  readonly timing: LeaseTiming;
  /** Boot clock of the node. */
  bootMs(): number;
  /** True time, for the store's own count. */
  trueMs(): number;
  ask<T>(deadlineMs: number, request: (store: Store) => T): Steps<StoreAnswer<T>>;
  wake(): void;
}

/** Deliberate faults of a keeper; the simulator must find each. */
export interface KeeperFaults {
  /** The lease counts from the answer instead of the request. */
  readonly countsFromAnswer?: boolean;
  /** An unknown take-lock is reported as held. */
  readonly trustsUnknownTake?: boolean;
  /** A refused renewal is passed over. */
  readonly ignoresRefusal?: boolean;
  /** The lease never ends by itself. */
  readonly neverEnds?: boolean;
}

type Claim =
  | { readonly kind: "none" | "asked" | "dropped" }
  | { readonly kind: "held"; readonly endsMs: number };

type TakeAnswer = Verdict | { readonly kind: "unknown" };

const SURELY_GONE_MS = 2000;
const RETRY_MS = 500;
const QUEUE_MS = 5;

/**
 * The lease of one member, with the promises of `lib/runtime/lease_keeper.ts`: renews beside the tick while ordered
 * to, proves the lock with each view, counts from before the request, and never extends what was dropped.
 */
export class Keeper {
  /** Survives the agent: the state file of the host. */
  lease: string | null;
  readonly #ports: KeeperPorts;
  readonly #faults: KeeperFaults;
  #aliveMs: number;
  #claim: Claim = { kind: "none" };
  #lostWhy: string | null = null;
  #orderedMs = -Infinity;
  #tickMs = -Infinity;
  #failing = false;
  #busy = false;

  constructor(ports: KeeperPorts, faults: KeeperFaults, lease: string | null) {
    this.#ports = ports;
    this.#faults = faults;
    this.lease = lease;
    this.#aliveMs = ports.bootMs();
  }

  /** The lease at this moment. */
  view(): LeaseView {
    if (this.#claim.kind === "held") {
      const { endsMs } = this.#claim;
      const runs = this.#ports.bootMs() < endsMs || this.#faults.neverEnds;
      return runs ? { kind: "held", endsMs } : { kind: "lost", why: "the lease ran out" };
    }
    return this.#lostWhy === null ? { kind: "none" } : { kind: "lost", why: this.#lostWhy };
  }

  /** A tick runs, and this is what its decision ordered. */
  order(holds: boolean): boolean {
    this.#tickMs = this.#ports.bootMs();
    if (!holds) return true;
    if (this.view().kind !== "held") return false;
    this.#orderedMs = this.#ports.bootMs();
    return true;
  }

  /** What the state file names is looked at before the first tick. */
  *attach(): Steps<void> {
    if (this.lease === null) return;
    if (!(yield* this.#keepAlive())) return;
    this.#claim = { kind: "asked" };
    yield* this.#renew(this.#ports.timing.endpointMs);
  }

  /** The keeper's life. */
  *run(): Steps<void> {
    while (true) {
      yield this.#untilDueMs();
      yield* this.#step();
    }
  }

  /** The cluster, with the proof of the lock when it is ours to renew; null without an answer. */
  *look(deadlineMs: number): Steps<ClusterView | null> {
    yield* this.#enter();
    const view = yield* this.#look(deadlineMs);
    this.#busy = false;
    return view;
  }

  /** A lease for member key and lock; null when the store gave none. */
  *ensureLease(): Steps<string | null> {
    yield* this.#enter();
    const lease = yield* this.#ensure();
    this.#busy = false;
    return lease;
  }

  /** take-lock. */
  *take(): Steps<TakeAnswer> {
    yield* this.#enter();
    const answer = yield* this.#take();
    this.#busy = false;
    return answer;
  }

  /** release-lock: authority ends before the request is sent. */
  *release(lastLsn: Lsn | null): Steps<TakeAnswer> {
    this.#drop(null);
    yield* this.#enter();
    const answer = yield* this.#release(lastLsn);
    this.#busy = false;
    return answer;
  }

  *#enter(): Steps<void> {
    while (this.#busy) yield QUEUE_MS;
    this.#busy = true;
  }

  *#look(deadlineMs: number): Steps<ClusterView | null> {
    if (this.#mayRenew()) {
      const proof = yield* this.#renew(deadlineMs);
      if (proof !== "not ours") return proof;
    }
    const answer = yield* this.#ports.ask(deadlineMs, (store) => store.read());
    if (answer.kind === "lost") return null;
    const { lock } = answer.value;
    const ours = lock?.holder === this.#ports.name && lock.lease === this.lease;
    if (this.#claim.kind === "dropped" && !ours) this.#claim = { kind: "none" };
    return answer.value;
  }

  *#take(): Steps<TakeAnswer> {
    const known = this.lease !== null && (yield* this.#keepAlive());
    const lease = known ? this.lease : yield* this.#grant();
    if (lease === null) return { kind: "unknown" };
    const { name, timing } = this.#ports;
    this.#claim = { kind: "asked" };
    const answer = yield* this.#ports.ask(
      timing.endpointMs,
      (store) => store.takeLock(name, lease),
    );
    if (answer.kind === "lost" && !this.#faults.trustsUnknownTake) return { kind: "unknown" };
    const verdict: Verdict = answer.kind === "lost" ? { kind: "done" } : answer.value;
    if (verdict.kind === "refused") {
      this.#claim = { kind: "none" };
      return verdict;
    }
    this.#confirm();
    return this.order(true) ? verdict : { kind: "refused", why: "the lock came too late" };
  }

  *#release(lastLsn: Lsn | null): Steps<TakeAnswer> {
    const { name, timing } = this.#ports;
    const { lease } = this;
    if (lease === null) return { kind: "refused", why: "no lease" };
    const answer = yield* this.#ports.ask(timing.endpointMs, (store) => {
      if (lastLsn !== null) {
        store.asHolder(name, (held) => held.status = { ...held.status, lsn: lastLsn });
      }
      return store.releaseLock(name, lease);
    });
    if (answer.kind === "lost") return { kind: "unknown" };
    if (this.#claim.kind === "dropped") this.#claim = { kind: "none" };
    return answer.value;
  }

  *#step(): Steps<void> {
    const ended = this.#claim.kind === "held" && this.#ports.bootMs() >= this.#claim.endsMs;
    if (ended && !this.#faults.neverEnds) {
      this.#drop("the lease ran out");
      this.#ports.wake();
    }
    yield* this.#enter();
    yield* this.#extend();
    this.#busy = false;
  }

  *#extend(): Steps<void> {
    const { timing } = this.#ports;
    if (this.#mayRenew()) {
      this.#failing = (yield* this.#renew(timing.endpointMs)) === null;
      return;
    }
    const ticks = this.#ports.bootMs() - this.#tickMs <= timing.ttlMs;
    if (this.#claim.kind !== "none" || !ticks || this.lease === null) return;
    if (!(yield* this.#keepAlive()) && this.lease === null) this.#ports.wake();
  }

  *#renew(deadlineMs: number): Steps<ClusterView | null | "not ours"> {
    const { name } = this.#ports;
    const { lease } = this;
    if (lease === null) return yield* this.#reattach("the lease is gone");
    const sentMs = this.#ports.bootMs();
    const answer = yield* this.#ports.ask(
      deadlineMs,
      (store) => store.renew(this.#ports.trueMs(), name, lease),
    );
    if (answer.kind === "lost") return null;
    const { value } = answer;
    if (value.kind === "held") {
      this.#aliveMs = this.#faults.countsFromAnswer ? this.#ports.bootMs() : sentMs;
      this.#confirm();
      return value.view;
    }
    if (this.#faults.ignoresRefusal) return "not ours";
    if (value.kind === "lease-gone") this.lease = null;
    if (value.kind === "lease-gone" || value.keyIsFreeOrOurs) {
      return yield* this.#reattach("the key or its lease is gone");
    }
    this.#lose("the lock is somebody else's");
    return "not ours";
  }

  *#reattach(why: string): Steps<null | "not ours"> {
    if (this.#claim.kind !== "held" || this.#isLate()) {
      this.#lose(why);
      return "not ours";
    }
    const lease = yield* this.#ensure();
    if (lease === null) return null;
    const { name, timing } = this.#ports;
    const answer = yield* this.#ports.ask(
      timing.endpointMs,
      (store) => store.retakeLock(name, lease),
    );
    if (answer.kind === "lost") return null;
    if (answer.value.kind === "done") this.#confirm();
    else this.#lose(answer.value.why);
    return "not ours";
  }

  *#keepAlive(): Steps<boolean> {
    const { lease } = this;
    if (lease === null) return false;
    const sentMs = this.#ports.bootMs();
    const answer = yield* this.#ports.ask(
      this.#ports.timing.endpointMs,
      (store) => store.keepAlive(this.#ports.trueMs(), lease),
    );
    if (answer.kind === "lost") return false;
    if (answer.value) this.#aliveMs = sentMs;
    else this.lease = null;
    return answer.value;
  }

  *#ensure(): Steps<string | null> {
    const goneMs = this.#aliveMs + this.#ports.timing.ttlMs + SURELY_GONE_MS;
    if (this.lease !== null && this.#ports.bootMs() <= goneMs) return this.lease;
    return yield* this.#grant();
  }

  *#grant(): Steps<string | null> {
    const { timing } = this.#ports;
    const sentMs = this.#ports.bootMs();
    const answer = yield* this.#ports.ask(
      timing.endpointMs,
      (store) => store.grant(this.#ports.trueMs(), timing.ttlMs),
    );
    if (answer.kind === "lost") return null;
    this.#aliveMs = sentMs;
    this.lease = answer.value;
    return answer.value;
  }

  #confirm(): void {
    const asked = this.#claim.kind === "asked";
    if (!asked && (this.#claim.kind !== "held" || this.#isLate())) return;
    const { timing } = this.#ports;
    const endsMs = this.#aliveMs + timing.ttlMs;
    if (this.#ports.bootMs() >= endsMs - timing.stopBeforeMs) {
      return this.#lose("the proof of the lock came too late");
    }
    this.#claim = { kind: "held", endsMs };
    this.#lostWhy = null;
    if (asked) this.#orderedMs = this.#ports.bootMs();
  }

  #isLate(): boolean {
    if (this.#claim.kind !== "held" || this.#faults.neverEnds) return false;
    return this.#ports.bootMs() >= this.#claim.endsMs - this.#ports.timing.stopBeforeMs;
  }

  #mayRenew(): boolean {
    if (this.#claim.kind === "asked") return true;
    if (this.#claim.kind !== "held" || this.#isLate()) return false;
    return this.#ports.bootMs() - this.#orderedMs <= this.#ports.timing.ttlMs / 2;
  }

  #lose(why: string): void {
    const { kind } = this.#claim;
    if (kind !== "held" && kind !== "asked") return;
    this.#claim = { kind: "none" };
    if (kind !== "held") return;
    this.#lostWhy = why;
    this.#ports.wake();
  }

  #drop(why: string | null): void {
    if (this.#claim.kind !== "none") this.#claim = { kind: "dropped" };
    this.#lostWhy = why;
    this.#orderedMs = -Infinity;
  }

  #untilDueMs(): number {
    const nowMs = this.#ports.bootMs();
    const { renewEveryMs } = this.#ports.timing;
    const dueMs = this.#failing ? nowMs + RETRY_MS : this.#aliveMs + renewEveryMs;
    const endsMs = this.#claim.kind === "held" ? this.#claim.endsMs : Infinity;
    return Math.max(200, Math.min(dueMs, endsMs, nowMs + renewEveryMs) - nowMs);
  }
}
