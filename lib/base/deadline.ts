/** A signal with an end; `Symbol.dispose` frees its timer, so hold it with `using`. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * A signal that aborts after `ms` or together with `parent`, whichever is first. Its reason is a
 * `DOMException` named `TimeoutError` for the former, the parent's reason for the latter.
 */
export function within(ms: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
  }, Math.max(0, ms));
  const follow = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  parent?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose](): void {
      clearTimeout(timer);
      parent?.removeEventListener("abort", follow);
    },
  };
}
