/** What signals ask of the agent. */
export interface SignalHandlers {
  /** SIGTERM or SIGINT, the first of them only. */
  readonly onShutdown: () => void;
  /** SIGHUP. */
  readonly onReload: () => void;
}

/** Listens until disposed. Repeated requests to end are ignored: one graceful shutdown is under way. */
export function watchSignals(handlers: SignalHandlers): Disposable {
  let asked = false;
  const shutdown = (): void => {
    if (asked) return;
    asked = true;
    handlers.onShutdown();
  };
  const listeners: readonly (readonly [Deno.Signal, () => void])[] = [
    ["SIGTERM", shutdown],
    ["SIGINT", shutdown],
    ["SIGHUP", handlers.onReload],
  ];
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose](): void {
      for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
