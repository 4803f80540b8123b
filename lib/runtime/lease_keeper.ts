import type { Clock } from "../base/clock.ts";
import { DcsUnreachable } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { unreachable } from "../base/never.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { LeaseTiming } from "../core/lease_timing.ts";
import type { LeaseView } from "../core/node_view.ts";
import type { SwitchView } from "../core/switch_status.ts";
import type { Look, WriteResult } from "../dcs/port.ts";
import { withinClock } from "./clock_deadline.ts";
import type { LeaseFile } from "./lease_file.ts";
import { GuardedClaim } from "./lease_switch.ts";
import type { DisarmResult, LeaseSwitch } from "./lease_switch.ts";
import { LockClaim } from "./lock_claim.ts";
import { type Extent, RenewalPace } from "./renewal_pace.ts";
import { SessionLease } from "./session_lease.ts";
import type { LeaseStore } from "./session_lease.ts";
import { Turns } from "./turns.ts";

/** What the keeper is made of. */
export interface LeaseKeeperOptions {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly name: string;
  readonly file: LeaseFile;
  /** The budget in force now; it changes with the settings. */
  readonly timing: () => LeaseTiming;
  /** Told when authority ended or the member's lease is gone: the loop looks again at once. */
  readonly onLost: (why: string) => void;
  readonly log: Log;
  readonly deadMan: LeaseSwitch;
  /** Why the lock must not be asked for now (a promise binds this node), or null. Asked in the same step as the claim. */
  readonly whyNotTake?: () => string | null;
}

/**
 * Keeps this member's lease alive and, while ordered to hold, the lock under it. Runs beside the tick, so
 * that a slow query never costs the lock. One request at a time.
 */
export class LeaseKeeper {
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #timing: () => LeaseTiming;
  readonly #onLost: (why: string) => void;
  readonly #log: Log;
  readonly #whyNotTake: () => string | null;
  readonly #session: SessionLease;
  readonly #claim: LockClaim;
  readonly #turns = new Turns();
  readonly #guarded: GuardedClaim;
  readonly #pace: RenewalPace;

  constructor(options: LeaseKeeperOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#name = options.name;
    this.#timing = options.timing;
    this.#onLost = options.onLost;
    this.#log = options.log;
    this.#whyNotTake = options.whyNotTake ?? (() => null);
    this.#session = new SessionLease(options);
    this.#claim = new LockClaim(options);
    this.#guarded = new GuardedClaim(this.#claim, options.deadMan);
    this.#pace = new RenewalPace({ ...options, claim: this.#claim, session: this.#session });
  }

  /** The lease at this moment, ahead of any tick. */
  lease(): LeaseView {
    return this.#claim.lease();
  }

  /** The moment from which no renewal counts any more; null when the lock is not held. */
  stopAtMs(): number | null {
    return this.#claim.stopAtMs();
  }

  /** A tick ran: without ticks the member's lease is left to run out. */
  tickSeen(): void {
    this.#pace.tickSeen();
  }

  /** A decision ordered to hold the lock: the order lasts ttl/2. False when the lock is not held. */
  hold(): boolean {
    return this.#claim.order();
  }

  /** True while the lock is held or has been asked for: this member must not promise it to another one. */
  isReaching(): boolean {
    return this.#claim.kind() === "held" || this.#claim.kind() === "asked";
  }

  /** The present term of the lock: a question for consents belongs to the one in which it was begun. */
  term(): number {
    return this.#claim.term();
  }

  /** All members consent until `endsMs`: the lease lasts until then. Waits for no request. False: this comes too late. */
  extend(term: number, endsMs: number): Promise<boolean> {
    return this.#guarded.extend(term, endsMs);
  }

  /** The armed switch, as rules see it. */
  guarded(): SwitchView | null {
    return this.#guarded.view();
  }

  /** A server may become writable: the switch is armed, and its process there, also when maintenance mode had laid it to rest. */
  isGuarded(): Promise<boolean> {
    return this.#guarded.mayWrite();
  }

  /** Guards a server that becomes writable before there is a lock, as long as the member's lease lasts. Throws `DcsUnreachable`. */
  async guardSession(signal: AbortSignal): Promise<boolean> {
    return await this.#turns.take(async () => {
      return await this.#guarded.guardSession(await this.#session.ensure(this.#ttlS(), signal));
    }, signal);
  }

  /** Ends the guard; refused while the lock is held in time. Throws `DcsUnreachable`. */
  async disarm(signal: AbortSignal): Promise<DisarmResult> {
    return await this.#turns.take(() => this.#guarded.disarm(), signal);
  }

  /** The switch is lost and cannot be had again: the lock must not be used. */
  unguarded(why: string): void {
    this.#claim.abandon(why);
  }

  /** The id of this member's lease, granted now when there is none. Throws `DcsUnreachable`. */
  async sessionLease(signal: AbortSignal): Promise<string> {
    return (await this.#turns.take(() => this.#session.ensure(this.#ttlS(), signal), signal)).id;
  }

  /** Takes up lease and lock of the process before us: held only when one renewal proves it. Throws `DcsUnreachable`. */
  async attach(signal: AbortSignal): Promise<void> {
    await this.#turns.take(async () => {
      this.#claim.ask();
      if (await this.#session.attach(signal)) await this.#renew(signal);
      else this.#claim.lose("the lease of the process before is gone");
    }, signal);
  }

  /**
   * The cluster as the store says now; when the lock is ours to renew, the same answer is the proof of it.
   * Throws `DcsUnreachable`.
   */
  async view(signal: AbortSignal): Promise<ClusterView> {
    return await this.#turns.take(async () => {
      const proved = this.#claim.mayRenew() ? await this.#renew(signal) : null;
      if (proved !== null) return proved;
      const view = await this.#store.read(signal);
      this.#claim.note(view.lock, this.#name, this.#session.current());
      await this.#guarded.looked(view);
      return view;
    }, signal);
  }

  /** Reaches for the free lock, if it is still as in this look. Held afterwards only when done; "unknown" is told by the next `view`. */
  async take(signal: AbortSignal, look: Look = {}): Promise<WriteResult> {
    return await this.#write(() => this.#take(signal, look), signal);
  }

  /** Authority ends at once; the key may still name us until it is released or runs out. */
  giveUp(): void {
    this.#claim.drop();
  }

  /** Gives the lock up: authority ends at the call, before anything is sent, whatever comes back. */
  async release(signal: AbortSignal): Promise<WriteResult> {
    this.#claim.drop();
    return await this.#write(() => this.#release(signal), signal);
  }

  /** Renews in time until `signal` aborts. Never rejects for an unreachable store. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#pace.pause(signal);
      if (!signal.aborted) await this.step(signal);
    }
  }

  /** Does what is due now: a renewal, a keep-alive, or the end of a lease that ran out. */
  async step(signal: AbortSignal): Promise<void> {
    this.#claim.settle();
    const budgetMs = this.#pace.begin() ? this.#pace.budgetMs() : null;
    if (budgetMs === null) return;
    using deadline = withinClock(this.#clock, budgetMs, signal);
    const before = this.#pace.extent();
    try {
      await this.#turns.take(() => this.#extend(before, deadline.signal), deadline.signal);
      this.#pace.succeeded();
    } catch (error) {
      if (!(error instanceof DcsUnreachable)) throw error;
      this.#pace.failed();
      this.#log.debug(`Cannot renew the lease: ${error.message}`);
    }
  }

  async #extend(before: Extent, signal: AbortSignal): Promise<void> {
    if (this.#pace.isExtendedSince(before)) return; // a tick's look was due with us and is a renewal
    if (this.#claim.mayRenew()) return void await this.#renew(signal);
    const lease = this.#session.current();
    if (this.#claim.kind() !== "none" || lease === null) return;
    if (lease.ttlS !== this.#ttlS()) await this.#session.grant(this.#ttlS(), signal);
    else if (!await this.#session.keepAlive(signal)) this.#onLost("the member's lease is gone");
    await this.#guarded.extended(this.#session.current());
  }

  /** One proof of the lock, with the view it carries; null when there is no such proof. */
  async #renew(signal: AbortSignal): Promise<ClusterView | null> {
    const lease = this.#session.current();
    if (lease === null) return await this.#reattach("the lease is gone", signal);
    if (lease.ttlS !== this.#ttlS() && this.#claim.mayReattach()) {
      await this.#session.grant(this.#ttlS(), signal);
      return await this.#reattach("the ttl has changed", signal);
    }
    const askedMs = this.#clock.bootMs(); // before the request: the store cannot count from earlier
    const result = await this.#store.renewLock(this.#name, lease.id, signal);
    switch (result.kind) {
      case "held":
        this.#session.extended(lease.id, askedMs);
        await this.#guarded.confirm(
          { ...lease, aliveMs: askedMs },
          result.view.settings.paused,
        );
        return result.view;
      case "lease-gone":
        this.#session.forget(lease.id);
        return await this.#reattach("the lease is gone", signal);
      case "refused":
        if (result.keyIsFreeOrOurs) return await this.#reattach(result.why, signal);
        this.#claim.lose(result.why);
        return null;
      case "unknown":
        throw new DcsUnreachable(result.why);
      default:
        return unreachable(result);
    }
  }

  /** The key lost our lease: one try to put it back, and only for a lock that was held and is still in time. */
  async #reattach(why: string, signal: AbortSignal): Promise<null> {
    if (!this.#claim.mayReattach()) {
      this.#claim.lose(why);
      return null;
    }
    const lease = await this.#session.ensure(this.#ttlS(), signal);
    const result = await this.#store.retakeLock(this.#name, lease.id, signal);
    if (result.kind === "unknown") throw new DcsUnreachable(result.why);
    if (result.kind === "done") await this.#guarded.confirm(lease);
    else this.#claim.lose(result.why);
    return null;
  }

  async #take(signal: AbortSignal, look: Look): Promise<WriteResult> {
    if (this.#claim.kind() === "dropped") {
      return { kind: "refused", why: "the lock that was given up has not run out yet" };
    }
    if (!await this.#guarded.ready()) {
      return { kind: "refused", why: "the dead-man's switch cannot be had" };
    }
    const lease = await this.#session.fresh(this.#ttlS(), signal);
    const obstacle = this.#whyNotTake();
    if (obstacle !== null) return { kind: "refused", why: obstacle };
    this.#claim.ask(); // in the same step as the question before, so that no promise is given in between
    const result = await this.#store.takeLock(this.#name, lease.id, signal, look);
    if (result.kind === "refused") this.#claim.lose(result.why);
    if (result.kind !== "done") return result;
    const alive = this.#session.current();
    if (alive !== null) await this.#guarded.confirm(alive);
    if (this.hold()) return result;
    await this.#release(signal);
    return { kind: "refused", why: "the lock came too late, or cannot be guarded" };
  }

  async #release(signal: AbortSignal): Promise<WriteResult> {
    const lease = this.#session.current();
    if (lease === null) return { kind: "refused", why: "this member has no lease" };
    const result = await this.#store.releaseLock(this.#name, lease.id, signal);
    if (result.kind !== "unknown") this.#claim.gone();
    return result;
  }

  #ttlS(): number {
    return this.#timing().ttlMs / 1000;
  }

  async #write(work: () => Promise<WriteResult>, signal: AbortSignal): Promise<WriteResult> {
    try {
      return await this.#turns.take(work, signal);
    } catch (error) {
      if (error instanceof DcsUnreachable) return { kind: "unknown", why: error.message };
      throw error;
    }
  }
}
