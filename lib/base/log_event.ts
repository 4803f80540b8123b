import type { JsonObject } from "./json.ts";

/** Severities by the names of patroni.yml, the least first. */
export const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;

/** One of `LOG_LEVELS`. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Parts of the agent that log under a name of their own, `agent.<part>`. */
export const LOG_PARTS = [
  "api",
  "callbacks",
  "config",
  "lease",
  "log",
  "loop",
  "main",
  "switch",
  "tasks",
  "watchdog",
] as const;

/** One of `LOG_PARTS`. */
export type LogPart = typeof LOG_PARTS[number];

/** What happened, before it has a form. */
export interface LogEvent {
  readonly level: LogLevel;
  readonly part: LogPart;
  readonly message: string;
  /** Facts beside the sentence, for JSON lines. */
  readonly fields: JsonObject;
  /** The stack of a fault, lines and all; null: none, or not wanted at this level. */
  readonly trace: string | null;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

/** Where a fault's stack travels among the fields, under the name that Python's JSON lines give it. */
const TRACE_FIELD = "exc_info";

/** The fields that carry a fault's stack, none for what is no error. Whether it is shown is `log.traceback_level`'s. */
export function traced(fault: unknown): JsonObject {
  return fault instanceof Error && fault.stack !== undefined ? { [TRACE_FIELD]: fault.stack } : {};
}

/** Fields without the stack, and the stack. */
export function splitTrace(
  fields: JsonObject,
): { readonly fields: JsonObject; readonly trace: string | null } {
  const { [TRACE_FIELD]: trace, ...others } = fields;
  return { fields: others, trace: typeof trace === "string" ? trace : null };
}

/** True when `level` is at least as severe as `least`. */
export function reaches(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}
