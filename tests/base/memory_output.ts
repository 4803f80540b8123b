import type { LineOutput } from "../../lib/base/log_queue.ts";

/** An output that a test can stop, break and read. */
export class MemoryOutput implements LineOutput {
  text = "";
  isClosed = false;
  /** Writes fail while it is set. */
  isBroken = false;
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;

  /** Writes wait from now on, as at a full pipe. */
  stop(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    this.#open = resolve;
  }

  /** Writes go on. */
  go(): void {
    this.#open();
  }

  async write(text: string): Promise<void> {
    await this.#gate;
    if (this.isBroken) throw new Error("no space left");
    this.text += text;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  /** After the writes that are under way. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}
