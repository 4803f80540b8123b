import { DcsUnreachable } from "../base/errors.ts";
import { outlasts } from "./clock_deadline.ts";

/** Work on the store that must not overlap: one piece at a time, in the order of asking. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Does `work` when all that was asked before has ended. Throws `DcsUnreachable` when `signal` aborts until then. */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    if (await outlasts(before, signal)) {
      void before.then(resolve); // whoever is behind us still waits for those before us
      throw new DcsUnreachable("no time was left to ask the store");
    }
    try {
      return await work();
    } finally {
      resolve();
    }
  }
}
