import { within } from "../base/deadline.ts";
import type { PostgresView } from "../core/node_view.ts";
import type { ApiContext } from "./context.ts";

const PROBE_MS = 1500;

/** Looks at the local server for readers, one look at a time: who asks meanwhile gets the answer of the same look. */
export class FreshServer {
  readonly #context: Pick<ApiContext, "probe" | "log">;
  #running: Promise<PostgresView | null> | null = null;

  constructor(context: Pick<ApiContext, "probe" | "log">) {
    this.#context = context;
  }

  /** The server as it is now; null when it cannot be asked in time, or by nobody. */
  look(): Promise<PostgresView | null> {
    this.#running ??= this.#probe().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #probe(): Promise<PostgresView | null> {
    const { probe, log } = this.#context;
    if (probe === null) return null;
    using deadline = within(PROBE_MS);
    try {
      return await probe(deadline.signal);
    } catch (error) {
      log.warn("Cannot look at the server for a reader", { error: String(error) });
      return null;
    }
  }
}
