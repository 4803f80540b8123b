import { systemClock } from "./clock.ts";

/** Where lines go. Both calls may take for ever: a disk or a reader that does not answer. */
export interface LineOutput {
  /** Writes whole lines; throws when they were not written. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** What a queue is made of. */
export interface QueueOptions {
  readonly output: LineOutput;
  /** Lines that may wait. */
  readonly max: number;
  /** The line, with its end, that tells of lines that were dropped. */
  readonly notice: (dropped: number) => string;
}

/** Written at once when more waits: one call for each line would be the slowest part of logging. */
const BATCH_CHARS = 65_536;
/** After an output refused lines: it may be full for long, and the lines that come meanwhile wait. */
const RETRY_MS = 1000;

/**
 * Lines between the agent and an output that may be slow, stuck or broken. `push` never waits: what does not fit is
 * dropped and counted, and told as soon as lines can be written again.
 */
export class LogQueue {
  #options: QueueOptions;
  #waiting: string[] = [];
  #untold = 0;
  #dropped = 0;
  #draining: Promise<void> | null = null;
  #closing = new AbortController();

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Lines that were never written, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a line with its end, or drops it when too many wait. */
  push(line: string): void {
    if (this.#waiting.length >= this.#options.max) return this.#drop(1);
    this.#waiting.push(line);
    this.#draining ??= this.#drain();
  }

  /** From now on with these; what waits goes to the new output. A write that hangs in the old one is not waited for. */
  change(options: QueueOptions): void {
    const { output } = this.#options;
    this.#options = options;
    if (output === options.output) return;
    void output.close().catch(() => undefined);
    this.#draining = this.#waiting.length > 0 ? this.#drain() : null;
  }

  /** Writes what waits, for `limitMs` at most. */
  async close(limitMs: number): Promise<void> {
    this.#closing.abort();
    const over = new AbortController();
    const draining = this.#draining ?? (this.#untold > 0 ? this.#drain() : null);
    const closed = (async (): Promise<void> => {
      await draining;
      await this.#options.output.close();
    })();
    await Promise.race([
      closed.catch(() => undefined),
      systemClock.sleep(limitMs, over.signal),
    ]);
    over.abort();
  }

  #drop(count: number): void {
    this.#untold += count;
    this.#dropped += count;
  }

  /** Ends when nothing waits any more, or when another output took its place. Begins after the present turn. */
  async #drain(): Promise<void> {
    const { output } = this.#options;
    await Promise.resolve();
    while (this.#options.output === output && (this.#waiting.length > 0 || this.#untold > 0)) {
      const told = this.#untold;
      this.#untold = 0;
      const lines = this.#batch();
      const notice = told === 0 ? "" : this.#options.notice(told);
      try {
        await output.write(notice + lines.join(""));
      } catch {
        this.#untold += told;
        this.#drop(lines.length);
        if (this.#closing.signal.aborted) break;
        await systemClock.sleep(RETRY_MS, this.#closing.signal);
      }
    }
    if (this.#options.output === output) this.#draining = null;
  }

  #batch(): readonly string[] {
    let chars = 0;
    let count = 0;
    for (const line of this.#waiting) {
      if (count > 0 && chars + line.length > BATCH_CHARS) break;
      chars += line.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}
