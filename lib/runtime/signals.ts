/** Tells of SIGTERM or SIGINT until disposed: the first of them only, for one graceful shutdown is under way then. */
export function watchShutdown(onShutdown: () => void): Disposable {
  let asked = false;
  const listener = (): void => {
    if (asked) return;
    asked = true;
    onShutdown();
  };
  const signals = ["SIGTERM", "SIGINT"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose](): void {
      for (const signal of signals) Deno.removeSignalListener(signal, listener);
    },
  };
}

/**
 * SIGHUP, heard from its making until disposed: unheard, it would end a process that has not read its configuration yet.
 * A wish that comes before there is somebody to heed it waits.
 */
export class ReloadSignal implements Disposable {
  readonly #listener = (): void => this.#heard();
  #onReload: (() => void) | null = null;
  #isAsked = false;

  constructor() {
    Deno.addSignalListener("SIGHUP", this.#listener);
  }

  /** From now on each wish is told, and at once one that came before. */
  heed(onReload: () => void): void {
    this.#onReload = onReload;
    if (this.#isAsked) onReload();
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGHUP", this.#listener);
  }

  #heard(): void {
    this.#isAsked = true;
    this.#onReload?.();
  }
}
