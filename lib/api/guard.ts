import { createHash, timingSafeEqual } from "node:crypto";
import { textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

const CHALLENGE = { "www-authenticate": 'Basic realm="Patroni"' };

/**
 * The one access check (spec 3.1): GET, HEAD and OPTIONS are open, everything else needs the configured name and
 * password. null: the request may pass. The comparison takes the same time for every wrong answer.
 */
export function guard(
  request: Request,
  authentication: { readonly username: string; readonly password: string } | null,
): HttpReply | null {
  if (["GET", "HEAD", "OPTIONS"].includes(request.method)) return null;
  if (authentication === null) return null;
  const header = request.headers.get("authorization");
  if (header === null) return textReply("no auth header received", 401, CHALLENGE);
  const { username, password } = authentication;
  const expected = `Basic ${base64(`${username}:${password}`)}`;
  return isSame(header.trim(), expected) ? null : textReply("not authenticated", 401, CHALLENGE);
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/** Digests have one length, so that not even the length of the secret shows. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
