import type { Clock } from "../base/clock.ts";
import type { ClusterView } from "../core/cluster_view.ts";
import type { PromiseRequest, PromiseView } from "../core/failsafe.ts";

/** A caller that does not say its ttl (Patroni's) may count it from the last answer of its round. */
const ROUND_MS = 5000;

/** What promises are judged by. */
export interface PromisesOptions {
  readonly clock: Clock;
  readonly name: string;
  /** The ttl in force now, in milliseconds. */
  readonly ttlMs: () => number;
  /** This member holds the lock, or has asked for it. */
  readonly isReaching: () => boolean;
}

/**
 * What this member has promised to a leader that the store does not answer (failsafe mode): not to take the lock for a
 * ttl. Questions and answers are single steps, so that no request for the lock slips in between.
 */
export class Promises {
  readonly #options: PromisesOptions;
  readonly #startedMs: number;
  #promise: PromiseView | null = null;
  #askedMs = -Infinity;
  #othersAskedMs = -Infinity;
  #hasLooked = false;

  constructor(options: PromisesOptions) {
    this.#options = options;
    this.#startedMs = options.clock.bootMs();
  }

  /** The promise in force, or null. */
  view(): PromiseView | null {
    const isOver = this.#promise !== null && this.#promise.untilMs <= this.#options.clock.bootMs();
    if (isOver) this.#promise = null;
    return this.#promise;
  }

  /** Why the lock must not be asked for now, or null. */
  whyNotTake(): string | null {
    const promise = this.view();
    if (promise === null) return null;
    return promise.to === null
      ? "this process does not know what the one before has promised"
      : `${promise.to} was promised that this node does not take the lock`;
  }

  /** Gives the promise, or says why not. Whoever has it may rely on it for the longer of both ttls. */
  give({ name, slots, ttlMs }: PromiseRequest): string | null {
    const { clock, name: me, isReaching } = this.#options;
    if (name === me) return "the request carries this member's own name";
    if (isReaching()) return "this member holds the lock or reaches for it";
    const present = this.view();
    if (present !== null && present.to !== null && present.to !== name) {
      return `the promise to ${present.to} is in force`;
    }
    this.#askedMs = clock.bootMs();
    const ownMs = this.#options.ttlMs();
    const untilMs = this.#askedMs + Math.max(ttlMs ?? ownMs + ROUND_MS, ownMs);
    this.#promise = { to: name, untilMs: Math.max(untilMs, present?.untilMs ?? 0), slots };
    return null;
  }

  /**
   * The store was read by a request begun at `askedMs`. When a third member holds the lock, the promise given before that
   * has ended; an own key proves nothing, for it may be the late effect of an old request. The first look tells whether the process before may have promised something: then this
   * one is bound for a ttl from its start.
   */
  looked(cluster: ClusterView, askedMs: number): void {
    const { name } = this.#options;
    if (!this.#hasLooked) this.#bindUnknown(cluster);
    const promise = this.view();
    const holder = cluster.lock?.holder ?? null;
    if (promise === null || holder === null || holder === name) return;
    if (promise.to === null) this.#promise = { ...promise, to: holder };
    else if (holder !== promise.to && askedMs > this.#askedMs) this.#promise = null;
  }

  /** The other members are asked now whether they lead. */
  asksOthers(): void {
    this.#othersAskedMs = this.#options.clock.bootMs();
  }

  /**
   * By what the others have answered, nobody relies any more on the promise with this end; a later one stays, and so does one
   * that was given after they were asked: whoever has it may have begun to lead since its answer.
   */
  forget(untilMs: number): void {
    const isGiven = this.#promise?.to !== null; // else it is from before this process, as the answers are not
    if (isGiven && this.#askedMs >= this.#othersAskedMs) return;
    if (this.#promise?.untilMs === untilMs) this.#promise = null;
  }

  #bindUnknown({ failsafe, settings }: ClusterView): void {
    this.#hasLooked = true;
    const names = Object.keys(failsafe?.members ?? {});
    const isListed = names.includes(this.#options.name) && names.length > 1;
    if (!isListed || this.#promise !== null) return;
    const untilMs = this.#startedMs + Math.max(settings.ttlS * 1000, this.#options.ttlMs());
    this.#promise = { to: null, untilMs, slots: {} };
  }
}
