import * as v from "valibot";

/** How this version treats a key. */
export type KeyStatus =
  /** Read and obeyed. */
  | "used"
  /** Known to Patroni; harmless to leave out, so a remark is enough. */
  | "not-yet"
  /** A setting of the cluster, judged there; leaving it out would be dangerous: no agent leads while it is switched on. */
  | "unsupported"
  /** Cannot be combined with this program at all: a fault. */
  | "refused";

/** What a key means, for people and for the checks around the schema. */
export interface KeyNotes {
  readonly meaning: string;
  readonly status: KeyStatus;
  readonly unit?: string;
  /** Name of the environment variable that overrides the file. */
  readonly env?: string;
  readonly secret?: boolean;
  /** What a variable may write without brackets or braces: `a,b` and `a: 1, b: 2`. */
  readonly holds?: "list" | "mapping";
  /** Values under which a key that is not obeyed does no harm. */
  readonly harmless?: readonly (string | number | boolean)[];
}

/** Notes besides the meaning; the status is "used" when left out. */
export type MoreNotes = Partial<Omit<KeyNotes, "meaning">>;

/** A schema with the notes of its key. */
export type Noted<S extends v.GenericSchema> = v.SchemaWithPipe<
  readonly [S, v.MetadataAction<v.InferOutput<S>, { readonly notes: KeyNotes }>]
>;

/** One key of the file: its form and default (the schema) with what it means. */
export function key<S extends v.GenericSchema>(
  schema: S,
  meaning: string,
  more: MoreNotes = {},
): Noted<S> {
  const notes: KeyNotes = { meaning, status: "used", ...more };
  return v.pipe(schema, v.metadata({ notes }));
}

type Unread = Noted<v.OptionalSchema<v.UnknownSchema, undefined>>;

/** A key that is known and not obeyed; `status` says how bad that is. */
export function unread(
  status: Exclude<KeyStatus, "used" | "unsupported">,
  meaning: string,
  more: MoreNotes = {},
): Unread {
  return key(v.optional(v.unknown()), meaning, { ...more, status });
}

/** The notes of a key's schema; null for a plain section. */
export function notesOf(schema: v.GenericSchema): KeyNotes | null {
  const { notes } = v.getMetadata(schema);
  return isNotes(notes) ? notes : null;
}

function isNotes(value: unknown): value is KeyNotes {
  return typeof value === "object" && value !== null && "meaning" in value && "status" in value;
}

/** The keys below a mapping's schema, through `optional` and pipes; null for a leaf. */
export function entriesOf(
  schema: v.GenericSchema,
): Readonly<Record<string, v.GenericSchema>> | null {
  const inner = unwrap(schema);
  return "entries" in inner && isEntries(inner.entries) ? inner.entries : null;
}

/** The schema inside `optional` and pipes. */
export function unwrap(schema: v.GenericSchema): v.GenericSchema {
  if ("wrapped" in schema && isSchema(schema.wrapped)) return unwrap(schema.wrapped);
  return schema;
}

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "schema";
}

function isEntries(value: unknown): value is Readonly<Record<string, v.GenericSchema>> {
  return typeof value === "object" && value !== null && Object.values(value).every(isSchema);
}
