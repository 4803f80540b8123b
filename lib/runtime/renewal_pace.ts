import { BEAT_MS } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import type { LeaseTiming } from "../core/lease_timing.ts";
import type { LockClaim } from "./lock_claim.ts";
import type { SessionLease } from "./session_lease.ts";

/** Pauses between tries of a renewal that got no answer. */
const RETRY_FIRST_MS = 200;
const RETRY_MAX_MS = 1000;

/** The least of the keeper's pauses. */
const LOOK_MIN_MS = 50;
/** A tick that is due at the same moment goes first, for its look is a renewal too: more than the clock's steps of 10 ms. */
const TICK_FIRST_MS = 30;

/** What the pace is reckoned from. */
export interface RenewalPaceOptions {
  readonly clock: Clock;
  /** The budget in force now; it changes with the settings. */
  readonly timing: () => LeaseTiming;
  readonly claim: Pick<LockClaim, "kind" | "mayRenew" | "stopAtMs">;
  readonly session: Pick<SessionLease, "current">;
}

/** How far lease and lock had come at one moment. */
export interface Extent {
  readonly lease: string | null;
  readonly aliveMs: number;
  readonly stopAtMs: number | null;
}

/** When the next extension is due, and how long it may take. */
export class RenewalPace {
  readonly #options: RenewalPaceOptions;
  #tickMs = -Infinity;
  #retryMs = 0;
  #triedMs = -Infinity;

  constructor(options: RenewalPaceOptions) {
    this.#options = options;
  }

  /** A tick ran. */
  tickSeen(): void {
    this.#tickMs = this.#options.clock.bootMs();
  }

  /** True when an extension is due; it counts as begun. */
  begin(): boolean {
    const nowMs = this.#options.clock.bootMs();
    if (nowMs < this.#dueMs()) return false;
    this.#triedMs = nowMs;
    return true;
  }

  /** How far lease and lock reach now. */
  extent(): Extent {
    const lease = this.#options.session.current();
    const stopAtMs = this.#options.claim.stopAtMs();
    return { lease: lease?.id ?? null, aliveMs: lease?.aliveMs ?? -Infinity, stopAtMs };
  }

  /**
   * True when somebody else has extended the same lease since, and with it the lock where it is held: nothing is left to
   * ask for. Not for a lock that may be ours: only a renewal of its own tells.
   */
  isExtendedSince(before: Extent): boolean {
    const now = this.extent();
    if (now.lease === null || now.lease !== before.lease) return false;
    if (this.#options.claim.kind() === "asked" || now.aliveMs <= before.aliveMs) return false;
    if (now.stopAtMs === null || before.stopAtMs === null) return now.stopAtMs === before.stopAtMs;
    return now.stopAtMs > before.stopAtMs;
  }

  /** It was answered. */
  succeeded(): void {
    this.#retryMs = 0;
  }

  /** It was not: each further try waits longer. */
  failed(): void {
    this.#retryMs = Math.min(RETRY_MAX_MS, Math.max(RETRY_FIRST_MS, this.#retryMs * 2));
  }

  /** Milliseconds that an extension may take now; null when nothing may be extended. */
  budgetMs(): number | null {
    const { clock, timing, claim, session } = this.#options;
    const { renewalMs, ttlMs } = timing();
    const nowMs = clock.bootMs();
    const stopAtMs = claim.stopAtMs();
    if (stopAtMs !== null) return claim.mayRenew() ? Math.min(renewalMs, stopAtMs - nowMs) : null;
    const wanted = claim.kind() === "none" && session.current() !== null;
    return wanted && nowMs - this.#tickMs <= ttlMs ? renewalMs : null;
  }

  /** Waits for what is due, at most a second: a shorter ttl or a lease that ends must not be overslept. */
  async pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const waitMs = this.#dueMs() - clock.bootMs();
    if (waitMs > BEAT_MS) await clock.beat(signal);
    else await clock.sleep(Math.max(waitMs + TICK_FIRST_MS, LOOK_MIN_MS), signal);
  }

  #dueMs(): number {
    if (this.#retryMs > 0) return this.#triedMs + this.#retryMs;
    const lease = this.#options.session.current();
    if (lease === null) return this.#triedMs + RETRY_MAX_MS;
    const { renewEveryMs } = this.#options.timing();
    return Math.max(lease.aliveMs + renewEveryMs, this.#triedMs + RETRY_FIRST_MS);
  }
}
