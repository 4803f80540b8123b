import type { Clock } from "../../base/clock.ts";
import type { StoreHealth } from "../port.ts";

interface Endpoint {
  readonly url: string;
  reachable: boolean | null;
  lastError: string | null;
  /** Boot clock of the last failure, -1 when there was none. */
  failedAtMs: number;
  failures: number;
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
      failures: 0,
    }));
  }

  /** Every endpoint once, the most promising first. */
  inOrder(): readonly string[] {
    const rank = (one: Endpoint): number => one.url === this.#preferred ? -2 : one.failedAtMs;
    return [...this.#all].sort((a, b) => rank(a) - rank(b)).map((one) => one.url);
  }

  /** How often something failed at `url`; a change tells a stream that its far end may hang. */
  failures(url: string): number {
    return this.#find(url)?.failures ?? 0;
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
    endpoint.failures++;
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
