import { configure, dispose, getLogger, getStreamSink } from "@logtape/logtape";
import type { LogLevel, LogRecord } from "@logtape/logtape";
import type { JsonObject } from "./json.ts";

/** What happened, one line each: info = a change, warn = degraded, error = a human is needed, critical = the end. */
export interface Log {
  debug(message: string, fields?: JsonObject): void;
  info(message: string, fields?: JsonObject): void;
  warn(message: string, fields?: JsonObject): void;
  error(message: string, fields?: JsonObject): void;
  critical(message: string, fields?: JsonObject): void;
}

/** How lines look and which are kept; level names as in patroni.yml `log.level`. */
export interface LogOptions {
  readonly level: "DEBUG" | "INFO" | "WARNING" | "ERROR";
  readonly type: "plain" | "json";
}

/** A log with its output; `close` writes what is still queued. */
export interface OpenLog {
  readonly log: Log;
  close(): Promise<void>;
}

/** Lines kept while the reader of stderr is slow; more are dropped, so that a blocked disk cannot stall the loop. */
const QUEUE_MAX = 1000;

/** Opens the process's log on stderr, as Patroni does. May be called once in a process, and again after `close`. */
export async function openLog(options: LogOptions): Promise<OpenLog> {
  const formatter = options.type === "json" ? jsonLine : plainLine;
  const stream = getStreamSink(Deno.stderr.writable, {
    formatter,
    closeStream: false,
    nonBlocking: { bufferSize: QUEUE_MAX, flushInterval: 20 },
  });
  await configure({
    reset: true,
    sinks: { stderr: stream },
    loggers: [
      { category: "agent", sinks: ["stderr"], lowestLevel: LEVELS[options.level] },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  return { log: tapeLog(), close: dispose };
}

/** Writes nothing; for tests and for commands that have no log. */
export const silentLog: Log = {
  debug(): void {},
  info(): void {},
  warn(): void {},
  error(): void {},
  critical(): void {},
};

/** Patroni's layout: `2026-01-31 12:00:00,123 INFO: message`, in local time. Line breaks become blanks. */
export function plainLine(record: LogRecord): string {
  const text = messageText(record).replaceAll(/\s*\n\s*/g, " ");
  return `${localTime(record.timestamp)} ${NAMES[record.level]}: ${text}\n`;
}

/** One JSON object a line: `time`, `level`, `message`, then the fields of the event. */
export function jsonLine(record: LogRecord): string {
  const { timestamp, level, properties } = record;
  const time = localTime(timestamp);
  return JSON.stringify({
    time,
    level: NAMES[level],
    message: messageText(record),
    ...properties,
  }) +
    "\n";
}

const LEVELS: Readonly<Record<LogOptions["level"], LogLevel>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warning",
  ERROR: "error",
};

const NAMES: Readonly<Record<LogLevel, string>> = {
  trace: "DEBUG",
  debug: "DEBUG",
  info: "INFO",
  warning: "WARNING",
  error: "ERROR",
  fatal: "CRITICAL",
};

function tapeLog(): Log {
  const logger = getLogger("agent");
  const emit = (level: LogLevel) => (message: string, fields: JsonObject = {}): void => {
    // LogTape would read braces in the text as placeholders: the text is data here.
    const rawMessage = message;
    logger.emit({
      level,
      message: [message],
      rawMessage,
      timestamp: Date.now(),
      properties: { ...fields },
    });
  };
  return {
    debug: emit("debug"),
    info: emit("info"),
    warn: emit("warning"),
    error: emit("error"),
    critical: emit("fatal"),
  };
}

function messageText(record: LogRecord): string {
  return record.message.map(String).join("");
}

function localTime(timestampMs: number): string {
  const at = new Date(timestampMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${day} ${time},${String(at.getMilliseconds()).padStart(3, "0")}`;
}
