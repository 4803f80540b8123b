import type { ClusterView } from "../core/cluster_view.ts";
import type { SwitchView } from "../core/switch_status.ts";
import type { LockClaim } from "./lock_claim.ts";
import type { AliveLease } from "./session_lease.ts";

/** What stops the server when nobody renews any more: the dead-man's switch, with the lease budget in force. */
export interface LeaseSwitch {
  /** True when it could be armed at once. */
  ready(): Promise<boolean>;
  /** True once the server is guarded until this end of a lease. False: the lease must not be used. */
  renew(endsMs: number): Promise<boolean>;
  /** For a server that cannot write any more; false: it is guarded still. */
  disarm(): Promise<boolean>;
  /** For a primary in maintenance mode; false: it is guarded still. */
  rest(): Promise<boolean>;
  view(): SwitchView | null;
}

/** What laying the switch to rest came to. */
export type DisarmResult =
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly why: string };

/** Ties the claim to the switch: what is not guarded does not count. Calls come one at a time. */
export class GuardedClaim {
  readonly #claim: LockClaim;
  readonly #switch: LeaseSwitch;
  /** The server is writable under the member's lease alone: a bootstrap. */
  #guardsSession = false;
  /** The last proof of the lock showed maintenance mode, in which nothing is fenced. */
  #isPaused = false;
  /** Rules have seen the switch that the process before us left armed: only that tells them of a promotion it may have ordered. */
  #isSeen = false;
  /** Until when all members have consented that this one leads; counts while the lock is held. */
  #consentedMs = -Infinity;

  constructor(claim: LockClaim, deadMan: LeaseSwitch) {
    this.#claim = claim;
    this.#switch = deadMan;
  }

  /** The armed switch, as rules see it; from now on maintenance mode may lay it to rest. */
  view(): SwitchView | null {
    this.#isSeen = true;
    return this.#switch.view();
  }

  /** True when the switch could be armed at once. */
  ready(): Promise<boolean> {
    return this.#switch.ready();
  }

  /**
   * True while it is armed and its process is there, or while maintenance mode wants none. The mode that the last proof
   * showed may be over, so a lock that is held is guarded first all the same.
   */
  async mayWrite(): Promise<boolean> {
    if (this.#switch.view() === null && !await this.#armForHeld()) return false;
    return await this.#switch.ready();
  }

  /**
   * The store was read without a proof of the lock. When that read shows no maintenance mode any more, a lock that is
   * held is guarded until its end, or let go.
   */
  async looked({ settings }: ClusterView): Promise<void> {
    if (settings.paused || this.#switch.view() !== null) return;
    if (this.#claim.lease().kind !== "held" || await this.#armForHeld()) return;
    this.#claim.abandon("the dead-man's switch cannot be armed");
  }

  /**
   * A proof of the lock counts only when the server is guarded until its end. `isPaused`: the same answer of the store
   * shows maintenance mode; only that lays the switch to rest over a primary, and the next proof without it arms it again.
   * One that the process before us armed is shown to the rules before it rests.
   */
  async confirm(lease: AliveLease, isPaused = false): Promise<void> {
    if (this.#claim.kind() !== "held") this.#consentedMs = -Infinity;
    const mustGuard = this.#claim.accepts(lease) || this.#endsRest(isPaused);
    if (mustGuard && !await this.#guard(lease, isPaused)) {
      this.#claim.abandon("the dead-man's switch cannot be armed");
      return;
    }
    this.#claim.confirm(lease);
    if (this.#claim.kind() === "held") this.#guardsSession = false;
  }

  /** Also a proof that comes too late to count tells a switch at rest that maintenance mode is over. */
  #endsRest(isPaused: boolean): boolean {
    return this.#isPaused && !isPaused && this.#switch.view() === null;
  }

  async #armForHeld(): Promise<boolean> {
    const lease = this.#claim.lease();
    return lease.kind === "held" && await this.#switch.renew(lease.endsMs);
  }

  async #guard(lease: AliveLease, isPaused: boolean): Promise<boolean> {
    const armed = this.#switch.view();
    const mayRest = isPaused && (this.#isSeen || armed?.inherited !== true);
    this.#isPaused = mayRest && (armed === null || await this.#switch.rest());
    return this.#isPaused || await this.#switch.renew(Math.max(endOf(lease), this.#consentedMs));
  }

  /**
   * All members consent until `endsMs`: first the switch lasts until then, only after it the claim. It waits for no renewal
   * under way, whose proof is older and never takes back what was guarded here. False: the claim is not extended.
   */
  async extend(term: number, endsMs: number): Promise<boolean> {
    if (!this.#claim.mayExtend(term, endsMs)) return false;
    this.#consentedMs = Math.max(this.#consentedMs, endsMs);
    if (!await this.#switch.renew(this.#consentedMs)) {
      this.#claim.abandon("the dead-man's switch cannot be armed");
      return false;
    }
    return this.#claim.extend(term, endsMs);
  }

  /** Guards a server that becomes writable before there is a lock, until the end of this lease. */
  async guardSession(lease: AliveLease): Promise<boolean> {
    this.#guardsSession = await this.#switch.renew(endOf(lease));
    return this.#guardsSession;
  }

  /** The member's lease was extended; null: it is gone, and the guard keeps its end. */
  async extended(lease: AliveLease | null): Promise<void> {
    if (this.#guardsSession && lease !== null) await this.#switch.renew(endOf(lease));
  }

  /** Ends the guard; refused while the lock is held in time. */
  async disarm(): Promise<DisarmResult> {
    if (this.#claim.mayReattach()) return { kind: "refused", why: "the lock is held" };
    this.#guardsSession = false;
    this.#consentedMs = -Infinity;
    if (await this.#switch.disarm()) return { kind: "done" };
    return { kind: "refused", why: "the switch is armed still" };
  }
}

function endOf(lease: AliveLease): number {
  return lease.aliveMs + lease.ttlS * 1000;
}
