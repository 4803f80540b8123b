/** Who may do what, and what every answer carries; changes when the configuration is read again. */
export interface AccessRules {
  /** Who may use the unsafe methods; null: everybody. */
  readonly authentication: { readonly username: string; readonly password: string } | null;
  /** Addresses, networks (CIDR) and host names that unsafe methods may come from; empty: from everywhere. */
  readonly allowlist: readonly string[];
  /** The hosts of the members' api_url may use them too. */
  readonly allowlistIncludeMembers: boolean;
  /** Sent with every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent with every answer by HTTPS. */
  readonly httpsHeaders: Readonly<Record<string, string>>;
  /** `Server` header; null: the program and its version. */
  readonly serverName: string | null;
}

/** Everybody may do everything. */
export const OPEN_ACCESS: AccessRules = {
  authentication: null,
  allowlist: [],
  allowlistIncludeMembers: false,
  headers: {},
  httpsHeaders: {},
  serverName: null,
};

/** The other end of one connection. */
export interface Caller {
  /** Without the `::ffff:` of an IPv4 address on a socket for both families. */
  readonly address: string;
  readonly scheme: "http" | "https";
  /** "not asked": by plain http, or the port asks for none. */
  readonly certificate: "not asked" | "missing" | "verified";
}

/** The address of a socket as people write it. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}
