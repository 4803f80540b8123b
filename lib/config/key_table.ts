import type * as v from "valibot";
import { entriesOf, type KeyNotes, notesOf, unwrap } from "./key_notes.ts";
import { fileSchema } from "./schema.ts";

/** A place in the file, outermost key first. */
export type KeyPath = readonly string[];

/** One known key with its place. */
export interface KnownKey {
  readonly path: KeyPath;
  readonly notes: KeyNotes;
  /** The value is text whatever it looks like: `0123` stays `0123`. */
  readonly isText: boolean;
}

/** Every known key of the file, in the order of the schema: for documents, variables and nearest names. */
export function knownKeys(): readonly KnownKey[] {
  return walk(fileSchema, []);
}

function walk(schema: v.GenericSchema, path: KeyPath): readonly KnownKey[] {
  const notes = notesOf(schema);
  const own = notes === null ? [] : [{ path, notes, isText: unwrap(schema).type === "string" }];
  const entries = Object.entries(entriesOf(schema) ?? {});
  return [...own, ...entries.flatMap(([name, entry]) => walk(entry, [...path, name]))];
}

/** The known key at this place, or null. */
export function knownKey(path: KeyPath): KnownKey | null {
  return knownKeys().find((known) => known.path.join(".") === path.join(".")) ?? null;
}
