/** When to give up waiting for a turn, and what is thrown then. */
export interface Patience {
  readonly signal: AbortSignal;
  readonly late: () => Error;
}

/** Lets one piece of work through at a time, in the order of arrival. */
export class Turnstile {
  #last: Promise<void> = Promise.resolve();

  /**
   * Runs `work` when all before it has ended; passes on what it returns or throws. With patience it throws `late()` when
   * the signal aborts before its turn.
   */
  async pass<T>(work: () => Promise<T>, patience?: Patience): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    if (patience !== undefined && await abortsFirst(patience.signal, before)) {
      void before.then(resolve);
      throw patience.late();
    }
    await before;
    try {
      return await work();
    } finally {
      resolve();
    }
  }
}

async function abortsFirst(signal: AbortSignal, before: Promise<void>): Promise<boolean> {
  if (signal.aborted) return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const abort = (): void => resolve(true);
  signal.addEventListener("abort", abort, { once: true });
  void before.then(() => resolve(false));
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
