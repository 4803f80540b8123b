import { readScheduledAt } from "../core/schedule.ts";

/** A moment that a person typed: ISO text with zone, null for now, or why it cannot be used. */
export type When =
  | { readonly kind: "at"; readonly iso: string | null }
  | { readonly kind: "bad"; readonly what: string; readonly next: string };

const NEXT = "Write it like 2030-05-01T02:00 (time zone of this host) or 2030-05-01T02:00+01:00.";

/** Reads `now`, or an ISO 8601 time; without a zone it is one of this host. `wallMs`: epoch milliseconds. */
export function readWhen(text: string | null, wallMs: number): When {
  if (text === null || text.trim() === "" || text.trim().toLowerCase() === "now") {
    return { kind: "at", iso: null };
  }
  const given = readScheduledAt(text, wallMs);
  const zoned = given.kind === "bad" && given.why === "no zone" ? withLocalZone(text) : text;
  const read = zoned === null ? given : readScheduledAt(zoned, wallMs);
  if (read.kind === "good") return { kind: "at", iso: isoOf(read.epochMs) };
  const what = read.why === "past"
    ? `the time "${text}" is in the past`
    : `"${text}" is no time that can be read`;
  return { kind: "bad", what, next: NEXT };
}

function withLocalZone(text: string): string | null {
  const local = text.trim().replace(" ", "T");
  const epochMs = Date.parse(local.includes("T") ? local : `${local}T00:00`);
  if (Number.isNaN(epochMs)) return null;
  const minutes = -new Date(epochMs).getTimezoneOffset();
  const two = (value: number): string => String(value).padStart(2, "0");
  const ahead = Math.abs(minutes);
  return `${text.trim()}${minutes < 0 ? "-" : "+"}${two(Math.trunc(ahead / 60))}:${
    two(ahead % 60)
  }`;
}

function isoOf(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/(?:\.000)?Z$/, "+00:00");
}
