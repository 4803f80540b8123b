import { within } from "../base/deadline.ts";
import { basicAuthorization } from "../base/http.ts";
import type { HttpFetch } from "../base/http.ts";
import { isJsonObject } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { MemberState } from "../core/cluster_view.ts";
import type { Addresses } from "../core/failsafe.ts";
import { LSN_ZERO, lsnFromBytes, maxLsn } from "../core/lsn.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PeerReport, SelfView } from "../core/node_view.ts";
import { readTags } from "../core/tags.ts";

/** Patroni's limit for a member call; there is no second try. */
const MEMBER_CALL_MS = 2000;

/** A status document is a few KiB; more is no member. */
const BODY_MAX_BYTES = 1_048_576;

/** How members are asked. */
export interface PeerCallOptions {
  /** Credentials of `ctl` or `restapi`, sent with every call. */
  readonly login: { readonly username: string; readonly password: string } | null;
  readonly userAgent: string;
  /** Carries the certificates. */
  readonly fetch: HttpFetch;
}

/** GET of every member's api_url as published, in parallel, 2 s each; a member without an address is silent. */
export async function askPeers(
  members: readonly MemberState[],
  options: PeerCallOptions,
  signal: AbortSignal,
): Promise<readonly PeerReport[]> {
  return await Promise.all(members.map((member) => askPeer(member, options, signal)));
}

/**
 * The answer of a member as the leader race reads it (spec 3.3): a document without `wal` or `xlog`, or with positions
 * that are no numbers, is a member that cannot be reached; the HTTP status says nothing.
 */
export function decodePeer(name: string, document: unknown): PeerReport {
  if (!isJsonObject(document)) return silent(name, "its answer is no JSON object");
  const wal = document["wal"] ?? document["xlog"];
  if (!isJsonObject(wal)) {
    const report = silent(name, "its server is not running");
    return isIdle(document) ? { ...report, idle: true } : report;
  }
  const location = position(wal["location"]);
  const received = position(wal["received_location"]);
  const replayed = position(wal["replayed_location"]);
  if (location === "garbage" || received === "garbage" || replayed === "garbage") {
    return silent(name, "its positions cannot be read");
  }
  const role = document["role"];
  const isPrimary = (location ?? LSN_ZERO) > LSN_ZERO || role === "primary" || role === "master";
  const { tags, timeline } = document;
  return {
    kind: "answered",
    name,
    isPrimary,
    lsn: isPrimary ? LSN_ZERO : maxLsn(received, replayed) ?? LSN_ZERO,
    timeline: typeof timeline === "number" ? timeline : 0,
    tags: readTags(isJsonObject(tags) ? tags : {}),
    watchdogFailed: document["watchdog_failed"] === true,
  };
}

const IDLE_ROLES: readonly unknown[] = ["demoted", "replica", "uninitialized"];

/** Only an agent of this kind tells its lease; without one its server does not become a primary. */
function isIdle({ agent, role }: JsonObject): boolean {
  const lease = isJsonObject(agent) ? agent["lease"] : undefined;
  const kind = isJsonObject(lease) ? lease["kind"] : "unknown";
  return (kind === "none" || kind === "lost") && IDLE_ROLES.includes(role);
}

async function askPeer(
  { name, apiUrl }: MemberState,
  options: PeerCallOptions,
  signal: AbortSignal,
): Promise<PeerReport> {
  if (apiUrl === null) return silent(name, "it has published no address");
  using deadline = within(MEMBER_CALL_MS, signal);
  try {
    const response = await options.fetch(apiUrl, {
      headers: headersOf(options),
      redirect: "manual",
      signal: deadline.signal,
    });
    return decodePeer(name, await readJson(response));
  } catch (error) {
    return silent(name, reasonOf(error));
  }
}

/** What the other members are asked in failsafe mode. */
export interface ConsentRequest {
  /** `api_url` by name. */
  readonly members: Addresses;
  readonly sender: Pick<SelfView, "name" | "apiUrl" | "connUrl">;
  readonly slots: Readonly<Record<string, Lsn>>;
  /** How long the asker means to lead on the consents. */
  readonly ttlMs: number;
  /** One try; a member that does not answer is asked twice. */
  readonly tryMs: number;
}

/** What one member said. */
export type ConsentAnswer =
  | { readonly kind: "consented"; readonly name: string; readonly lsn: Lsn | null }
  | { readonly kind: "refused"; readonly name: string; readonly why: string };

/** POST `failsafe` to every member (spec 4.9), in parallel; only 200 with the body `Accepted` is a consent. */
export async function askConsents(
  request: ConsentRequest,
  options: PeerCallOptions,
  signal: AbortSignal,
): Promise<readonly ConsentAnswer[]> {
  const asked = Object.entries(request.members);
  return await Promise.all(asked.map(async ([name, apiUrl]) => {
    const first = await askConsent({ name, apiUrl }, request, options, signal);
    const isSilent = first.kind === "silent" && !signal.aborted;
    const last = isSilent ? await askConsent({ name, apiUrl }, request, options, signal) : first;
    return last.kind === "silent" ? { ...last, kind: "refused" as const } : last;
  }));
}

async function askConsent(
  member: { readonly name: string; readonly apiUrl: string },
  { sender, slots, ttlMs, tryMs }: ConsentRequest,
  options: PeerCallOptions,
  signal: AbortSignal,
): Promise<ConsentAnswer | Extract<PeerReport, { kind: "silent" }>> {
  const { name } = member;
  using deadline = within(tryMs, signal);
  try {
    const response = await options.fetch(new URL("/failsafe", member.apiUrl).href, {
      method: "POST",
      headers: {
        ...headersOf(options),
        "content-type": "application/json",
        "x-consent-of": encodeURIComponent(name),
        "x-consent-seconds": String(Math.ceil(ttlMs / 1000)),
      },
      body: encodeConsent(sender, slots),
      redirect: "manual",
      signal: deadline.signal,
    });
    const text = await readText(response);
    if (response.status !== 200 || text !== "Accepted") {
      return { kind: "refused", name, why: `${response.status} ${text.slice(0, 200)}` };
    }
    const position = response.headers.get("lsn") ?? "";
    return {
      kind: "consented",
      name,
      lsn: /^\d{1,20}$/.test(position) ? lsnFromBytes(BigInt(position)) : null,
    };
  } catch (error) {
    return silent(name, error instanceof Error ? error.message : String(error));
  }
}

/** Positions are numbers on the wire, as Patroni has them. */
function encodeConsent(
  { name, connUrl, apiUrl }: ConsentRequest["sender"],
  slots: ConsentRequest["slots"],
): string {
  const positions = Object.entries(slots).map(([slot, lsn]) => [slot, Number(lsn)]);
  const fields = { name, conn_url: connUrl, api_url: apiUrl };
  return JSON.stringify(
    positions.length === 0 ? fields : { ...fields, slots: Object.fromEntries(positions) },
  );
}

function headersOf({ login, userAgent }: PeerCallOptions): Record<string, string> {
  const headers = { "user-agent": userAgent, connection: "close" };
  if (login === null) return headers;
  return { ...headers, authorization: basicAuthorization(login) };
}

/** `fetch` hides the reason, such as a certificate, in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function readJson(response: Response): Promise<JsonObject | null> {
  const value: unknown = JSON.parse(await readText(response) || "null");
  return isJsonObject(value) ? value : null;
}

async function readText(response: Response): Promise<string> {
  const chunks: string[] = [];
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_MAX_BYTES) throw new TypeError("its answer is too long");
    chunks.push(decoder.decode(chunk, { stream: true }));
  }
  return chunks.join("");
}

function position(value: Json | undefined): Lsn | null | "garbage" {
  if (value === undefined || value === null) return null;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) return "garbage";
  return lsnFromBytes(value);
}

function silent(name: string, why: string): Extract<PeerReport, { kind: "silent" }> {
  return { kind: "silent", name, why };
}
