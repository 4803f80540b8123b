import type { Clock } from "../base/clock.ts";
import type { LockState } from "../core/cluster_view.ts";
import type { LeaseTiming } from "../core/lease_timing.ts";
import type { LeaseView } from "../core/node_view.ts";
import type { AliveLease } from "./session_lease.ts";

/** What this member may say about the lock. */
type Claim =
  /** The key is not ours, as far as the store has said. */
  | { readonly kind: "none" }
  /** It may be ours (a take without an answer, the process before us): a renewal will tell. */
  | { readonly kind: "asked" }
  /** `consented`: the end is not that of the last proof, but what all other members have consented to. */
  | { readonly kind: "held"; readonly endsMs: number; readonly consented: boolean }
  /** Authority has ended here, the key may still name us: nothing may extend it. */
  | { readonly kind: "dropped" };

/** What a claim is judged by. */
export interface LockClaimOptions {
  readonly clock: Clock;
  /** The budget in force now; it changes with the settings. */
  readonly timing: () => LeaseTiming;
  /** Told once when authority that was held has ended. */
  readonly onLost: (why: string) => void;
}

/** Until when this member may lead, and whether a renewal may still be sent. Knows time, does no I/O. */
export class LockClaim {
  readonly #clock: Clock;
  readonly #timing: () => LeaseTiming;
  readonly #onLost: (why: string) => void;
  #claim: Claim = { kind: "none" };
  #lostWhy: string | null = null;
  #orderedMs = -Infinity;
  #term = 0;

  constructor(options: LockClaimOptions) {
    this.#clock = options.clock;
    this.#timing = options.timing;
    this.#onLost = options.onLost;
  }

  /** The state of the claim. */
  kind(): Claim["kind"] {
    return this.#claim.kind;
  }

  /** The lease at this moment: it turns to lost by itself when its time is over. */
  lease(): LeaseView {
    if (this.#claim.kind === "held") {
      const { endsMs, consented } = this.#claim;
      if (this.#clock.bootMs() < endsMs) {
        return consented ? { kind: "held", endsMs, consented } : { kind: "held", endsMs };
      }
      return { kind: "lost", why: "the lease ran out" };
    }
    return this.#lostWhy === null ? { kind: "none" } : { kind: "lost", why: this.#lostWhy };
  }

  /** The moment from which no renewal counts any more; null when the lock is not held. */
  stopAtMs(): number | null {
    if (this.#claim.kind !== "held") return null;
    return this.#claim.endsMs - this.#timing().stopBeforeMs;
  }

  /** The order to hold, good for ttl/2. False when the lock is not held. */
  order(): boolean {
    if (this.lease().kind !== "held") return false;
    this.#orderedMs = this.#clock.bootMs();
    return true;
  }

  /** A renewal may be sent: the lock may be ours, is in time, and somebody still orders to hold it. */
  mayRenew(): boolean {
    if (this.#claim.kind === "asked") return true;
    if (this.#claim.kind !== "held" || this.#isLate()) return false;
    return this.#clock.bootMs() - this.#orderedMs <= this.#timing().ttlMs / 2;
  }

  /** The lock is held and in time; its key may be put back when the store lost it. */
  mayReattach(): boolean {
    return this.#claim.kind === "held" && !this.#isLate();
  }

  /** A request that may make the lock ours is about to be sent. */
  ask(): void {
    this.#term += 1;
    this.#claim = { kind: "asked" };
  }

  /** Counts the requests for the lock: what was begun in one term is of no use in the next. */
  term(): number {
    return this.#term;
  }

  /** Consents until this end, asked for in this term, would count now. */
  mayExtend(term: number, endsMs: number): boolean {
    return term === this.#term && this.mayReattach() && !this.#isOver(endsMs);
  }

  /** All others have consented: authority lasts until this end at least. False, and nothing changed: it is too late. */
  extend(term: number, endsMs: number): boolean {
    if (!this.mayExtend(term, endsMs) || this.#claim.kind !== "held") return false;
    this.#orderedMs = this.#clock.bootMs();
    if (endsMs > this.#claim.endsMs) this.#claim = { kind: "held", endsMs, consented: true };
    return true;
  }

  /** A proof of the lock under this lease would count now. */
  accepts(lease: AliveLease): boolean {
    return this.#isWanted() && !this.#isOver(lease.aliveMs + lease.ttlS * 1000);
  }

  /**
   * The store proved the lock under this lease: authority lasts from before its last keep-alive, plus ttl.
   * A proof that arrives after the stop time does not revive what had run out.
   */
  confirm(lease: AliveLease): void {
    if (!this.#isWanted()) return;
    const endsMs = lease.aliveMs + lease.ttlS * 1000;
    if (this.#outlasts(endsMs)) return;
    if (this.#isOver(endsMs)) {
      this.#claim = { kind: "dropped" };
      return;
    }
    if (this.#claim.kind === "asked") this.#orderedMs = this.#clock.bootMs();
    this.#claim = { kind: "held", endsMs, consented: false };
    this.#lostWhy = null;
  }

  /** A definite no of the store: authority ends in this instant. */
  lose(why: string): void {
    const before = this.#claim.kind;
    if (before !== "held" && before !== "asked") return;
    this.#claim = { kind: "none" };
    if (before === "held") this.#announce(why);
  }

  /** Authority ends in this instant for a reason of our own; the key may still name us, and nothing may extend it. */
  abandon(why: string): void {
    const before = this.#claim.kind;
    if (before === "none") return;
    this.#claim = { kind: "dropped" };
    if (before === "held") this.#announce(why);
  }

  /** Authority is given up; the key may still name us. */
  drop(): void {
    if (this.#claim.kind !== "none") this.#claim = { kind: "dropped" };
    this.#lostWhy = null;
    this.#orderedMs = -Infinity;
  }

  /** The store said that the key is not ours any more after a drop. */
  gone(): void {
    if (this.#claim.kind === "dropped") this.#claim = { kind: "none" };
  }

  /** Ends a claim whose time is over. */
  settle(): void {
    if (this.#claim.kind !== "held" || this.#clock.bootMs() < this.#claim.endsMs) return;
    this.#claim = { kind: "dropped" };
    this.#announce("the lease ran out");
  }

  /**
   * What a plain read showed: another holder ends what is held here, and a key under our lease that we do not claim must
   * run out, so nothing may extend it.
   */
  note(lock: LockState | null, me: string, lease: AliveLease | null): void {
    if (this.#claim.kind === "held") {
      if (lock !== null && lock.holder !== me) this.lose(`${lock.holder} holds the lock`);
      return;
    }
    const ours = lock !== null && lock.lease === lease?.id;
    if (this.#claim.kind === "dropped" && !ours) this.#claim = { kind: "none" };
    if (this.#claim.kind === "none" && ours) this.#claim = { kind: "dropped" };
  }

  #announce(why: string): void {
    this.#lostWhy = why;
    this.#onLost(why);
  }

  #isWanted(): boolean {
    return this.#claim.kind === "held" ? !this.#isLate() : this.#claim.kind === "asked";
  }

  /** Consents given after a renewal was sent last longer than its late proof. */
  #outlasts(endsMs: number): boolean {
    return this.#claim.kind === "held" && this.#claim.consented && this.#claim.endsMs > endsMs;
  }

  #isOver(endsMs: number): boolean {
    return this.#clock.bootMs() >= endsMs - this.#timing().stopBeforeMs;
  }

  #isLate(): boolean {
    const stopAtMs = this.stopAtMs();
    return stopAtMs !== null && this.#clock.bootMs() >= stopAtMs;
  }
}
