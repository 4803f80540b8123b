import { kindOf } from "../base/decode.ts";
import { ConfigError, type ConfigFault } from "../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { type KeyPath, knownKeys } from "./key_table.ts";

/** Where the values came from: enough to name file, line and variable of a place. */
export interface Sources {
  readonly values: JsonObject;
  /** The variable that a place came from, by dotted path. */
  readonly origins: ReadonlyMap<string, string>;
  readonly spotOf: (path: KeyPath) => Spot;
}

/** A place in a file; null: in none. */
export interface Spot {
  readonly file: string | null;
  readonly line: number | null;
}

/** A fault at `path`: what was expected and what is there; secrets are not repeated. */
export function faultAt(sources: Sources, path: KeyPath, expected: string): ConfigFault {
  const found = describe(path, valueAt(sources.values, path));
  return place(sources, path, `expected ${expected}, found ${found}`);
}

/** A fault or remark with its place: file and line, or the variable. */
export function place(sources: Sources, path: KeyPath, message: string): ConfigFault {
  const variable = originOf(sources, path);
  const dotted = path.map(keyName).join(".");
  if (variable === null) return { ...sources.spotOf(path), path: dotted, message };
  return { file: null, line: null, path: dotted, message: `${message} (from ${variable})` };
}

/** A forgotten blank makes `password:secret` one key: what follows the colon is not repeated. */
function keyName(segment: string): string {
  return segment.replace(/:[^]*/, ":…").slice(0, SHOWN_MAX);
}

/** One line for people: `patroni.yml:12: scope: expected …`. */
export function printFault({ file, line, path, message }: ConfigFault): string {
  const at = file === null ? "environment" : line === null ? file : `${file}:${line}`;
  return path === "" ? `${at}: ${message}` : `${at}: ${path}: ${message}`;
}

/**
 * All faults as one error; its message has a line for each, in the order of the file, then the remarks: an unknown
 * key beside a missing one is often the same key.
 */
export function configError(
  file: string,
  faults: readonly ConfigFault[],
  more: ErrorOptions & { readonly remarks?: readonly string[] } = {},
): ConfigError {
  const sorted = faults.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0));
  const count = sorted.length === 1 ? "1 fault" : `${sorted.length} faults`;
  const message = [
    `Cannot use ${file}: ${count}`,
    ...sorted.map(printFault),
    ...(more.remarks ?? []),
  ];
  return new ConfigError(message.join("\n"), sorted, more);
}

/** The value at a place, `undefined` when there is none. */
export function valueAt(values: Json, path: KeyPath): Json | undefined {
  let value: Json | undefined = values;
  for (const name of path) {
    if (Array.isArray(value)) value = value[Number(name)];
    else if (isJsonObject(value) && Object.hasOwn(value, name)) value = value[name];
    else return undefined;
  }
  return value;
}

/** The mapping at a place; an empty one when there is none. */
export function objectAt(values: JsonObject, path: KeyPath): JsonObject {
  const value = valueAt(values, path);
  return isJsonObject(value) ? value : {};
}

function originOf({ origins, spotOf }: Sources, path: KeyPath): string | null {
  for (let length = path.length; length > 0; length--) {
    const variable = origins.get(path.slice(0, length).join("."));
    if (variable !== undefined) return variable;
  }
  if (spotOf(path).line !== null) return null;
  // A section that is in no file may stand there by one of its keys.
  const below = [...origins].find(([place]) => place.startsWith(`${path.join(".")}.`));
  return below?.[1] ?? null;
}

const SHOWN_MAX = 60;

function describe(path: KeyPath, value: Json | undefined): string {
  const isScalar = typeof value === "string" || typeof value === "number" ||
    typeof value === "boolean";
  if (!isScalar || holdsSecret(path)) return kindOf(value);
  const text = JSON.stringify(value);
  if (text.includes("@")) return kindOf(value); // name and password of a URL stand before it
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** Also a section with a secret below it: `authentication: name:password` is an easy mistake. */
function holdsSecret(path: KeyPath): boolean {
  const dotted = path.join(".");
  return knownKeys().some(({ path: place, notes }) =>
    notes.secret === true && `${place.join(".")}.`.startsWith(`${dotted}.`)
  );
}
