import { parse } from "yaml";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { type KeyPath, type KnownKey, knownKeys } from "./key_table.ts";
import { commaParts } from "./values.ts";
import { nearest } from "../base/nearest.ts";

/** The file with the variables laid over it. */
export interface Overlaid {
  readonly values: JsonObject;
  /** The variable that a place came from, by dotted path. */
  readonly origins: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

const OTHER_STORES = ["etcd", "consul", "zookeeper", "exhibitor", "kubernetes", "raft", "citus"];

/** Names of Patroni before 1.6. They sort before the present ones, which so win over them. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  PATRONI_LOGFORMAT: "PATRONI_LOG_FORMAT",
  PATRONI_LOGLEVEL: "PATRONI_LOG_LEVEL",
  PATRONI_LOG_DATEFMT: "PATRONI_LOG_DATEFORMAT",
};

/**
 * Lays the `PATRONI_*` variables over the file: they win. Empty ones count as not set. A secret may also come from
 * `<variable>_FILE` or `<variable>_COMMAND`.
 */
export function overlay(file: JsonObject, env: Readonly<Record<string, string>>): Overlaid {
  const byName = new Map(knownKeys().map((known) => [variableOf(known), known]));
  const origins = new Map<string, string>();
  const warnings: string[] = [];
  let values = file;
  for (const [name, text] of Object.entries(env).toSorted(([a], [b]) => a < b ? -1 : 1)) {
    if (!name.startsWith("PATRONI_") || text.trim() === "") continue;
    const found = read(name, text, byName);
    if (found === null) {
      warnings.push(unknownVariable(name, [...byName.keys()]));
      continue;
    }
    values = put(values, found.path, found.value);
    origins.set(found.path.join("."), name);
  }
  return { values, origins, warnings };
}

/** The variable of a key: Patroni's where it has one, else the path in capitals, so that every key can be set by one. */
export function variableOf({ path, notes }: KnownKey): string {
  return notes.env ?? `PATRONI_${path.join("_").toUpperCase()}`;
}

type ByName = ReadonlyMap<string, KnownKey>;

function read(
  name: string,
  text: string,
  byName: ByName,
): { readonly path: KeyPath; readonly value: Json } | null {
  const known = byName.get(OLD_NAMES[name] ?? name);
  if (known !== undefined) return { path: known.path, value: variableValue(known, text) };
  const [, base, kind] = /^(.+)_(FILE|COMMAND)$/.exec(name) ?? [];
  const secret = byName.get(base ?? "");
  if (secret?.notes.secret === true && kind !== undefined) {
    return { path: secret.path, value: { [kind.toLowerCase()]: text } };
  }
  const path = otherStorePath(name);
  return path === null ? null : { path, value: text };
}

// An address such as `[::1]:5432` must stay text.
const LIST_OR_MAPPING = /^\s*(\[.*\]|\{.*\}|- .*)\s*$/s;

/** `text` as YAML when it is a list or mapping; braces and brackets may be left out where one is expected. */
function variableValue({ isText, notes }: KnownKey, text: string): Json {
  if (isText) return text;
  const isOpen = LIST_OR_MAPPING.test(text);
  if (notes.holds === "mapping" && !isOpen) {
    return parsedOr(text.includes("\n") ? text : `{${text}}`);
  }
  const parsed = isOpen ? parsedOr(text) : text;
  if (typeof parsed !== "string" || notes.holds !== "list") return parsed;
  return [...commaParts(text)];
}

/** The list or mapping that `text` is as YAML; else the text, for the reader of the key to judge. */
function parsedOr(text: string): Json {
  try {
    const parsed: unknown = parse(text, { logLevel: "error" });
    return Array.isArray(parsed) || isJsonObject(parsed) ? parsed : text;
  } catch (error) {
    if (error instanceof Error) return text;
    throw error;
  }
}

function otherStorePath(name: string): KeyPath | null {
  const section = OTHER_STORES.find((store) => name.startsWith(`PATRONI_${store.toUpperCase()}_`));
  return section === undefined ? null : [section, name.split("_").slice(2).join("_").toLowerCase()];
}

function unknownVariable(name: string, known: readonly string[]): string {
  if (name === "PATRONI_CONFIGURATION") return `${name}: ignored, a configuration file is given`;
  const near = nearest(name, known);
  return `${name}: unknown variable, ignored${near === null ? "" : `; did you mean ${near}?`}`;
}

/** A copy of `object` with `value` at `path`; what is no mapping on the way is replaced. */
export function put(object: JsonObject, path: KeyPath, value: Json): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) return object;
  const below = object[name];
  const next = rest.length === 0 ? value : put(isJsonObject(below) ? below : {}, rest, value);
  return { ...object, [name]: next };
}
