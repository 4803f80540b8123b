import type { ClusterView, LeaderStatus } from "../../lib/core/cluster_view.ts";
import type { LeaseView } from "../../lib/core/node_view.ts";
import type { Look } from "../../lib/dcs/port.ts";
import { LockClaim } from "../../lib/runtime/lock_claim.ts";
import type { AliveLease } from "../../lib/runtime/session_lease.ts";
import type { KeeperFaults, KeeperPorts } from "./keeper_ports.ts";
import { clockOf, lookOf } from "./keeper_ports.ts";
import type { Steps } from "./schedule.ts";
import { SimGuard } from "./sim_guard.ts";
import type { Store, Verdict } from "./store.ts";

type TakeAnswer = Verdict | { readonly kind: "unknown" };

const SURELY_GONE_MS = 2000;
const RETRY_MS = 500;
const QUEUE_MS = 5;

/**
 * The lease of one member: the product's own `LockClaim`, fed over the simulated network in the way of
 * `lib/runtime/lease_keeper.ts`.
 */
export class Keeper {
  /** Survives the agent: the state file of the host. */
  lease: string | null;
  readonly #ports: KeeperPorts;
  readonly #faults: KeeperFaults;
  readonly claim: LockClaim;
  /** What ties the claim to the switch. */
  readonly guard: SimGuard;
  #aliveMs: number;
  #tickMs = -Infinity;
  #failing = false;
  #busy = false;

  constructor(ports: KeeperPorts, faults: KeeperFaults, lease: string | null) {
    this.#ports = ports;
    this.#faults = faults;
    this.lease = lease;
    this.#aliveMs = ports.bootMs();
    this.claim = new LockClaim({
      clock: clockOf(ports),
      timing: () => ports.timing,
      onLost: () => ports.wake(),
    });
    this.guard = new SimGuard(this.claim, ports, faults);
  }

  /** The lease at this moment. */
  view(): LeaseView {
    const held = this.claim.kind() === "held";
    if (!held || !this.#faults.neverEnds) return this.claim.lease();
    return { kind: "held", endsMs: this.#ports.bootMs() + this.#ports.timing.ttlMs };
  }

  /** A tick begins: without ticks nothing is extended. */
  tickSeen(): void {
    this.#tickMs = this.#ports.bootMs();
  }

  /** The order to hold the lock; false when it is not held. */
  hold(): boolean {
    return this.claim.order() || this.#faults.neverEnds === true;
  }

  /** What the state file names is looked at before the first tick. */
  *attach(): Steps<void> {
    if (this.lease === null) return;
    yield* this.#enter();
    this.claim.ask();
    if (yield* this.#keepAlive()) yield* this.#renew(this.#ports.timing.endpointMs);
    else if (this.lease === null) this.claim.lose("the lease is gone");
    this.#busy = false;
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
    const untilMs = this.#ports.bootMs() + deadlineMs;
    yield* this.#enter();
    const leftMs = untilMs - this.#ports.bootMs();
    const view = leftMs > 0 ? yield* this.#look(leftMs) : null;
    this.#busy = false;
    return view;
  }

  /** From when no renewal counts any more; null when the lock is not held. */
  stopAtMs(): number | null {
    return this.claim.stopAtMs();
  }

  /** A lease for member key and lock; null when the store gave none. */
  *ensureLease(): Steps<string | null> {
    yield* this.#enter();
    const lease = yield* this.#ensure();
    this.#busy = false;
    return lease;
  }

  /** take-lock. */
  *take(look: Look): Steps<TakeAnswer> {
    yield* this.#enter();
    const answer = yield* this.#take(look);
    this.#busy = false;
    return answer;
  }

  /** release-lock: authority ends before the request is sent. */
  *release(last: Partial<LeaderStatus> | null): Steps<TakeAnswer> {
    this.claim.drop();
    yield* this.#enter();
    const answer = yield* this.#release(last);
    this.#busy = false;
    return answer;
  }

  *#enter(): Steps<void> {
    while (this.#busy) yield QUEUE_MS;
    this.#busy = true;
  }

  *#look(deadlineMs: number): Steps<ClusterView | null> {
    if (this.claim.mayRenew()) {
      const proof = yield* this.#renew(deadlineMs);
      if (proof !== "not ours") return proof;
    }
    const answer = yield* this.#ports.ask(deadlineMs, (store) => store.read());
    if (answer.kind === "lost") return null;
    this.claim.note(answer.value.lock, this.#ports.name, this.#alive());
    return answer.value;
  }

  *#take(look: Look): Steps<TakeAnswer> {
    if (this.claim.kind() === "dropped") return { kind: "refused", why: "given up, still there" };
    const known = this.lease !== null && (yield* this.#keepAlive());
    const lease = known ? this.lease : yield* this.#grant();
    if (lease === null) return { kind: "unknown" };
    const { name, timing } = this.#ports;
    const why = this.#ports.whyNotTake();
    if (why !== null) return { kind: "refused", why };
    this.claim.ask();
    const wanted = lookOf(look, this.#faults);
    const request = (store: Store): Verdict => store.takeLock(name, lease, wanted);
    const answer = yield* this.#ports.ask(timing.endpointMs, request);
    if (answer.kind === "lost") return { kind: "unknown" };
    const verdict = answer.value;
    if (verdict.kind === "refused") this.claim.lose(verdict.why);
    if (verdict.kind === "refused") return verdict;
    this.#confirm();
    return this.hold() ? verdict : { kind: "refused", why: "the lock came too late" };
  }

  *#release(last: Partial<LeaderStatus> | null): Steps<TakeAnswer> {
    const { name, timing } = this.#ports;
    const { lease } = this;
    if (lease === null) return { kind: "refused", why: "no lease" };
    const answer = yield* this.#ports.ask(timing.endpointMs, (store) => {
      if (last !== null) {
        store.asHolder(name, (held) => held.status = { ...held.status, ...last });
      }
      return store.releaseLock(name, lease);
    });
    if (answer.kind === "lost") return { kind: "unknown" };
    this.claim.gone();
    return answer.value;
  }

  *#step(): Steps<void> {
    if (!this.#faults.neverEnds) this.claim.settle();
    if (this.#ports.bootMs() < this.#dueMs()) return;
    yield* this.#enter();
    yield* this.#extend();
    this.#busy = false;
  }

  *#extend(): Steps<void> {
    const { timing } = this.#ports;
    if (this.claim.mayRenew()) {
      const leftMs = (this.stopAtMs() ?? Infinity) - this.#ports.bootMs();
      this.#failing = (yield* this.#renew(Math.min(timing.renewalMs, leftMs))) === null;
      return;
    }
    const ticks = this.#ports.bootMs() - this.#tickMs <= timing.ttlMs;
    const mayFeed = this.claim.kind() === "none" || this.#faults.feedsDropped;
    if (!mayFeed || !ticks || this.lease === null) return;
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
    if (answer.kind === "lost" && this.#faults.trustsLostRenewal) {
      this.#aliveMs = sentMs;
      this.#confirm();
    }
    if (answer.kind === "lost") return null;
    const { value } = answer;
    if (value.kind === "held") {
      this.#aliveMs = this.#faults.countsFromAnswer ? this.#ports.bootMs() : sentMs;
      this.#ports.proved(sentMs);
      this.#confirm(value.view.settings.paused);
      return value.view;
    }
    if (value.kind === "lease-gone") this.lease = null;
    if (value.kind === "lease-gone" || value.keyIsFreeOrOurs) {
      return yield* this.#reattach("the key or its lease is gone");
    }
    if (this.#faults.refusalIsSilence) return null;
    this.claim.lose("the lock is somebody else's");
    return "not ours";
  }

  *#reattach(why: string): Steps<null | "not ours"> {
    if (!this.claim.mayReattach()) {
      this.claim.lose(why);
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
    else this.claim.lose(answer.value.why);
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

  #confirm(isPaused = false): void {
    const lease = this.#alive();
    if (lease !== null) this.guard.confirm(lease, isPaused);
  }

  #alive(): AliveLease | null {
    const { lease } = this;
    const ttlS = this.#ports.timing.ttlMs / 1000;
    return lease === null ? null : { id: lease, ttlS, aliveMs: this.#aliveMs };
  }

  #dueMs(): number {
    if (this.#failing) return this.#ports.bootMs();
    return this.#aliveMs + this.#ports.timing.renewEveryMs;
  }

  #untilDueMs(): number {
    const nowMs = this.#ports.bootMs();
    const dueMs = this.#failing ? nowMs + RETRY_MS : this.#dueMs();
    const lease = this.claim.lease();
    const endsMs = lease.kind === "held" ? lease.endsMs : Infinity;
    const latestMs = nowMs + this.#ports.timing.renewEveryMs;
    return Math.max(RETRY_MS, Math.min(dueMs, endsMs, latestMs) - nowMs);
  }
}
