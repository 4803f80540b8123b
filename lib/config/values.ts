import { isIP } from "node:net";
import * as v from "valibot";
import { joinHostPort } from "../base/http.ts";
import { plainText } from "../base/json.ts";
import { splitWords } from "../base/words.ts";
import type { ListenAddress } from "./agent_config.ts";

/** What a reader made of a value: the value, or what was expected instead. */
export type Reading<T> = { readonly value: T } | { readonly expected: string };

type Form<T> = v.SchemaWithPipe<readonly [v.UnknownSchema, v.RawTransformAction<unknown, T>]>;

/** A schema around a reader. Issue messages of this configuration are always the expected form. */
export function form<T>(read: (input: unknown) => Reading<T>): Form<T> {
  return v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const reading = read(dataset.value);
      if ("value" in reading) return reading.value;
      addIssue({ message: reading.expected, expected: reading.expected });
      return NEVER;
    }),
  );
}

/** Text with something in it and without line breaks. */
export const text = v.pipe(
  v.string("text"),
  v.regex(/^(?=.*\S)[^\r\n\0]*$/, "text on one line, not empty"),
);

/** The parts of `a, b`; each may stand in quotes, as in the compose files of Patroni: `'a:2379','b:2379'`. */
export function commaParts(text: string): readonly string[] {
  return text.split(",").map((part) => part.trim().replace(/^(['"])(.*)\1$/, "$2"));
}

/** A command line as its words, quotes and backslashes as in a shell; nothing is expanded. */
export const commandLine = form<readonly string[]>((input) => {
  const words = typeof input === "string" ? splitWords(input) : null;
  return words === null || words.length === 0 ? { expected: "a command line" } : { value: words };
});

/** A list of texts; one text counts as a list of one. */
export const lines = v.pipe(
  v.union([v.array(text, "a list of texts"), text], "a list of texts"),
  v.transform((value) => typeof value === "string" ? [value] : value),
);

/** One of these words, in any case. */
export function word<const T extends string>(words: readonly T[]): Form<T> {
  return form((input) => {
    const wanted = plainText(input).toLowerCase();
    const found = words.find((word) => word.toLowerCase() === wanted);
    return found === undefined ? { expected: `one of ${words.join(", ")}` } : { value: found };
  });
}

/** on, true, yes, 1 or off, false, no, 0 in any case and type; null for anything else. */
export function flagOf(input: unknown): boolean | null {
  const wanted = plainText(input).toLowerCase();
  if (["on", "true", "yes", "1"].includes(wanted)) return true;
  return ["off", "false", "no", "0"].includes(wanted) ? false : null;
}

/** A switch, as `flagOf` reads it. */
export const flag = form<boolean>((input) => {
  const value = flagOf(input);
  return value === null ? { expected: "true or false" } : { value };
});

/** A map of scalars as texts: `true` is `on`, as PostgreSQL writes it; null when it is none. */
export function textMapOf(input: unknown): Readonly<Record<string, string>> | null {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return null;
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(input)) {
    const read = scalarText(value);
    if (read === null) return null;
    entries.push([name, read]);
  }
  return Object.fromEntries(entries);
}

/** A map of scalars, as `textMapOf` reads it. */
export const texts = form<Readonly<Record<string, string>>>((input) => {
  const value = textMapOf(input);
  return value === null ? { expected: "a mapping of plain values" } : { value };
});

/** A scalar as PostgreSQL writes it; null for a list or mapping. */
export function scalarText(value: unknown): string | null {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value : null;
}

/** A name that can be one segment of a key in the store, a file name and an `application_name`. */
export const segment = form<string>((input) => {
  const safe = typeof input === "string" && /^[^\s/\p{Cc}]([^/\p{Cc}]*[^\s/\p{Cc}])?$/u.test(input);
  if (safe && input !== "." && input !== ".." && !RESERVED.includes(input)) return { value: input };
  return { expected: "a name without slashes, control characters and outer blanks" };
});

// What Patroni writes into synchronous_standby_names when nobody may be synchronous (4.1.4 and later).
const RESERVED = ["*", "__patroni_strict_sync_replica_placeholder__"];

/** An absolute path. */
export const absolutePath = v.pipe(
  text,
  v.regex(/^\//, "an absolute path"),
  v.transform((path) => path.replace(/(\/+\.?)+$/, "") || "/"),
);

/** `addr[,addr…][:port]`, `*` for every address, IPv6 in brackets. */
export function listen(defaultPort: number): Form<ListenAddress> {
  return form((input) => {
    const [, list, digits] = /^(.*?)(?::(\d+))?$/.exec(plainText(input).trim()) ?? [];
    const port = digits === undefined ? defaultPort : Number(digits);
    const hosts = (list ?? "").split(",").map((host) => bare(host.trim()));
    if (isPort(port) && hosts.every(isHost)) return { value: { hosts, port } };
    return { expected: "host:port, several hosts separated by commas, IPv6 in brackets" };
  });
}

/** `host:port` that others can reach, port included in the result; IPv6 keeps its brackets. */
export function reachable(defaultPort: number): Form<string> {
  return form((input) => {
    const parsed = splitHostPort(plainText(input).trim());
    const port = parsed?.port ?? defaultPort;
    const isWildcard = ["*", "0.0.0.0", "::"].includes(parsed?.host ?? "*");
    if (parsed === null || isWildcard || !isPort(port)) {
      return { expected: "host:port that other members can reach" };
    }
    return { value: joinHostPort(parsed.host, port) };
  });
}

/** Host (without brackets) and port of `host`, `host:port`, `[v6]:port`; null when it is none of these. */
export function splitHostPort(
  address: string,
): { readonly host: string; readonly port: number | null } | null {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/@]+))(?::(\d+))?$/
    .exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return null;
  const port = digits === undefined ? null : Number(digits);
  return port === null || isPort(port) ? { host, port } : null;
}

function bare(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

function isHost(host: string): boolean {
  if (host.includes(":") || /^[\d.]+$/.test(host)) return isIP(host) !== 0;
  return host === "*" || /^[0-9A-Za-z_.-]+$/.test(host);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}
