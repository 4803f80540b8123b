import type { RoleLogin } from "./options.ts";

/** Where a member's server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** null: the URL names none. */
  readonly database: string | null;
}

/** Reads `postgres://host:port/database` as members publish it, IPv6 in brackets; null when it is none. */
export function parseConnUrl(url: string): ServerAddress | null {
  const match = /^postgres(?:ql)?:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/?]+)(?::(\d+))?(?:\/([^?]*))?/
    .exec(url);
  const host = match?.[1];
  if (host === undefined) return null;
  const database = match?.[3] ?? "";
  return {
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(match?.[2] ?? 5432),
    database: database === "" ? null : decodeURIComponent(database),
  };
}

/** What a standby needs to stream from `address`. */
export interface StandbyLink {
  readonly address: ServerAddress;
  readonly login: RoleLogin;
  readonly krbsrvname?: string | null;
  readonly defaultDatabase: string;
  /** Path of the file with the password. */
  readonly passfile: string;
  readonly applicationName: string;
  /** e.g. 15. */
  readonly majorVersion: number;
}

const ORDER = [
  "dbname",
  "user",
  "passfile",
  "host",
  "port",
  "sslmode",
  "sslcompression",
  "sslcert",
  "sslkey",
  "sslpassword",
  "sslrootcert",
  "sslcrl",
  "sslcrldir",
  "application_name",
  "krbsrvname",
  "gssencmode",
  "channel_binding",
  "target_session_attrs",
  "sslnegotiation",
] as const;
const SINCE: Readonly<Record<string, number>> = {
  gssencmode: 12,
  channel_binding: 13,
  sslpassword: 13,
  sslcrldir: 14,
  sslnegotiation: 17,
};
const DEFAULTS: Readonly<Record<string, string>> = {
  sslmode: "prefer",
  gssencmode: "prefer",
  channel_binding: "prefer",
  sslnegotiation: "postgres",
};

/** The value of primary_conninfo: libpq words in a fixed order, the password by file only. */
export function primaryConninfo(link: StandbyLink): string {
  const { address, login } = link;
  const values: Record<string, string> = {
    ...DEFAULTS,
    ...login.options,
    dbname: address.database ?? link.defaultDatabase,
    user: login.username,
    host: address.host,
    port: String(address.port),
    application_name: link.applicationName,
  };
  if (login.password !== null) values["passfile"] = link.passfile;
  const { krbsrvname = null } = link;
  if (krbsrvname !== null) values["krbsrvname"] = krbsrvname;
  const known = ORDER.filter((key) => isKnown(key, link.majorVersion));
  return printConninfo(known.flatMap((key) => {
    const value = values[key];
    return value === undefined ? [] : [[key, value] as const];
  }));
}

/** Does libpq of this version (e.g. 15) know the word? It refuses a whole text for one that it does not know. */
export function isKnown(word: string, majorVersion: number): boolean {
  return (SINCE[word] ?? 0) <= majorVersion;
}

/** Prints `key=value` words; blanks, quotes and backslashes get a backslash, an empty value quotes. */
export function printConninfo(pairs: readonly (readonly [string, string])[]): string {
  const quote = (value: string): string =>
    value === "" ? "''" : value.replace(/[\s'\\]/g, (character) => `\\${character}`);
  return pairs.map(([key, value]) => `${key}=${quote(value)}`).join(" ");
}

/** Reads a conninfo text of `key=value` words, quoted or with backslashes; what does not fit ends the reading. */
export function parseConninfo(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const word = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\[\s\S])*)'|((?:[^\s\\]|\\[\s\S])*))/y;
  for (let match = word.exec(text); match !== null; match = word.exec(text)) {
    const [, key, quoted, plain] = match;
    if (key !== undefined) found[key] = (quoted ?? plain ?? "").replace(/\\([\s\S])/g, "$1");
  }
  return found;
}
