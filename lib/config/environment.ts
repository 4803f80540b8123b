import { parse } from "yaml";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { type KeyPath, type KnownKey, knownKeys } from "./key_table.ts";
import { nearest } from "./nearest.ts";

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

/** Lays the `PATRONI_*` variables over the file: they win. Empty ones count as not set. */
export function overlay(file: JsonObject, env: Readonly<Record<string, string>>): Overlaid {
  const byName = new Map(knownKeys().map((known) => [known.notes.env, known]));
  const origins = new Map<string, string>();
  const warnings: string[] = [];
  let values = file;
  for (const [name, text] of Object.entries(env).toSorted(([a], [b]) => a < b ? -1 : 1)) {
    if (!name.startsWith("PATRONI_") || text.trim() === "") continue;
    const known = byName.get(OLD_NAMES[name] ?? name);
    const path = known?.path ?? otherStorePath(name);
    if (path === null) {
      warnings.push(unknownVariable(name, [...byName.keys()].filter((key) => key !== undefined)));
      continue;
    }
    values = put(values, path, known === undefined ? text : variableValue(known, text));
    origins.set(path.join("."), name);
  }
  return { values, origins, warnings };
}

// An address such as `[::1]:5432` must stay text.
const LIST_OR_MAPPING = /^\s*(\[.*\]|\{.*\}|- .*)\s*$/s;

/** `text` as YAML when it is a list or mapping; commas are split where a list is expected. */
function variableValue(known: KnownKey, text: string): Json {
  if (known.isText || !LIST_OR_MAPPING.test(text)) return text;
  try {
    const parsed: unknown = parse(text, { logLevel: "silent" });
    return Array.isArray(parsed) || isJsonObject(parsed) ? parsed : text;
  } catch (error) {
    // Not YAML after all: the reader of the key judges the text.
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
