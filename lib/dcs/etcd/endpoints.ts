import type { Clock } from "../../base/clock.ts";
import type { StoreHealth } from "../port.ts";

interface Endpoint {
  readonly url: string;
  reachable: boolean | null;
  lastError: string | null;
  /** Boot clock of the last failure, -1 when there was none. */
  failedAtMs: number;
  readonly listeners: Set<() => void>;
}

/** Which endpoint to ask first: the one that answered last, then those whose failure is the longest ago. */
export class Endpoints {
  readonly #all: readonly Endpoint[];
  readonly #clock: Clock;
  #preferred: string | null = null;
  #lastSeenWallMs = 0;

  constructor(urls: readonly string[], clock: Clock) {
    this.#clock = clock;
    this.#all = urls.map((url) => ({
      url: url.replace(/\/+$/, ""),
      reachable: null,
      lastError: null,
      failedAtMs: -1,
      listeners: new Set(),
    }));
  }

  /** Every endpoint once, the most promising first. */
  inOrder(): readonly string[] {
    const rank = (one: Endpoint): number => one.url === this.#preferred ? -2 : one.failedAtMs;
    return [...this.#all].sort((a, b) => rank(a) - rank(b)).map((one) => one.url);
  }

  /** Calls `listener` at each failure at `url` until it is disposed: a stream learns that its far end may hang. */
  onFailure(url: string, listener: () => void): Disposable {
    const listeners = this.#find(url)?.listeners;
    listeners?.add(listener);
    return { [Symbol.dispose]: () => void listeners?.delete(listener) };
  }

  /** The endpoint answered; it is asked first from now on. */
  noteGood(url: string): void {
    const endpoint = this.#find(url);
    if (endpoint === undefined) return;
    endpoint.reachable = true;
    endpoint.lastError = null;
    this.#preferred = url;
    this.#lastSeenWallMs = this.#clock.wallMs();
  }

  /** The endpoint did not answer, or nothing usable; it is asked last from now on. */
  noteFailure(url: string, why: string): void {
    const endpoint = this.#find(url);
    if (endpoint === undefined) return;
    endpoint.reachable = false;
    endpoint.lastError = why;
    endpoint.failedAtMs = this.#clock.bootMs();
    for (const listener of endpoint.listeners) listener();
    if (this.#preferred === url) this.#preferred = null;
  }

  /** What is known of each endpoint, in the configured order. */
  health(): StoreHealth {
    const endpoints = this.#all.map(({ url, reachable, lastError }) => ({
      url,
      reachable,
      lastError,
    }));
    return { endpoints, lastSeenWallMs: this.#lastSeenWallMs };
  }

  #find(url: string): Endpoint | undefined {
    return this.#all.find((endpoint) => endpoint.url === url);
  }
}
