import type * as v from "valibot";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { entriesOf, type KeyNotes, notesOf } from "./key_notes.ts";
import { type KeyPath, knownKeys } from "./key_table.ts";
import { nearest } from "../base/nearest.ts";
import { fileSchema } from "./schema.ts";

/** Something to tell about a key besides the form of its value. */
export interface Finding {
  readonly kind: "unknown" | "not-yet" | "refused";
  readonly path: KeyPath;
  readonly message: string;
}

/** Looks at every key of the file: unknown ones with the nearest known one, and known ones that are not obeyed. */
export function review(values: JsonObject): readonly Finding[] {
  return reviewSection(fileSchema, values, []);
}

function reviewSection(schema: v.GenericSchema, values: JsonObject, path: KeyPath): Finding[] {
  const entries = entriesOf(schema) ?? {};
  const findings: Finding[] = [];
  for (const [name, value] of Object.entries(values)) {
    const place = [...path, name];
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    if (entry === undefined) findings.push(...unknownKey(place, Object.keys(entries), values));
    else findings.push(...reviewKey(entry, value, place));
  }
  return findings;
}

function reviewKey(entry: v.GenericSchema, value: Json, path: KeyPath): Finding[] {
  const notes = notesOf(entry);
  if (path.length === 3 && path[1] === "dcs") return []; // judged as the cluster's settings are
  const kind = notes?.status ?? "used";
  if (notes !== null && kind !== "used" && kind !== "unsupported" && isOn(value, notes)) {
    return [{ kind, path, message: sentence(kind, notes) }];
  }
  return isJsonObject(value) && entriesOf(entry) !== null ? reviewSection(entry, value, path) : [];
}

function isOn(value: Json, notes: KeyNotes): boolean {
  if (value === null || value === false || value === "") return false;
  if (Array.isArray(value)) return value.some((item) => isOn(item, notes));
  if (isJsonObject(value)) return Object.keys(value).length > 0;
  const text = String(value).toLowerCase();
  return !(notes.harmless ?? ["off", "false", "no"]).some((harmless) => String(harmless) === text);
}

function sentence(status: Finding["kind"], { meaning }: KeyNotes): string {
  if (status === "refused") return `not possible here: ${meaning}`;
  return `no effect in this version: ${meaning}`;
}

function unknownKey(path: KeyPath, siblings: readonly string[], section: JsonObject): Finding[] {
  const name = path.at(-1) ?? "";
  if (namedSections(path, section).includes(name)) return [];
  const near = nearest(name, siblings);
  if (path[0] === "tags") {
    const message = `a tag of your own; did you mean ${near}?`;
    return near === null ? [] : [{ kind: "unknown", path, message }];
  }
  const hint = near ?? elsewhere(name);
  const message = `unknown key, ignored${hint === null ? "" : `; did you mean ${hint}?`}`;
  return [{ kind: "unknown", path, message }];
}

/** Sections that the DBA names: bootstrap methods and ways to copy a member. */
function namedSections(path: KeyPath, section: JsonObject): readonly Json[] {
  if (path.length !== 2) return [];
  if (path[0] === "bootstrap") return [section["method"] ?? null];
  if (path[0] !== "postgresql") return [];
  const methods = section["create_replica_methods"] ?? section["create_replica_method"] ?? [];
  return Array.isArray(methods) ? methods : [methods];
}

function elsewhere(name: string): string | null {
  const same = knownKeys().find(({ path }) => path.at(-1) === name);
  return same === undefined ? null : same.path.join(".");
}
