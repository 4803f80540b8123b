import { within } from "../base/deadline.ts";
import type { JsonObject } from "../base/json.ts";
import { isJsonObject } from "../base/json.ts";
import { textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

/** The body of a request, or the answer to a bad one. */
export type Body =
  | { readonly kind: "object"; readonly value: JsonObject }
  | { readonly kind: "bad"; readonly reply: HttpReply };

/** Bounds of what a client may send. */
export interface BodyLimits {
  readonly bytesMax: number;
  readonly deadlineMs: number;
}

const LIMITS: BodyLimits = { bytesMax: 1024 * 1024, deadlineMs: 5000 };

/** No setting needs more; what is deeper would end on the stack of a reader, the one of Patroni at 1000. */
const LEVELS_MAX = 64;

/**
 * Reads a required JSON object (spec 3.1): 411 without Content-Length, 400 when it is no object, an empty or a very
 * deep one, 413 above the limit, 408 when it does not arrive in time.
 */
export async function readObject(request: Request, limits = LIMITS): Promise<Body> {
  const body = await readAnyObject(request, limits);
  const isEmpty = body.kind === "object" && Object.keys(body.value).length === 0;
  return isEmpty ? bad(400, "Bad Request") : body;
}

/**
 * The same where the body may be left out or be an empty object: both are `{}`. Without a length and an encoding there
 * is none (RFC 9112, 6.3); the request's own `body` is a stream all the same.
 */
export async function readOptionalObject(request: Request, limits = LIMITS): Promise<Body> {
  const { headers } = request;
  const length = headers.get("content-length") ?? (headers.has("transfer-encoding") ? null : "0");
  const isThere = request.body !== null && length !== "0";
  return isThere ? await readAnyObject(request, limits) : { kind: "object", value: {} };
}

async function readAnyObject(request: Request, limits: BodyLimits): Promise<Body> {
  const length = request.headers.get("content-length");
  if (length === null) return bad(411, "Length Required");
  if (Number(length) > limits.bytesMax) return bad(413, "Content Too Large");
  using deadline = within(limits.deadlineMs);
  const bytes = await readBytes(request, limits.bytesMax, deadline.signal);
  if (bytes === "too large") return bad(413, "Content Too Large");
  if (bytes === "too late") return bad(408, "Request Timeout");
  if (bytes === "broken") return bad(400, "Bad Request");
  return parse(bytes);
}

function parse(bytes: Uint8Array): Body {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isJsonObject(value) && isShallow(value, LEVELS_MAX)) return { kind: "object", value };
  } catch (error) {
    // TypeError: no UTF-8; SyntaxError: no JSON.
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  return bad(400, "Bad Request");
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

async function readBytes(
  request: Request,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array | "too large" | "too late" | "broken"> {
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const bytes = await collect(reader, bytesMax);
    if (signal.aborted) return "too late";
    if (bytes === null) cancel();
    return bytes ?? "too large";
  } catch {
    // The client went away or broke its own framing; there is nobody to tell more.
    return signal.aborted ? "too late" : "broken";
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** All bytes, or null when there are more than the limit. */
async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(chunks, size);
    size += value.length;
    if (size > bytesMax) return null;
    chunks.push(value);
  }
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function bad(status: number, text: string): Body {
  return { kind: "bad", reply: textReply(text, status) };
}
