import type { PromiseRequest, PromiseView } from "../../lib/core/failsafe.ts";
import type { PromiseKeeper } from "./consents.ts";

interface Entry {
  readonly to: string;
  /** True time. */
  readonly untilMs: number;
}

/**
 * Who has promised what, in true time: written down when a promise is given, whatever its giver makes of it, and crossed out
 * when the giver says that nobody relies on it any more.
 */
export class ConsentLedger {
  readonly #entries = new Map<string, Entry>();
  readonly #givenMs = new Map<string, number>();

  /** To whom this member has promised not to take the lock now; null: to nobody. */
  binds(name: string, nowMs: number): string | null {
    const entry = this.#entries.get(name);
    return entry !== undefined && nowMs < entry.untilMs ? entry.to : null;
  }

  /** True time of this member's last consent. */
  givenMs(name: string): number {
    return this.#givenMs.get(name) ?? -Infinity;
  }

  /** True while all others of the store's list are bound to this member. */
  supports(name: string, list: Readonly<Record<string, string>> | null, nowMs: number): boolean {
    if (list === null || !Object.hasOwn(list, name)) return false;
    return Object.keys(list).every((other) => other === name || this.binds(other, nowMs) === name);
  }

  /** The same promises; what is given and taken back is written down. */
  watch(name: string, promises: PromiseKeeper, giver: Giver): PromiseKeeper {
    const crossOut = (change: () => void, isKnown: (before: PromiseView) => boolean): void => {
      const before = promises.view();
      change();
      if (before === null || !isKnown(before)) return;
      if (promises.view()?.to === before.to) return;
      this.#entries.delete(name);
      if (before.to !== null && giver.isRelied(before.to)) {
        giver.broken(`its promise is gone, and ${before.to} leads by it`);
      }
    };
    return {
      view: () => promises.view(),
      whyNotTake: () => promises.whyNotTake(),
      give: (request) => {
        const refusal = promises.give(request);
        if (refusal === null) this.#note(name, request, giver);
        if (refusal === null && giver.holds()) giver.broken("it holds the lock itself");
        return refusal;
      },
      // What the process before has promised cannot be ended by a look: only by those who may rely on it.
      looked: (cluster, askedMs) =>
        crossOut(() => promises.looked(cluster, askedMs), ({ to }) => to !== null),
      asksOthers: () => promises.asksOthers(),
      forget: (untilMs) => crossOut(() => promises.forget(untilMs), () => true),
    };
  }

  #note(name: string, { name: to, ttlMs }: PromiseRequest, { trueMs, ttlMs: ownMs }: Giver): void {
    const untilMs = trueMs() + Math.max(ttlMs ?? 0, ownMs());
    this.#givenMs.set(name, trueMs());
    const before = this.#entries.get(name);
    const lasts = before !== undefined && before.to === to && before.untilMs > untilMs;
    this.#entries.set(name, lasts ? before : { to, untilMs });
  }
}

/** What the ledger sees of the giver. */
export interface Giver {
  readonly trueMs: () => number;
  /** The ttl that it has in force. */
  readonly ttlMs: () => number;
  /** It may lead now. */
  readonly holds: () => boolean;
  /** That member leads without the store now, by the promises of the others. */
  readonly isRelied: (to: string) => boolean;
  /** Told when a promise cannot be kept that was given. */
  readonly broken: (why: string) => void;
}
