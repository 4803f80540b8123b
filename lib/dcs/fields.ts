import { DecodeError } from "../base/errors.ts";
import { isJsonObject } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { lsnFromBytes } from "../core/lsn.ts";
import type { Lsn } from "../core/lsn.ts";
import { isWireObject } from "./wire_json.ts";
import type { WireJson } from "./wire_json.ts";

/** The text, or null when the field is absent, empty or no text. */
export function readText(value: WireJson | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** A whole number that is not negative, of any size, also when it is written as text; else null. */
export function readWhole(value: WireJson | undefined): bigint | null {
  if (typeof value === "bigint") return value >= 0n ? value : null;
  if (typeof value === "number") {
    return Number.isInteger(value) && value >= 0 ? BigInt(value) : null;
  }
  return typeof value === "string" && /^\d+$/.test(value) ? BigInt(value) : null;
}

/** A position in bytes, null when absent, unreadable or beyond 64 bits. */
export function readLsn(value: WireJson | undefined): Lsn | null {
  const bytes = readWhole(value);
  return bytes === null || bytes >= 1n << 64n ? null : lsnFromBytes(bytes);
}

/** A timeline: 1 to 2^32 - 1, else null. */
export function readTimeline(value: WireJson | undefined): number | null {
  const timeline = readWhole(value);
  return timeline !== null && timeline > 0n && timeline < 1n << 32n ? Number(timeline) : null;
}

/** The mapping in plain JSON, whole numbers beyond 2^53 being rounded; null when it is none. */
export function readObject(value: WireJson | undefined): JsonObject | null {
  const plain = value === undefined ? null : toPlain(value);
  return isJsonObject(plain) ? plain : null;
}

function toPlain(value: WireJson): Json {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (!isWireObject(value)) return value.map(toPlain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}

/** The value, or a `DecodeError` that says what `path` should have been. */
export function required<T>(path: string, expected: string, value: T | null): T {
  if (value === null) throw new DecodeError(path, `Cannot read ${path}: not ${expected}`);
  return value;
}
