import type { Clock } from "../../base/clock.ts";
import type { JsonObject } from "../../base/json.ts";
import { clusterIdOf, int64In, objectIn, objectsIn } from "./answer.ts";

/** Who answers at an endpoint. */
export interface EtcdMember {
  readonly clusterId: string;
  readonly memberId: string;
  /** Its name and where it serves clients, as it tells them; null: not known. */
  readonly self: string | null;
}

/** Whom to ask, and how. */
export interface OneClusterOptions {
  readonly urls: readonly string[];
  readonly clock: Clock;
  /** The member at one endpoint; null: it is silent, or decides nothing. Has a deadline of its own, never throws. */
  readonly ask: (url: string, signal: AbortSignal) => Promise<EtcdMember | null>;
}

/** So many milliseconds for each endpoint lie between two looks: one request a minute, however many there are. */
const LOOK_MS_EACH = 60_000;
/** While they differ nothing else is asked, so that a cure may be seen soon. */
const LOOK_AGAIN_MS = 10_000;

/**
 * Sees to it that all endpoints are one etcd. Several that know nothing of each other, each healthy alone, would give
 * the lock to one member each. Members may be down, so silent ones do not count; but once they differ, what an endpoint
 * was before it fell silent stands, or the loss of the others would make its own store right for a member.
 */
export class OneCluster {
  readonly #options: OneClusterOptions;
  /** Whom the last look has found, by endpoint. */
  #members: Members = new Map();
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
   * Takes in a good answer: why it cannot be used, or null. Another cluster id than before is one of a rebuilt store only
   * if no endpoint has the old one; and who was silent at the last look may be anybody.
   */
  async faultOf(url: string, body: JsonObject, signal: AbortSignal): Promise<string | null> {
    const member = memberOf(body);
    const isKnown = member?.clusterId === this.#members.get(url)?.clusterId;
    if (member === null || isKnown || !this.#hasSeveral()) return this.#fault;
    if (!await this.#look(signal, [[url, member]])) return "no time left to ask who they are";
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

  /** False: the time ended before it was known that they are one. */
  async #look(signal: AbortSignal, heard: Iterable<Found> = []): Promise<boolean> {
    if (!this.#hasSeveral() || signal.aborted) return false;
    const found = await this.#askAll(signal);
    const before = this.#fault === null ? [] : this.#members;
    const members = new Map([...before, ...heard, ...found]);
    const fault = areOne([...members.values()]) ? null : faultIn(members);
    if (signal.aborted && fault === null) return false;
    this.#lookedMs = this.#options.clock.bootMs();
    this.#members = members;
    this.#fault = fault;
    return true;
  }

  async #askAll(signal: AbortSignal): Promise<readonly Found[]> {
    const { urls, ask } = this.#options;
    const asked = urls.map(async (url) => ({ url, member: await ask(url, signal) }));
    const answers = await Promise.all(asked);
    return answers.flatMap(({ url, member }) => member === null ? [] : [[url, member] as const]);
  }
}

type Found = readonly [url: string, member: EtcdMember];
type Members = ReadonlyMap<string, EtcdMember>;

/** The member behind a good answer, with its name when that is a list of members; null: it does not say. */
export function memberOf(body: JsonObject): EtcdMember | null {
  const clusterId = clusterIdOf(body);
  const memberId = int64In(objectIn(body, "header"), "member_id");
  const record = objectsIn(body, "members").find((one) => int64In(one, "ID") === memberId);
  const self = record === undefined
    ? null
    : `${String(record["name"])} at ${String(record["clientURLs"])}`;
  return clusterId === "0" ? null : { clusterId, memberId, self };
}

/**
 * etcd makes both ids from the addresses and the token it is founded with: those that a distribution starts, one on
 * each host, have the same. What such a member tells of itself then differs from host to host.
 */
function areOne(members: readonly EtcdMember[]): boolean {
  return members.every((one) =>
    members.every((other) =>
      one.clusterId === other.clusterId &&
      (one.memberId !== other.memberId || one.self === null || other.self === null ||
        one.self === other.self)
    )
  );
}

function faultIn(members: Members): string {
  const each = [...members].map(([url, { clusterId, memberId, self }]) =>
    `${url} is member ${memberId} (${self ?? "without a name"}) of cluster ${clusterId}`
  );
  return `the endpoints are not one etcd (${each.join(", ")}): make them one (INSTALL.md, ` +
    "section 2), or name those of one etcd only and restart the agent";
}
