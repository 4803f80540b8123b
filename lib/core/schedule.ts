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

/** Status and text of spec 3.5 for a moment that cannot be used. */
export function badSchedule(
  why: Extract<ScheduledAt, { kind: "bad" }>["why"],
  what: "restart" | "switchover",
): { readonly status: number; readonly text: string } {
  if (why === "no zone") {
    return { status: 400, text: `Timezone information is mandatory for the scheduled ${what}` };
  }
  if (why === "past") return { status: 422, text: `Cannot schedule ${what} in the past` };
  const form = "It should be in an unambiguous format, e.g. ISO 8601";
  return { status: 422, text: `Unable to parse scheduled timestamp. ${form}` };
}

/** An ISO time with zone, as Patroni writes moments into the store. */
export function printMoment(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/(?:\.000)?Z$/, "+00:00");
}

/** `Date.parse` wants `+01:00`; people also write `+0100` and `+01`. */
function zoneText(zone: string | undefined): string {
  if (zone === undefined || zone.toUpperCase() === "Z") return "Z";
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  return `${zone.slice(0, 1)}${digits.slice(0, 2)}:${digits.slice(2)}`;
}
