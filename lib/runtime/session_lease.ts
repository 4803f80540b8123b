import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Dcs } from "../dcs/port.ts";
import { outlasts, withinClock } from "./clock_deadline.ts";
import type { LeaseFile } from "./lease_file.ts";

/** The calls of the store that a lease needs. */
export type LeaseCalls = Pick<Dcs, "grantLease" | "keepLeaseAlive">;

/** The calls of the store that the keeper of the lock needs. */
export type LeaseStore =
  & LeaseCalls
  & Pick<Dcs, "read" | "renewLock" | "takeLock" | "retakeLock" | "releaseLock">;

/** A lease and the boot time before its last keep-alive (or grant) was sent: it runs out `ttlS` after that at the earliest. */
export interface AliveLease {
  readonly id: string;
  readonly ttlS: number;
  readonly aliveMs: number;
}

/** What the session lease is made of. */
export interface SessionLeaseOptions {
  readonly store: LeaseCalls;
  readonly clock: Clock;
  readonly file: LeaseFile;
  readonly log: Log;
}

/** A lease that ran out this long ago is surely gone in the store, whose count began a reply later than ours. */
const SURELY_GONE_MS = 2000;

/** A small file takes milliseconds; the renewals behind it must not wait for a disk that hangs. */
const SAVE_MS = 1000;

/** The one lease of this member, which carries all its expiring keys. Proves nothing about the lock. */
export class SessionLease {
  readonly #store: LeaseCalls;
  readonly #clock: Clock;
  readonly #file: LeaseFile;
  readonly #log: Log;
  #lease: AliveLease | null = null;

  constructor(options: SessionLeaseOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#file = options.file;
    this.#log = options.log;
  }

  /** The lease as last known, null when there is none. */
  current(): AliveLease | null {
    return this.#lease;
  }

  /** Takes up the lease of the process before us when the store still knows it; true when it does. Throws `DcsUnreachable`. */
  async attach(signal: AbortSignal): Promise<boolean> {
    const stored = await this.#file.load();
    if (stored === null) return false;
    this.#lease = { ...stored, aliveMs: this.#clock.bootMs() };
    return await this.keepAlive(signal);
  }

  /** A new lease in place of the present one, whose keys move when they are next written. Throws `DcsUnreachable`. */
  async grant(ttlS: number, signal: AbortSignal): Promise<AliveLease> {
    const aliveMs = this.#clock.bootMs(); // before the request: the store cannot count from earlier
    const id = await this.#store.grantLease(ttlS, signal);
    this.#lease = { id, ttlS, aliveMs };
    const lease = this.#lease;
    await this.#save(lease);
    return lease;
  }

  /** The present lease, or a first one, or one in place of a lease that has surely run out. Throws `DcsUnreachable`. */
  async ensure(ttlS: number, signal: AbortSignal): Promise<AliveLease> {
    const lease = this.#lease;
    if (lease === null) return await this.grant(ttlS, signal);
    const goneMs = lease.aliveMs + lease.ttlS * 1000 + SURELY_GONE_MS;
    return this.#clock.bootMs() > goneMs ? await this.grant(ttlS, signal) : lease;
  }

  /** The present lease, extended now, or a new one when it is gone or has another ttl. Throws `DcsUnreachable`. */
  async fresh(ttlS: number, signal: AbortSignal): Promise<AliveLease> {
    const lease = this.#lease;
    const usable = lease !== null && lease.ttlS === ttlS && await this.keepAlive(signal);
    return usable ? lease : await this.grant(ttlS, signal);
  }

  /** Extends the lease; false, and no lease any more, when the store does not know it. Throws `DcsUnreachable`. */
  async keepAlive(signal: AbortSignal): Promise<boolean> {
    const lease = this.#lease;
    if (lease === null) return false;
    const askedMs = this.#clock.bootMs();
    const known = await this.#store.keepLeaseAlive(lease.id, signal);
    if (known) this.extended(lease.id, askedMs);
    else this.forget(lease.id);
    return known;
  }

  /** A disk that is full or hangs costs the re-attachment after a restart, not the lock of today. */
  async #save({ id, ttlS }: AliveLease): Promise<void> {
    const tell = (error: unknown): void => {
      this.#log.warn(`Cannot store the lease id: ${String(error)}`);
    };
    using patience = withinClock(this.#clock, SAVE_MS);
    const saving = this.#file.save({ id, ttlS }).catch(tell);
    if (await outlasts(saving, patience.signal)) tell(`not done after ${SAVE_MS} ms`);
  }

  /** A request that extends the lease was sent at `askedMs` and succeeded. */
  extended(id: string, askedMs: number): void {
    if (this.#lease?.id === id) this.#lease = { ...this.#lease, aliveMs: askedMs };
  }

  /** The store does not know this lease any more. */
  forget(id: string): void {
    if (this.#lease?.id === id) this.#lease = null;
  }
}
