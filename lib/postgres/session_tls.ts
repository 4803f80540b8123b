import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { systemAuthorities } from "../net/system_authorities.ts";
import { privateKey } from "../net/tls.ts";

/** libpq's connection options of a role, by their names. */
type Words = Readonly<Record<string, string>>;

/** One way to connect. */
export type Manner = "plain" | "tls";

/**
 * The ways that libpq tries one after the other for an sslmode (PostgreSQL docs, "SSL Mode Descriptions"); sockets of
 * this host are never encrypted.
 */
export function mannersOf(host: string, words: Words): readonly Manner[] {
  if (host.startsWith("/")) return ["plain"];
  switch (words["sslmode"] ?? (words["sslrootcert"] === "system" ? "verify-full" : "prefer")) {
    case "disable":
      return ["plain"];
    case "allow":
      return ["plain", "tls"];
    case "prefer":
      return ["tls", "plain"];
    default:
      return ["tls"];
  }
}

/**
 * `require` takes any certificate, with an authority given those of that authority; `verify-ca` any name. Files are
 * read anew for each connection, so that replaced ones count. Throws what reading them throws, and `TlsFault`.
 */
export function sessionTls(words: Words): ConnectionOptions {
  const mode = words["sslmode"] ?? "";
  const root = words["sslrootcert"];
  const checksName = mode === "verify-full" || root === "system";
  const checks = checksName || mode === "verify-ca" || (mode === "require" && root !== undefined);
  const pair = ownPair(words);
  return {
    rejectUnauthorized: checks,
    ...(root === undefined ? {} : { ca: authorities(root) }),
    ...(checksName ? {} : { checkServerIdentity: () => undefined }),
    ...(pair ?? {}),
  };
}

/**
 * With `channel_binding` "require" the login must prove, by the server's certificate, that nobody sits between; a
 * server that does not offer it gets no password. `isBound` tells whether it was offered, and so used.
 */
export function watchBinding(client: object, socket: Socket): { isBound(): boolean } {
  let isOffered = false;
  const connection: unknown = Reflect.get(client, "connection");
  if (connection instanceof EventEmitter) {
    connection.on("authenticationSASL", (message: unknown) => {
      isOffered = mechanismsIn(message).includes("SCRAM-SHA-256-PLUS");
      if (!isOffered) socket.destroy(NOT_BOUND);
    });
    for (const event of ["authenticationCleartextPassword", "authenticationMD5Password"]) {
      connection.prependListener(event, () => socket.destroy(NOT_BOUND));
    }
  }
  return { isBound: () => isOffered };
}

/** Why a login without channel binding is none. */
export const NOT_BOUND = new Error("channel binding is required and the server does not offer it");

function mechanismsIn(message: unknown): readonly unknown[] {
  const found = typeof message === "object" && message !== null && "mechanisms" in message
    ? message.mechanisms
    : [];
  return Array.isArray(found) ? found : [];
}

function authorities(root: string): string {
  return root === "system" ? systemAuthorities() : readFileSync(root, "utf8");
}

function ownPair(words: Words): { readonly cert: string; readonly key: string } | null {
  const { sslcert, sslkey, sslpassword = null } = words;
  if (sslcert === undefined) return null;
  const keyFile = sslkey ?? sslcert;
  const key = privateKey(keyFile, readFileSync(keyFile, "utf8"), { keyPassword: sslpassword });
  const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
  return { cert: readFileSync(sslcert, "utf8"), key: pem };
}
