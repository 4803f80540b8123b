import { createHash, timingSafeEqual } from "node:crypto";
import { basicAuthorization } from "../base/http.ts";
import type { AccessRules, Caller } from "./access.ts";
import { hostOf } from "./allowlist.ts";
import type { Allowlist } from "./allowlist.ts";
import { textReply } from "./reply.ts";
import type { HttpReply } from "./reply.ts";

const CHALLENGE = { "www-authenticate": 'Basic realm="Patroni"' };

/** One request at the door. */
export interface Visit {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly caller: Caller;
  /** The members' published addresses as last seen. */
  readonly memberUrls: readonly string[];
}

/**
 * The one access check (spec 3.1): GET, HEAD and OPTIONS are open. Everything else must come from an allowed address,
 * with a client certificate where the port asks for one, and with the configured name and password, in this order.
 * null: the request may pass.
 */
export async function guard(
  visit: Visit,
  rules: AccessRules,
  allowlist: Allowlist,
): Promise<HttpReply | null> {
  if (["GET", "HEAD", "OPTIONS"].includes(visit.method)) return null;
  const hosts = allowedHosts(visit, rules);
  if (hosts !== null && !await allowlist.has(visit.caller.address, hosts)) {
    return textReply("Access is denied", 403);
  }
  if (visit.caller.certificate === "missing") return textReply("client certificate required", 403);
  return checkLogin(visit.authorization, rules);
}

/**
 * null: from everywhere. The failsafe call comes from a leader that may have lost the store, and with it the view
 * that names the members: the members' addresses do not count for it.
 */
function allowedHosts(visit: Visit, rules: AccessRules): readonly string[] | null {
  const { allowlist, allowlistIncludeMembers } = rules;
  const withMembers = allowlistIncludeMembers && !/^\/failsafe(\/|$)/.test(visit.path);
  if (allowlist.length === 0 && !withMembers) return null;
  const members = withMembers ? visit.memberUrls.map(hostOf) : [];
  return [...allowlist, ...members.filter((host) => host !== null)];
}

/** The comparison takes the same time for every wrong answer. */
function checkLogin(header: string | null, { authentication }: AccessRules): HttpReply | null {
  if (authentication === null) return null;
  if (header === null) return textReply("no auth header received", 401, CHALLENGE);
  const expected = basicAuthorization(authentication);
  return isSame(header.trim(), expected) ? null : textReply("not authenticated", 401, CHALLENGE);
}

/** Digests have one length, so that not even the length of the secret shows. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
