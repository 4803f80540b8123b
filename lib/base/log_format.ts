import type { Json } from "./json.ts";
import { LOG_LEVELS } from "./log_event.ts";
import type { LogEvent } from "./log_event.ts";
import { logTime } from "./log_time.ts";

/** A field of a line, as `%(name)s` of Python's logging names it. */
export type LogField = keyof typeof FIELDS;

/** How a field is printed: flags, width, precision and letter of printf. */
interface Spec {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | null;
  readonly letter: string;
}

/** A piece of a plain line. */
type Piece = { readonly text: string } | { readonly field: LogField; readonly spec: Spec };

/** `log.format` as pieces, or what is wrong with it. */
export type LogFormat = { readonly pieces: readonly Piece[] } | { readonly fault: string };

/** Patroni's default. */
export const DEFAULT_FORMAT = "%(asctime)s %(levelname)s: %(message)s";

const STARTED_MS = Date.now();

/** What each field of an event is. Numbers stay numbers, for JSON. */
const FIELDS = {
  asctime: ({ atMs }: LogEvent, dateFormat: string | null): Json => logTime(dateFormat, atMs),
  created: ({ atMs }: LogEvent): Json => atMs / 1000,
  levelname: ({ level }: LogEvent): Json => level,
  /** Python's numbers: 10 for DEBUG to 50 for CRITICAL. */
  levelno: ({ level }: LogEvent): Json => 10 * (LOG_LEVELS.indexOf(level) + 1),
  message: ({ message }: LogEvent): Json => message.replaceAll(/\s*\n\s*/g, " "),
  module: ({ part }: LogEvent): Json => part,
  msecs: ({ atMs }: LogEvent): Json => atMs % 1000,
  name: ({ part }: LogEvent): Json => `agent.${part}`,
  process: (): Json => Deno.pid,
  relativeCreated: ({ atMs }: LogEvent): Json => atMs - STARTED_MS,
};

/** Fields of Python's logging that have no counterpart here: printed as `-`, or 0 for a number. */
const MEANINGLESS = [
  "filename",
  "funcName",
  "lineno",
  "pathname",
  "processName",
  "taskName",
  "thread",
  "threadName",
];

/** How a name that a `log.format` uses is treated. */
export function fieldKind(name: string): "used" | "meaningless" | "unknown" {
  if (Object.hasOwn(FIELDS, name)) return "used";
  return MEANINGLESS.includes(name) ? "meaningless" : "unknown";
}

/** Every name that `log.format` may use, for messages. */
export const FIELD_NAMES: readonly string[] = Object.keys(FIELDS);

/** The value of a field; "-" for one that has no counterpart here. */
export function fieldValue(name: string, event: LogEvent, dateFormat: string | null): Json {
  return isField(name) ? FIELDS[name](event, dateFormat) : "-";
}

function isField(name: string): name is LogField {
  return Object.hasOwn(FIELDS, name);
}

const PLACEHOLDER = /%(?:%|\((\w*)\)([-#0 +]*)(\d*)(?:\.(\d+))?(.?))/gs;

/** The names in a printf-like format, in order. Throws nothing: what is no placeholder is no name. */
export function namesIn(format: string): readonly string[] {
  return Array.from(format.matchAll(PLACEHOLDER), ([, name]) => name ?? "").filter((name) =>
    name !== ""
  );
}

/** Reads a printf-like format with `%(name)s` placeholders. */
export function parseFormat(format: string): LogFormat {
  const pieces: Piece[] = [];
  const literals: string[] = [];
  let end = 0;
  for (const match of format.matchAll(PLACEHOLDER)) {
    literals.push(format.slice(end, match.index));
    pieces.push({ text: format.slice(end, match.index) });
    end = match.index + match[0].length;
    const piece = pieceOf(match);
    if ("fault" in piece) return piece;
    pieces.push(piece);
  }
  literals.push(format.slice(end));
  pieces.push({ text: format.slice(end) });
  const isStray = literals.some((text) => text.includes("%"));
  return isStray ? { fault: "a % that begins no placeholder" } : { pieces };
}

function pieceOf(match: RegExpExecArray): Piece | { readonly fault: string } {
  const [whole, name, flags = "", width = "", precision, letter = ""] = match;
  if (name === undefined) return { text: "%" };
  if (!/^[sdif]$/.test(letter)) return { fault: `${whole} ends in none of s, d, i, f` };
  const digits = precision === undefined ? null : Number(precision);
  const spec = { flags, width: Number(width), precision: digits, letter };
  if (isField(name)) return { field: name, spec };
  if (fieldKind(name) === "unknown") return { fault: `no field is named ${name}` };
  return { text: printed(letter === "s" ? "-" : 0, spec) };
}

/** The event in the form of the pieces, without a line end. */
export function plainText(
  pieces: readonly Piece[],
  event: LogEvent,
  dateFormat: string | null,
): string {
  return pieces.map((piece) =>
    "text" in piece ? piece.text : printed(FIELDS[piece.field](event, dateFormat), piece.spec)
  ).join("");
}

function printed(value: Json, { flags, width, precision, letter }: Spec): string {
  const text = letter === "s"
    ? String(value).slice(0, precision ?? undefined)
    : letter === "f"
    ? Number(value).toFixed(precision ?? 6)
    : String(Math.trunc(Number(value)));
  if (flags.includes("-")) return text.padEnd(width);
  return text.padStart(width, flags.includes("0") && letter !== "s" ? "0" : " ");
}
