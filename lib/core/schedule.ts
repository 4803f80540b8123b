import type { Json } from "../base/json.ts";

/** A moment that an operator named, or why it cannot be used. */
export type ScheduledAt =
  | { readonly kind: "good"; readonly epochMs: number }
  | { readonly kind: "bad"; readonly why: "no zone" | "past" | "unreadable" };

const ISO =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

/** Reads an ISO 8601 time; it needs a zone and must not be before `wallMs` (epoch milliseconds). */
export function readScheduledAt(value: Json | undefined, wallMs: number): ScheduledAt {
  const [, day, minutes = "00:00", seconds = ":00", zone] = typeof value === "string"
    ? ISO.exec(value.trim()) ?? []
    : [];
  if (day === undefined) return { kind: "bad", why: "unreadable" };
  const epochMs = Date.parse(`${day}T${minutes}${seconds}${zoneText(zone)}`);
  if (Number.isNaN(epochMs)) return { kind: "bad", why: "unreadable" };
  if (zone === undefined) return { kind: "bad", why: "no zone" };
  return epochMs < wallMs ? { kind: "bad", why: "past" } : { kind: "good", epochMs };
}

/** `Date.parse` wants `+01:00`; people also write `+0100` and `+01`. */
function zoneText(zone: string | undefined): string {
  if (zone === undefined || zone.toUpperCase() === "Z") return "Z";
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  return `${zone.slice(0, 1)}${digits.slice(0, 2)}:${digits.slice(2)}`;
}
