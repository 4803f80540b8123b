import { within } from "../base/deadline.ts";
import type { PostgresView } from "../core/node_view.ts";
import type { ApiContext } from "./context.ts";

/** Peers in the race wait 2 s for a member; the answer must be there before. */
const LOOK_MS = 1500;

/** Looks at the local server for readers, one look at a time: who asks meanwhile gets the answer of the same look. */
export class FreshServer {
  readonly #context: Pick<ApiContext, "probe" | "log">;
  readonly #limitMs: number;
  #running: Promise<PostgresView | null> | null = null;

  constructor(context: Pick<ApiContext, "probe" | "log">, limitMs: number = LOOK_MS) {
    this.#context = context;
    this.#limitMs = limitMs;
  }

  /** The server as it is now; null when it cannot be asked in time, or by nobody. */
  async look(): Promise<PostgresView | null> {
    this.#running ??= this.#probe().finally(() => {
      this.#running = null;
    });
    using deadline = within(this.#limitMs);
    return await Promise.race([this.#running, timeUp(deadline.signal)]);
  }

  /** A look may outlast its signal, behind one of the loop; it stays the only one until it ends. */
  async #probe(): Promise<PostgresView | null> {
    const { probe, log } = this.#context;
    if (probe === null) return null;
    using deadline = within(this.#limitMs);
    try {
      return await probe(deadline.signal);
    } catch (error) {
      log.warn("Cannot look at the server for a reader", { error: String(error) });
      return null;
    }
  }
}

function timeUp(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}
