import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Clock } from "../base/clock.ts";
import { Refused } from "../base/errors.ts";
import type { TlsMaterial } from "../net/tls.ts";
import { HttpListener } from "./http_listener.ts";
import { listenHttps } from "./https_listener.ts";
import type { ServerTls } from "./https_listener.ts";
import { IN_USE, NOT_HERE } from "./listener.ts";
import type { Listener, ListenerOptions } from "./listener.ts";

/** Where and how to listen. */
export interface ListenPlan {
  /** Addresses and names, `*` is every address; port 0 picks a free one. */
  readonly listen: { readonly hosts: readonly string[]; readonly port: number };
  /** null: plain http. */
  readonly tls: ServerTls | null;
  /** Connections that may wait to be accepted; null: the system's own number. */
  readonly backlog: number | null;
}

/** What listeners share. */
export type ListenerParts = Pick<ListenerOptions, "log" | "serve"> & { readonly clock: Clock };

/** An address that was just given back may be held for a moment longer. */
const RETRIES = 100;
const PAUSE_MS = 20;

interface Wanted {
  readonly key: string;
  readonly host: string;
  /** One of perhaps several addresses of a name. */
  readonly isOfName: boolean;
}

/** The addresses that the API listens on. Not for two calls at a time. */
export class Listeners {
  readonly #parts: ListenerParts;
  readonly #open = new Map<string, Listener>();
  readonly #retired = new Set<Listener>();
  #plan: ListenPlan;
  #port: number;

  constructor(parts: ListenerParts, plan: ListenPlan) {
    this.#parts = parts;
    this.#plan = plan;
    this.#port = plan.listen.port;
  }

  /** The port that was asked for or picked. */
  get port(): number {
    return this.#port;
  }

  /** Opens every address of the plan. Throws `Refused` when one cannot be had; then none is open. */
  async start(): Promise<void> {
    try {
      this.#add(await this.#openAll(this.#plan, await wantedBy(this.#plan)));
    } catch (error) {
      await this.close(0);
      throw error;
    }
  }

  /** New certificates for connections from now on. */
  renew(material: TlsMaterial): void {
    for (const listener of this.#open.values()) listener.renew(material);
  }

  /**
   * Listens as `plan` says: addresses that stay are not touched, new ones are opened before old ones are closed, as
   * far as they do not exclude each other; requests in work end in `graceMs`. Throws `Refused` when an address cannot
   * be had, and listens as before.
   */
  async change(plan: ListenPlan, graceMs: number): Promise<void> {
    const before = { plan: this.#plan, port: this.#port };
    const wanted = await wantedBy(plan);
    const stale = [...this.#open.keys()].filter((key) => wanted.every((one) => one.key !== key));
    const fresh = wanted.filter(({ key }) => !this.#open.has(key));
    if (plan.listen.port !== before.plan.listen.port) this.#port = plan.listen.port;
    try {
      const opened = await this.#openAll(plan, fresh).catch(async (error) => {
        const isByUs = stale.length > 0 && plan.listen.port === before.plan.listen.port;
        if (!isInUse(error) || !isByUs) throw error;
        this.#retire(stale, graceMs);
        return await this.#openAll(plan, fresh, RETRIES);
      });
      this.#retire(stale, graceMs);
      this.#add(opened);
      this.#plan = plan;
    } catch (error) {
      this.#port = before.port;
      const lost = stale.filter((key) => !this.#open.has(key));
      const old = (await wantedBy(before.plan)).filter(({ key }) => lost.includes(key));
      this.#add(await this.#openAll(before.plan, old, RETRIES));
      throw error;
    }
  }

  /** Closes every address, those that were given up included. */
  async close(graceMs: number): Promise<void> {
    this.#retire([...this.#open.keys()], graceMs);
    await Promise.all([...this.#retired].map((listener) => listener.close(graceMs)));
  }

  #add(opened: ReadonlyMap<string, Listener>): void {
    for (const [key, listener] of opened) this.#open.set(key, listener);
  }

  #retire(keys: readonly string[], graceMs: number): void {
    for (const key of keys) {
      const listener = this.#open.get(key);
      this.#open.delete(key);
      if (listener !== undefined) this.#give(listener, graceMs);
    }
  }

  #give(listener: Listener, graceMs: number): void {
    this.#retired.add(listener);
    listener.close(graceMs).finally(() => this.#retired.delete(listener));
  }

  /** All of them or none, but for addresses of a name that this host lacks. */
  async #openAll(
    plan: ListenPlan,
    wanted: readonly Wanted[],
    retries = 0,
  ): Promise<ReadonlyMap<string, Listener>> {
    const opened = new Map<string, Listener>();
    let lacking: unknown = null;
    try {
      for (const { key, host, isOfName } of wanted) {
        try {
          const listener = await this.#openPatiently(plan, host, retries);
          this.#port = listener.port;
          opened.set(key, listener);
        } catch (error) {
          if (!isOfName || !(error instanceof Refused) || error.code !== NOT_HERE) throw error;
          lacking = error;
        }
      }
      if (opened.size === 0 && lacking !== null) throw lacking;
      return opened;
    } catch (error) {
      for (const listener of opened.values()) this.#give(listener, 0);
      throw error;
    }
  }

  async #openPatiently(plan: ListenPlan, host: string, retries: number): Promise<Listener> {
    for (let left = retries;; left--) {
      try {
        return await this.#openOne(plan, host);
      } catch (error) {
        if (!isInUse(error) || left <= 0) throw error;
        await this.#parts.clock.sleep(PAUSE_MS);
      }
    }
  }

  async #openOne(plan: ListenPlan, host: string): Promise<Listener> {
    if (host !== "*") return await this.#listen(plan, host);
    try {
      return await this.#listen(plan, "::"); // one socket for both families
    } catch (error) {
      if (isInUse(error)) throw error;
      return await this.#listen(plan, "0.0.0.0"); // a kernel without IPv6
    }
  }

  async #listen({ tls, backlog }: ListenPlan, host: string): Promise<Listener> {
    const { log, serve } = this.#parts;
    const options = { host, port: this.#port, backlog, log, serve };
    return tls === null ? new HttpListener(options) : await listenHttps(options, tls);
  }
}

/** Every address of a plan once; a name stands for all its addresses. */
async function wantedBy(plan: ListenPlan): Promise<readonly Wanted[]> {
  const { listen: { hosts, port }, tls, backlog } = plan;
  const manner = `${tls === null ? "http" : tls.verifyClient} ${port} ${backlog}`;
  const wanted = new Map<string, Wanted>();
  for (const given of hosts.map(bare)) {
    const isOfName = given !== "*" && isIP(given) === 0;
    for (const host of isOfName ? await addressesOf(given, port) : [given]) {
      const key = `${host} ${manner}`;
      if (!wanted.has(key)) wanted.set(key, { key, host, isOfName });
    }
  }
  return [...wanted.values()];
}

async function addressesOf(host: string, port: number): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    const message = `Cannot listen on ${host}:${port}: the name has no address`;
    throw new Refused(message, NOT_HERE, { cause });
  }
}

/** Brackets of an IPv6 address belong to URLs, not to sockets. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

function isInUse(error: unknown): boolean {
  return error instanceof Refused && error.code === IN_USE;
}
