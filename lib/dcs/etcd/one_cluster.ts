import type { Clock } from "../../base/clock.ts";

/** Whom to ask, and how. */
export interface OneClusterOptions {
  readonly urls: readonly string[];
  readonly clock: Clock;
  /** The cluster id of one endpoint; null: it is silent, or decides nothing. Has a deadline of its own, never throws. */
  readonly ask: (url: string, signal: AbortSignal) => Promise<string | null>;
}

/** So many milliseconds for each endpoint lie between two looks: one request a minute, however many there are. */
const LOOK_MS_EACH = 60_000;
/** While they differ nothing else is asked, so that a cure may be seen soon. */
const LOOK_AGAIN_MS = 10_000;

/**
 * Sees to it that all endpoints are one etcd. Several that know nothing of each other, each healthy alone, would give
 * the lock to one member each. Members may be down, so silent ones do not count; but once ids differ, the last one of
 * an endpoint that falls silent stands, or the loss of the others would make its own store right for a member.
 */
export class OneCluster {
  readonly #options: OneClusterOptions;
  #ids: ReadonlyMap<string, string> = new Map();
  /** The id of all endpoints; null before the first is known. */
  #known: string | null = null;
  #fault: string | null = null;
  #lookedMs: number | null = null;

  constructor(options: OneClusterOptions) {
    this.#options = options;
  }

  /** Why the store cannot be used now, or null; the first call looks. */
  async fault(signal: AbortSignal): Promise<string | null> {
    const { clock } = this.#options;
    const isDue = this.#lookedMs === null ||
      this.#fault !== null && clock.bootMs() - this.#lookedMs >= LOOK_AGAIN_MS;
    if (isDue) await this.#look(signal);
    return this.#fault;
  }

  /**
   * Takes in the cluster id of an answer ("0": it has none): why it cannot be used, or null. A new id is one of a
   * rebuilt store only if no endpoint has another one.
   */
  async faultOf(url: string, id: string, signal: AbortSignal): Promise<string | null> {
    if (id === this.#known || id === "0" || !this.#hasSeveral()) return this.#fault;
    if (!await this.#look(signal, [[url, id]])) return "no time left to ask for cluster ids";
    return this.#fault;
  }

  /** Looks from time to time until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, urls } = this.#options;
    while (this.#hasSeveral() && !signal.aborted) {
      await clock.sleep(urls.length * LOOK_MS_EACH, signal);
      await this.#look(signal);
    }
  }

  #hasSeveral(): boolean {
    return this.#options.urls.length > 1;
  }

  /** False: the time ended before it was known that the ids are the same. */
  async #look(
    signal: AbortSignal,
    heard: readonly (readonly [string, string])[] = [],
  ): Promise<boolean> {
    if (!this.#hasSeveral() || signal.aborted) return false;
    const found = await this.#askAll(signal);
    const before = this.#fault === null ? [] : this.#ids;
    const ids = new Map([...before, ...heard, ...found]);
    const [id = null, ...others] = new Set(ids.values());
    if (signal.aborted && others.length === 0) return false;
    this.#lookedMs = this.#options.clock.bootMs();
    this.#ids = ids;
    this.#fault = others.length === 0 ? null : faultIn(ids);
    if (others.length === 0) this.#known = id;
    return true;
  }

  async #askAll(signal: AbortSignal): Promise<readonly (readonly [string, string])[]> {
    const { urls, ask } = this.#options;
    const answers = await Promise.all(
      urls.map(async (url) => ({ url, id: await ask(url, signal) })),
    );
    return answers.flatMap(({ url, id }) => id === null ? [] : [[url, id] as const]);
  }
}

function faultIn(ids: ReadonlyMap<string, string>): string {
  const each = [...ids].map(([url, id]) => `${url} is of cluster ${id}`).join(", ");
  return `the endpoints are of different etcd clusters (${each}): make them one etcd ` +
    "(INSTALL.md, section 2), or name those of one cluster only and restart the agent";
}
