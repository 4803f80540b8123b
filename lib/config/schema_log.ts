import * as v from "valibot";
import { parse } from "yaml";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { LOG_LEVELS, type LogLevel } from "../base/log_event.ts";
import { DEFAULT_FORMAT, FIELD_NAMES, fieldKind, parseFormat } from "../base/log_format.ts";
import type { JsonField } from "../base/log_layout.ts";
import { strangeDirective } from "../base/log_time.ts";
import { key } from "./key_notes.ts";
import { absolutePath, flag, form, type Reading, word } from "./values.ts";

/** Names that Python's logging takes besides. */
const LEVEL_ALIASES: Readonly<Record<string, LogLevel>> = { WARN: "WARNING", FATAL: "CRITICAL" };

/** A format as it was written: one printf-like text, or the fields of a JSON line. */
export type FormatValue = string | readonly JsonField[];

const MB = 1_000_000;

/** `log`: what is written about the agent's own work, and where. */
export const logSchema = v.optional(
  v.looseObject({
    level: key(v.optional(form(readLevel), "INFO"), "least severity that is written", {
      env: "PATRONI_LOG_LEVEL",
    }),
    type: key(v.optional(word(["plain", "json"]), "plain"), "form of a line", {
      env: "PATRONI_LOG_TYPE",
    }),
    traceback_level: key(
      v.optional(form(readLevel), "ERROR"),
      "stacks of faults are shown while lines of this severity are",
      { env: "PATRONI_LOG_TRACEBACK_LEVEL" },
    ),
    format: key(
      v.optional(form(readFormat), DEFAULT_FORMAT),
      "form of a plain line, or the fields of a JSON line",
      { env: "PATRONI_LOG_FORMAT" },
    ),
    dateformat: key(v.optional(form(readDateFormat)), "form of the time, as of strftime", {
      env: "PATRONI_LOG_DATEFORMAT",
    }),
    static_fields: key(v.optional(form(readFields), {}), "fields of every JSON line", {
      env: "PATRONI_LOG_STATIC_FIELDS",
    }),
    max_queue_size: key(v.optional(form(wholeFrom(1)), 1000), "lines waiting to be written", {
      env: "PATRONI_LOG_MAX_QUEUE_SIZE",
    }),
    dir: key(v.optional(absolutePath), "folder of log files; without it lines go to stderr", {
      env: "PATRONI_LOG_DIR",
    }),
    mode: key(v.optional(form(readMode)), "permissions of log files, octal", {
      env: "PATRONI_LOG_MODE",
    }),
    file_num: key(v.optional(form(wholeFrom(0)), 4), "older log files that are kept", {
      env: "PATRONI_LOG_FILE_NUM",
    }),
    file_size: key(v.optional(form(wholeFrom(0)), 25 * MB), "size at which a log file is closed", {
      unit: "B",
      env: "PATRONI_LOG_FILE_SIZE",
    }),
    loggers: key(v.optional(form(readLoggers), {}), "severity of single parts", {
      env: "PATRONI_LOG_LOGGERS",
    }),
    deduplicate_heartbeat_logs: key(
      v.optional(flag),
      "true: an unchanged heartbeat is written once; false: each time; not given: once a minute",
      { env: "PATRONI_LOG_DEDUPLICATE_HEARTBEAT_LOGS" },
    ),
  }, "a mapping"),
  {},
);

function readLevel(input: unknown): Reading<LogLevel> {
  const wanted = String(input).toUpperCase();
  const found = LEVEL_ALIASES[wanted] ?? LOG_LEVELS.find((level) => level === wanted);
  return found === undefined ? { expected: `one of ${LOG_LEVELS.join(", ")}` } : { value: found };
}

function readFormat(input: unknown): Reading<FormatValue> {
  if (Array.isArray(input)) return readJsonFields(input);
  if (typeof input !== "string") return { expected: "a format such as " + DEFAULT_FORMAT };
  const parsed = parseFormat(input);
  if (!("fault" in parsed)) return { value: input };
  return {
    expected: `placeholders such as %(levelname)s (${parsed.fault}; known: ${knownFields()})`,
  };
}

/** Each item is a field, or `{field: name in the line}`. */
function readJsonFields(items: readonly unknown[]): Reading<readonly JsonField[]> {
  const fields: JsonField[] = [];
  for (const item of items) {
    const pairs = typeof item === "string" ? [[item, item] as const] : entries(item);
    for (const [field, as] of pairs) {
      if (typeof as !== "string" || fieldKind(field) === "unknown") {
        return { expected: `a list of fields, each of ${knownFields()}, or {field: name}` };
      }
      fields.push({ field, as });
    }
  }
  if (fields.length === 0) return { expected: "a list of at least one field" };
  return { value: fields };
}

function entries(item: unknown): readonly (readonly [string, unknown])[] {
  const pairs = typeof item === "object" && item !== null ? Object.entries(item) : [];
  return pairs.length === 0 ? [["", item]] : pairs;
}

function knownFields(): string {
  return FIELD_NAMES.join(", ");
}

function readDateFormat(input: unknown): Reading<string> {
  const text = String(input);
  const strange = strangeDirective(text);
  if (strange === null) return { value: text };
  return { expected: `a form such as %Y-%m-%d %H:%M:%S (${strange} is not known)` };
}

/** A mapping; from a variable also as text, with or without braces. */
function mappingOf(input: unknown): JsonObject | null {
  if (typeof input !== "string") return asMapping(input);
  try {
    const text = /^\s*\{/.test(input) ? input : `{${input}}`;
    return asMapping(parse(text, { version: "1.1", logLevel: "error" }));
  } catch {
    return null; // no YAML: the caller says what was expected
  }
}

function asMapping(input: unknown): JsonObject | null {
  return isJsonObject(input) ? input : null;
}

function readFields(input: unknown): Reading<JsonObject> {
  const mapping = mappingOf(input);
  return mapping === null ? { expected: "a mapping" } : { value: mapping };
}

function readLoggers(input: unknown): Reading<Readonly<Record<string, LogLevel>>> {
  const mapping = mappingOf(input);
  if (mapping === null) return { expected: "a mapping of names to severities" };
  const levels: [string, LogLevel][] = [];
  for (const [name, value] of Object.entries(mapping)) {
    const level = readLevel(value satisfies Json);
    if ("expected" in level) return { expected: `for ${name} ${level.expected}` };
    levels.push([name, level.value]);
  }
  return { value: Object.fromEntries(levels) };
}

function wholeFrom(least: number): (input: unknown) => Reading<number> {
  return (input) => {
    const value = typeof input === "string" && /^\d+$/.test(input.trim()) ? Number(input) : input;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) {
      return { value };
    }
    return { expected: `a whole number from ${least} on` };
  };
}

/** `0644`, which YAML 1.1 reads as a number in base 8, or the same as text. */
function readMode(input: unknown): Reading<number> {
  const isOctal = typeof input === "string" && /^(?:0o?)?[0-7]{1,4}$/.test(input.trim());
  const value = isOctal ? parseInt(input.trim().replace(/^0o/, ""), 8) : input;
  const fits = typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0o777;
  return fits ? { value } : { expected: "permissions from 0 to 0777, octal" };
}
