import { Refused } from "../base/errors.ts";
import { joinHostPort } from "../base/http.ts";
import type { Log } from "../base/log.ts";
import type { TlsMaterial } from "../net/tls.ts";
import type { Caller } from "./access.ts";
import type { HttpReply } from "./reply.ts";

/** One address that is listened on. */
export interface Listener {
  readonly port: number;
  /** New certificates for the connections from now on; nothing by plain http. */
  renew(material: TlsMaterial): void;
  /**
   * Gives the address back at once, lets the requests in work end, and waits at most `graceMs` for them. Silent
   * clients are not waited for. May be called again with less patience.
   */
  close(graceMs: number): Promise<void>;
}

/** What a listener is opened with. */
export interface ListenerOptions {
  /** An address without brackets. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Connections that may wait to be accepted; null: the system's own number. */
  readonly backlog: number | null;
  readonly log: Log;
  /** Never throws. */
  readonly serve: (request: Request, caller: Caller) => Promise<HttpReply>;
}

/** `Refused.code` when another socket has the address. */
export const IN_USE = "AddrInUse";
/** `Refused.code` when this host has no such address. */
export const NOT_HERE = "AddrNotAvailable";

const CODES: Readonly<Record<string, string>> = {
  EADDRINUSE: IN_USE,
  EADDRNOTAVAIL: NOT_HERE,
  EAFNOSUPPORT: NOT_HERE,
};

/** The error of an address that cannot be had, from Deno's or Node's. */
export function cannotListen(host: string, port: number, cause: unknown): Refused {
  const text = cause instanceof Error ? cause.message : String(cause);
  const name = cause instanceof Error ? cause.name : "";
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return new Refused(`Cannot listen on ${joinHostPort(host, port)}: ${text}`, CODES[code] ?? name, {
    cause,
  });
}
