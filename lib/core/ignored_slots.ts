import type { Json } from "../base/json.ts";
import { isJsonObject } from "../base/json.ts";
import type { Warn } from "./settings_values.ts";

/** Which slots an entry of `ignore_slots` means; null matches anything. */
export interface SlotMatcher {
  readonly name: string | null;
  readonly type: "physical" | "logical" | null;
  readonly database: string | null;
  readonly plugin: string | null;
}

const FIELDS = ["name", "type", "database", "plugin"] as const;
/** What cannot be read may mean any slot: one too many is kept rather than one of somebody else dropped. */
const ANY: SlotMatcher = { name: null, type: null, database: null, plugin: null };

/** Reads `ignore_slots` (spec 1.11). An unreadable entry counts as one for every slot, with a warning. */
export function readIgnoredSlots(value: Json | undefined, warn: Warn): readonly SlotMatcher[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map((entry) => readEntry(entry, warn));
  return [unreadable(value, warn)];
}

function readEntry(entry: Json, warn: Warn): SlotMatcher {
  if (!isJsonObject(entry)) return unreadable(entry, warn);
  const unknown = Object.keys(entry).find((key) => !FIELDS.some((field) => field === key));
  const texts = FIELDS.map((field) => entry[field] ?? "");
  const areTexts = texts.every((text) => typeof text === "string");
  const [name, type, database, plugin] = texts.map((text) => text === "" ? null : String(text));
  const isType = type === null || type === "physical" || type === "logical";
  if (unknown !== undefined || !areTexts || !isType) return unreadable(entry, warn);
  return { name: name ?? null, type, database: database ?? null, plugin: plugin ?? null };
}

function unreadable(value: Json, warn: Warn): SlotMatcher {
  warn(`ignore_slots: ${JSON.stringify(value)} cannot be read, so no slot is dropped`);
  return ANY;
}

/** True when the physical slot is not to be dropped; one for a database or a plugin never means such a slot. */
export function isIgnored(
  slot: { readonly name: string; readonly kind: "physical" | "logical" },
  matchers: readonly SlotMatcher[],
): boolean {
  return matchers.some(({ name, type, database, plugin }) =>
    (name === null || name === slot.name) && (type === null || type === slot.kind) &&
    (slot.kind === "logical" || (database === null && plugin === null))
  );
}
