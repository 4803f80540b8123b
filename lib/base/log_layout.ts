import type { Json, JsonObject } from "./json.ts";
import type { LogEvent } from "./log_event.ts";
import { DEFAULT_FORMAT, fieldValue, namesIn, parseFormat, plainText } from "./log_format.ts";

/** A field of a JSON line and the name that it is printed under. */
export interface JsonField {
  readonly field: string;
  readonly as: string;
}

/** How lines look. */
export type LogLayout =
  | {
    readonly type: "plain";
    /** printf-like, checked by `parseFormat`. */
    readonly format: string;
    /** strftime; null: Python's own form with milliseconds. */
    readonly dateFormat: string | null;
  }
  | {
    readonly type: "json";
    readonly fields: readonly JsonField[];
    readonly dateFormat: string | null;
    /** In every line, after all others. */
    readonly staticFields: JsonObject;
  };

/** Patroni's layout, `2026-01-31 12:00:00,123 INFO: message`. */
export const plainLayout: LogLayout = { type: "plain", format: DEFAULT_FORMAT, dateFormat: null };

/** The fields that a printf-like format becomes in JSON: its placeholders in order, each under its own name. */
export function jsonFields(format: string): readonly JsonField[] {
  return namesIn(format).map((name) => ({ field: name, as: name }));
}

/** The fields of Patroni's default format. */
export const defaultJsonFields: readonly JsonField[] = jsonFields(DEFAULT_FORMAT);

/** Makes lines of events, each with its line end. Throws `TypeError` for a format that was not checked. */
export function lineMaker(layout: LogLayout): (event: LogEvent) => string {
  return layout.type === "json" ? jsonLines(layout) : plainLines(layout);
}

/** An event is one line; the stack of a fault follows on lines of its own, as in Python. */
function plainLines(layout: Extract<LogLayout, { type: "plain" }>): (event: LogEvent) => string {
  const parsed = parseFormat(layout.format);
  if ("fault" in parsed) throw new TypeError(`Cannot use the log format: ${parsed.fault}`);
  return (event) => {
    const line = plainText(parsed.pieces, event, layout.dateFormat);
    return event.trace === null ? `${line}\n` : `${line}\n${event.trace.trimEnd()}\n`;
  };
}

/** The wanted fields, then those of the event, then the stack, then the static ones; the first of a name stays. */
function jsonLines(layout: Extract<LogLayout, { type: "json" }>): (event: LogEvent) => string {
  const { fields, dateFormat, staticFields } = layout;
  return (event) => {
    const trace = event.trace === null ? {} : { exc_info: event.trace };
    const line = new Map<string, Json>();
    for (const { field, as } of fields) line.set(as, fieldValue(field, event, dateFormat));
    for (const [name, value] of Object.entries({ ...event.fields, ...trace })) {
      if (!line.has(name)) line.set(name, value);
    }
    for (const [name, value] of Object.entries(staticFields)) {
      if (!line.has(name)) line.set(name, value);
    }
    return `${JSON.stringify(Object.fromEntries(line))}\n`;
  };
}
