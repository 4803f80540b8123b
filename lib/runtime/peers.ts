import { within } from "../base/deadline.ts";
import { basicAuthorization } from "../base/http.ts";
import type { HttpFetch } from "../base/http.ts";
import { isJsonObject } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { MemberState } from "../core/cluster_view.ts";
import { LSN_ZERO, lsnFromBytes, maxLsn } from "../core/lsn.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PeerReport } from "../core/node_view.ts";
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
  if (!isJsonObject(wal)) return silent(name, "its server is not running");
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
  const chunks: string[] = [];
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_MAX_BYTES) throw new TypeError("its answer is too long");
    chunks.push(decoder.decode(chunk, { stream: true }));
  }
  const value: unknown = JSON.parse(chunks.join("") || "null");
  return isJsonObject(value) ? value : null;
}

function position(value: Json | undefined): Lsn | null | "garbage" {
  if (value === undefined || value === null) return null;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) return "garbage";
  return lsnFromBytes(value);
}

function silent(name: string, why: string): PeerReport {
  return { kind: "silent", name, why };
}
