import { basicAuthorization, withoutUrl } from "../base/http.ts";
import type { HttpFetch } from "../base/http.ts";
import type { JsonObject } from "../base/json.ts";

/** What became of a request to a member. */
export type RemoteAnswer =
  | {
    readonly kind: "answered";
    readonly status: number;
    readonly text: string;
    /** The operation that the request began (lib/api/OPERATIONS.md); absent when the member names none. */
    readonly operation?: string;
  }
  /** No connection: nothing was sent, nothing can have happened. */
  | { readonly kind: "unreachable"; readonly why: string }
  /** Sent, and no answer: it may have happened. `isLate`: within its time nothing came, else the connection broke. */
  | { readonly kind: "lost"; readonly why: string; readonly isLate?: true };

/** The REST API of members. */
export interface Remote {
  get(url: string, signal: AbortSignal): Promise<RemoteAnswer>;
  post(url: string, body: JsonObject, signal: AbortSignal): Promise<RemoteAnswer>;
  /** POST that asks not to wait for the end; a member that does not know how answers at the end. */
  order(url: string, body: JsonObject, signal: AbortSignal): Promise<RemoteAnswer>;
  patch(url: string, body: JsonObject, signal: AbortSignal): Promise<RemoteAnswer>;
  delete(url: string, signal: AbortSignal): Promise<RemoteAnswer>;
}

/** Name and password for calls that change something. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Requests by `road`; only those that change something carry the login. Answers beyond 1 MiB are cut. */
export function httpRemote(login: Login | null, road: HttpFetch): Remote {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (login !== null) {
    headers["authorization"] = basicAuthorization(login);
  }
  const change = (method: "POST" | "PATCH", more: Record<string, string> = {}): Remote["post"] => {
    return (url, body, signal) => {
      const all = { ...headers, ...more };
      return send(road, url, { method, headers: all, body: JSON.stringify(body), signal });
    };
  };
  return {
    get: (url, signal) => send(road, url, { signal }),
    post: change("POST"),
    order: change("POST", { prefer: "respond-async" }),
    patch: change("PATCH"),
    delete: (url, signal) => send(road, url, { method: "DELETE", headers, signal }),
  };
}

async function send(road: HttpFetch, url: string, init: RequestInit): Promise<RemoteAnswer> {
  try {
    const response = await road(url, { ...init, redirect: "error" });
    const text = await response.text();
    const operation = response.headers.get("x-operation-id");
    return {
      kind: "answered",
      status: response.status,
      text: text.slice(0, TEXT_MAX),
      ...(operation === null ? {} : { operation }),
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    if (wasNotSent(error, why)) return { kind: "unreachable", why: withoutUrl(why) };
    const isLate = init.signal?.aborted === true;
    return { kind: "lost", why: withoutUrl(why), ...(isLate ? { isLate } : {}) };
  }
}

/**
 * Deno 2.9 names the phase in the text of its cause; only these prove that nothing was done. A server that refuses the
 * certificate of a client says so, in TLS 1.3, after the client has sent its request, and never reads it.
 */
function wasNotSent(error: Error, why: string): boolean {
  const isUndone =
    /client error \(Connect\)|are blocked$|received fatal alert: \w*(Certificate|CA)/;
  return error instanceof TypeError && isUndone.test(why);
}

const TEXT_MAX = 1024 ** 2;
