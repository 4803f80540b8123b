import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import type { Clock } from "../base/clock.ts";

/** A name server that hangs must not hold up a request. */
const LOOKUP_MS = 1000;
/** How long the addresses of a name count. */
const KNOWN_MS = 30_000;

/** All addresses of a host name; rejects when there is none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

interface Known {
  readonly addresses: readonly string[];
  readonly untilMs: number;
}

/** Is an address among names, addresses and networks? Names are looked up and remembered for half a minute. */
export class Allowlist {
  readonly #clock: Clock;
  readonly #resolve: Resolve;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock, resolve: Resolve = resolveBySystem) {
    this.#clock = clock;
    this.#resolve = resolve;
  }

  /** `hosts`: addresses, `address/bits`, and names. What cannot be looked up keeps its last addresses. */
  async has(address: string, hosts: readonly string[]): Promise<boolean> {
    const names = hosts.filter(isName);
    const found = await Promise.all(names.map((name) => this.#addressesOf(name)));
    const allowed = new BlockList();
    for (const entry of [...hosts.filter((host) => !isName(host)), ...found.flat()]) {
      addTo(allowed, entry);
    }
    const family = isIP(address);
    return family !== 0 && allowed.check(address, family === 6 ? "ipv6" : "ipv4");
  }

  /** The same for a host by its name or address: one of its addresses is enough, and one that nobody knows is not missed. */
  async hasHost(host: string, hosts: readonly string[]): Promise<boolean> {
    const addresses = isName(host) ? await this.#addressesOf(host) : [host];
    const answers = await Promise.all(addresses.map((address) => this.has(address, hosts)));
    return answers.length === 0 || answers.includes(true);
  }

  async #addressesOf(name: string): Promise<readonly string[]> {
    const known = this.#known.get(name);
    const nowMs = this.#clock.bootMs();
    if (known !== undefined && nowMs < known.untilMs) return known.addresses;
    const giveUp = new AbortController();
    const late = this.#clock.sleep(LOOKUP_MS, giveUp.signal).then(() => null);
    const found = await Promise.race([this.#resolve(name).catch(() => null), late]);
    giveUp.abort();
    const addresses = found ?? known?.addresses ?? [];
    this.#known.set(name, { addresses, untilMs: nowMs + KNOWN_MS });
    return addresses;
  }
}

/** The host of an `api_url`, without brackets; null when it is none. */
export function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, "$1") : null;
}

function isName(entry: string): boolean {
  return !entry.includes("/") && isIP(entry) === 0;
}

function addTo(list: BlockList, entry: string): void {
  const [address = "", bits] = entry.split("/");
  const family = isIP(address);
  if (family === 0) return;
  const kind = family === 6 ? "ipv6" : "ipv4";
  if (bits === undefined) list.addAddress(address, kind);
  else list.addSubnet(address, Number(bits), kind);
}

async function resolveBySystem(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
