import { withoutUrl } from "../../base/http.ts";
import { isJsonObject } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";

/** What one HTTP answer of the JSON gateway means. Only "good" and "refused" prove anything. */
export type Answer =
  | { readonly kind: "good"; readonly body: JsonObject }
  /** From the closed list below: etcd understood the request and did not carry it out. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  /** The login is missing, expired, or older than the last change of users; a new one may help. */
  | { readonly kind: "login-needed"; readonly message: string }
  /** A good answer from a member that is behind: its raft term is older than one seen before. */
  | { readonly kind: "outdated"; readonly why: string }
  /** Everything else. The request may have been carried out; another endpoint may know. */
  | {
    readonly kind: "unusable";
    readonly why: string; /** No HTTP answer came. */
    readonly isSilent?: true;
  };

/** gRPC code of "requested lease not found". */
export const LEASE_NOT_FOUND = "5";

/** gRPC code of "authentication is not enabled", as far as it is on the closed list. */
export const AUTH_NOT_ENABLED = "9";

const LOGIN_MESSAGES = [
  "user name is empty",
  "revision of auth store is old",
  "invalid auth token",
];

/** The definite refusals of etcd 3.4 and later; a code with several meanings counts only with this message. */
const REFUSALS: readonly { readonly code: number; readonly message: string }[] = [
  { code: 3, message: "" },
  { code: 5, message: "requested lease not found" },
  { code: 7, message: "" },
  { code: 9, message: "authentication is not enabled" },
];

/**
 * Judges an answer by its HTTP status and body. A good one carries a response header, so that a stranger's `200 {}`
 * is no empty cluster. Of a stream (keep-alive) the first message counts; its error comes under HTTP 200.
 */
export function classify(status: number, text: string): Answer {
  const message = parseObject(firstLine(text));
  if (message === null) {
    return { kind: "unusable", why: `HTTP ${status}, not JSON: ${firstLine(text).slice(0, 120)}` };
  }
  const error = message["error"];
  if (status !== 200) return classifyError(status, message["code"], message["message"]);
  if (isJsonObject(error)) return classifyError(status, error["grpc_code"], error["message"]);
  const result = message["result"];
  const body = isJsonObject(result) ? result : message;
  if (isJsonObject(body["header"])) return { kind: "good", body };
  return { kind: "unusable", why: `HTTP ${status}, not an answer of etcd` };
}

function classifyError(status: number, code: Json | undefined, message: Json | undefined): Answer {
  const text = typeof message === "string" ? message : "";
  const why = `HTTP ${status}, code ${String(code)}, "${text}"`;
  if (code === 16) return { kind: "login-needed", message: why };
  if (code === 3 && LOGIN_MESSAGES.some((known) => text.includes(known))) {
    return { kind: "login-needed", message: why };
  }
  const listed = REFUSALS.some((known) => known.code === code && text.includes(known.message));
  return listed ? { kind: "refused", code: String(code), message: why } : { kind: "unusable", why };
}

/** What rustls means by CaUsedAsEndEntity, and the way out. */
const OWN_AUTHORITY =
  "etcd shows a certificate that is an authority itself: issue one with basicConstraints=CA:FALSE";

/** Why no answer came: `fetch` hides the reason of a failure in `cause`. */
export function whySilent(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const why = error.cause instanceof Error ? error.cause.message : "";
  const told = why === "" ? error.message : withoutUrl(why);
  return why.includes("CaUsedAsEndEntity") ? `${told} (${OWN_AUTHORITY})` : told;
}

function firstLine(text: string): string {
  return text.trimStart().split("\n", 1)[0] ?? "";
}

/** The JSON object in `text`, or null: error pages of proxies and cut answers are nothing. */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** The mapping in a field, empty when it is absent: the gateway leaves out every zero, false and empty value. */
export function objectIn(body: JsonObject, field: string): JsonObject {
  const value = body[field];
  return isJsonObject(value) ? value : {};
}

/** The mappings in a list field; an absent list is empty. */
export function objectsIn(body: JsonObject, field: string): readonly JsonObject[] {
  const value = body[field];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** A 64-bit number, which the gateway prints as text; absent is "0". */
export function int64In(body: JsonObject, field: string): string {
  const text = String(body[field] ?? "0");
  return /^-?\d+$/.test(text) ? text : "0";
}

/** Which etcd a good answer is from; "0": it does not say. */
export function clusterIdOf(body: JsonObject): string {
  return int64In(objectIn(body, "header"), "cluster_id");
}

/**
 * Remembers the highest raft term seen. A member that was cut off answers from an older term, so its view may be
 * old as well. Another cluster id starts anew: the store was rebuilt.
 */
export class TermGuard {
  #clusterId = "";
  #term = 0n;

  /** Takes the next answer as the measure. */
  forget(): void {
    this.#term = 0n;
  }

  /** Takes in the header of an answer; false when the answer comes from the past. */
  accepts(body: JsonObject): boolean {
    const clusterId = clusterIdOf(body);
    const term = BigInt(int64In(objectIn(body, "header"), "raft_term"));
    if (clusterId !== this.#clusterId) {
      this.#clusterId = clusterId;
      this.#term = term;
      return true;
    }
    if (term < this.#term) return false;
    this.#term = term;
    return true;
  }
}
