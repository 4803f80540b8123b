import type { Clock } from "../base/clock.ts";
import type { OperatorWish } from "../core/node_view.ts";
import type { Mailbox } from "./mailbox.ts";

/** The mailbox of a running agent. Bounded by itself: one pending wake-up, one wish of each kind. */
export class LiveMailbox implements Mailbox {
  readonly #clock: Clock;
  readonly #wishes = new Map<OperatorWish["kind"], OperatorWish>();
  #pendingWake: string | null = null;
  #pause: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(why: string): void {
    this.#pendingWake ??= why;
    this.#pause?.abort();
  }

  post(wish: OperatorWish): void {
    this.#wishes.set(wish.kind, wish);
    this.wake(`${wish.kind} was asked for`);
  }

  wishes(): readonly OperatorWish[] {
    return [...this.#wishes.values()].sort((one, other) => one.kind < other.kind ? -1 : 1);
  }

  /** Takes out a wish that was carried out, unless a newer one of its kind has replaced it meanwhile. */
  fulfil(wish: OperatorWish): void {
    if (this.#wishes.get(wish.kind) === wish) this.#wishes.delete(wish.kind);
  }

  withdraw(operation: string): void {
    for (const wish of this.#wishes.values()) {
      if ("id" in wish && wish.id === operation) this.#wishes.delete(wish.kind);
    }
  }

  /**
   * Waits for `ms`, a wake-up (also one that came before the call) or the abort of `signal`. Returns why it was
   * woken, null otherwise. One caller at a time.
   */
  async pause(ms: number, signal: AbortSignal): Promise<string | null> {
    if (this.#pendingWake === null && !signal.aborted) await this.#sleep(ms, signal);
    const why = this.#pendingWake;
    this.#pendingWake = null;
    return why;
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const pause = new AbortController();
    this.#pause = pause;
    await this.#clock.sleep(ms, AbortSignal.any([pause.signal, signal]));
    this.#pause = null;
  }
}
