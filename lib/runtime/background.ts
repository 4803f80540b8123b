import type { Log } from "../base/log.ts";
import { traced } from "../base/log_event.ts";
import type { SqlResult } from "../postgres/port.ts";

/** Jobs without authority beside the tick (a checkpoint): each kind runs at most once at a time. */
export class BackgroundJobs {
  readonly #log: Log;
  readonly #running = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Starts the job unless one of its kind runs; true when it was started. Failures are logged. */
  start(kind: string, job: (signal: AbortSignal) => Promise<SqlResult>): boolean {
    if (this.#running.has(kind) || this.#closing.signal.aborted) return false;
    this.#running.set(kind, this.#run(kind, job));
    return true;
  }

  /** Aborts all and waits for their ends. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running.values());
  }

  async #run(kind: string, job: (signal: AbortSignal) => Promise<SqlResult>): Promise<void> {
    try {
      const result = await job(this.#closing.signal);
      if (result.kind !== "done") this.#log.warn(`Cannot finish ${kind}: ${result.why}`);
    } catch (error) {
      this.#log.error(`Cannot finish ${kind}: ${String(error)}`, traced(error));
    } finally {
      this.#running.delete(kind);
    }
  }
}
