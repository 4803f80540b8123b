import type { JsonObject } from "../base/json.ts";
import { isJsonObject } from "../base/json.ts";
import type { PromiseRequest } from "../core/failsafe.ts";
import { lsnFromBytes, maxLsn } from "../core/lsn.ts";
import type { Lsn } from "../core/lsn.ts";
import type { NodeView } from "../core/node_view.ts";
import { mayBePrimary } from "../core/rules/facts.ts";
import { readObject } from "./bodies.ts";
import type { Call } from "./call.ts";
import type { ApiContext } from "./context.ts";
import { settingsOf } from "./facts.ts";
import { jsonReply, textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** No ttl is longer than this; a longer wish is a mistake or an attack on the next failover. */
const CONSENT_MAX_S = 86_400;

/** The calls of failsafe mode (spec 3.5, 4.9): a leader without the store asks all members for their consent. */
export class FailsafeApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** The list of members that a leader would ask: `{}` before the store was read, 502 when the key is absent. */
  do_GET_failsafe(): Promise<HttpReply> {
    const { cluster } = this.#context.board.state();
    if (cluster === null) return Promise.resolve(jsonReply({}));
    const { failsafe } = cluster;
    const reply = failsafe === null
      ? textReply("the cluster has no list of failsafe mode", 502)
      : jsonReply(failsafe.members);
    return Promise.resolve(reply);
  }

  /**
   * Consents to the caller's leadership: 200 `Accepted`, and this member does not take the lock for a ttl. 500 when it
   * leads itself, has promised another one, or knows nothing of the cluster; 502 when the mode is off.
   */
  async do_POST_failsafe({ request }: Call): Promise<HttpReply> {
    const { board, log } = this.#context;
    if (!settingsOf(board.state()).failsafeMode) return textReply("failsafe mode is disabled", 502);
    const body = await readObject(request);
    if (body.kind === "bad") return body.reply;
    const asked = readRequest(body.value, request.headers.get("x-consent-seconds"));
    if (typeof asked === "string") return textReply(asked, 400);
    const refusal = this.#refusal(asked, request.headers.get("x-consent-of"));
    if (refusal === null) return textReply("Accepted", 200, positionOf(board.state().view));
    log.info(`No consent to ${asked.name}: ${refusal}`);
    return textReply(refusal, 500);
  }

  /** One step from the look at this member's own state to the promise. */
  #refusal(asked: PromiseRequest, wanted: string | null): string | null {
    const { board, name, promises } = this.#context;
    const { view, memory, cluster } = board.state();
    if (wanted !== null && wanted !== encodeURIComponent(name)) return `this member is ${name}`;
    if (view === null || memory === null || cluster === null) {
      return "nothing is known of the cluster";
    }
    if (mayBePrimary(view.postgres, memory)) return "Running as a leader";
    return promises === undefined ? "this member never promises" : promises.give(asked);
  }
}

/** The request, or what is wrong with it. */
function readRequest(body: JsonObject, seconds: string | null): PromiseRequest | string {
  const { name, conn_url: connUrl, api_url: apiUrl, slots = {} } = body;
  if (typeof name !== "string" || name === "") return "name must be a text";
  if (typeof connUrl !== "string") return "conn_url must be a text";
  if (typeof apiUrl !== "string") return "api_url must be a text";
  const positions = readPositions(slots ?? {});
  if (positions === null) return "slots must be positions by name";
  const ttlMs = seconds === null ? null : readSeconds(seconds);
  if (Number.isNaN(ttlMs)) return `x-consent-seconds must be 1 to ${CONSENT_MAX_S}`;
  return { name, slots: positions, ttlMs };
}

function readPositions(slots: JsonObject[string]): Readonly<Record<string, Lsn>> | null {
  if (!isJsonObject(slots)) return null;
  const positions: [string, Lsn][] = [];
  for (const [name, bytes] of Object.entries(slots)) {
    if (typeof bytes !== "number" || !Number.isInteger(bytes) || bytes < 0) return null;
    positions.push([name, lsnFromBytes(bytes)]);
  }
  return Object.fromEntries(positions);
}

/** Milliseconds, NaN for garbage. */
function readSeconds(text: string): number {
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  return seconds >= 1 && seconds <= CONSENT_MAX_S ? seconds * 1000 : NaN;
}

/** Where this replica is, for the slots of the caller; left out when it is not known. */
function positionOf(view: NodeView | null): Readonly<Record<string, string>> {
  if (view?.postgres.kind !== "replica") return {};
  const lsn = maxLsn(view.postgres.receivedLsn, view.postgres.replayedLsn);
  return lsn === null ? {} : { lsn: String(lsn) };
}
