import { configureSync, disposeSync, getLogger } from "@logtape/logtape";
import type { LogLevel as TapeLevel, LogRecord } from "@logtape/logtape";
import { isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { LOG_PARTS, reaches, splitTrace } from "./log_event.ts";
import type { LogEvent, LogLevel, LogPart } from "./log_event.ts";
import { lineMaker } from "./log_layout.ts";
import type { LogLayout } from "./log_layout.ts";
import { LogQueue } from "./log_queue.ts";
import type { LineOutput, QueueOptions } from "./log_queue.ts";
import { sourcedTrace } from "./sourced_trace.ts";

/**
 * What happened, one line each: info = a change, warn = degraded, error = a human is needed, critical = the end. No
 * call waits for the output. `fields` may carry the stack of a fault, by `traced`.
 */
export interface Log {
  debug(message: string, fields?: JsonObject): void;
  info(message: string, fields?: JsonObject): void;
  warn(message: string, fields?: JsonObject): void;
  error(message: string, fields?: JsonObject): void;
  critical(message: string, fields?: JsonObject): void;
}

/** The process's log, with a log for each part; its own lines are those of `main`. */
export interface PartedLog extends Log {
  part(name: LogPart): Log;
}

/** Which lines are kept and how they look. */
export interface LogOptions {
  /** The least severity that is written. */
  readonly level: LogLevel;
  /** Other least severities of single parts. */
  readonly partLevels: Readonly<Partial<Record<LogPart, LogLevel>>>;
  /** Stacks of faults are lines of this level: DEBUG shows them only while everything is shown. */
  readonly tracebackLevel: LogLevel;
  readonly layout: LogLayout;
  /** Lines that may wait for the output; more are dropped and counted. */
  readonly queueMax: number;
}

/** A log with its output. */
export interface OpenLog {
  readonly log: PartedLog;
  /** Lines that were never written since the start. */
  dropped(): number;
  /** From the next line on with these. The same output goes on as it is, another one is closed. */
  change(options: LogOptions, output: LineOutput): void;
  /** Writes what waits, for two seconds at most: a stuck output must not keep the process alive. */
  close(): Promise<void>;
}

/** How long the end of a process waits for its last lines. */
const CLOSE_MS = 2000;

/** Opens the process's log. May be called once in a process, and again after `close`. */
export function openLog(options: LogOptions, output: LineOutput): OpenLog {
  const queue = new LogQueue(queueOptions(options, output));
  configureTape(options, queue);
  return {
    log: { ...tapeLog("main"), part: tapeLog },
    dropped: () => queue.dropped,
    change: (changed, to) => {
      queue.change(queueOptions(changed, to));
      configureTape(changed, queue);
    },
    close: async () => {
      await queue.close(CLOSE_MS);
      disposeSync();
    },
  };
}

/** Writes nothing; for tests and for commands that have no log. */
export const silentLog: Log = {
  debug(): void {},
  info(): void {},
  warn(): void {},
  error(): void {},
  critical(): void {},
};

function queueOptions(options: LogOptions, output: LineOutput): QueueOptions {
  const line = lineMaker(options.layout);
  const notice = (dropped: number): string =>
    line({
      level: "WARNING",
      part: "log",
      message: `${dropped} log lines were dropped: the output was too slow or refused them`,
      fields: { dropped },
      trace: null,
      atMs: Date.now(),
    });
  return { output, max: options.queueMax, notice };
}

function configureTape(options: LogOptions, queue: LogQueue): void {
  const { level, partLevels, tracebackLevel, layout } = options;
  const line = lineMaker(layout);
  const sink = (record: LogRecord): void => {
    const event = eventOf(record);
    const least = partLevels[event.part] ?? level;
    const isTraced = event.trace !== null && reaches(tracebackLevel, least);
    const trace = isTraced ? sourcedTrace(event.trace) : null;
    queue.push(line({ ...event, trace }));
  };
  configureSync({
    reset: true,
    sinks: { queue: sink },
    loggers: [
      ...LOG_PARTS.map((part) => ({
        category: ["agent", part],
        sinks: ["queue"],
        lowestLevel: TAPE_LEVELS[partLevels[part] ?? level],
      })),
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
}

const TAPE_LEVELS: Readonly<Record<LogLevel, TapeLevel>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warning",
  ERROR: "error",
  CRITICAL: "fatal",
};

const LEVELS: Readonly<Record<TapeLevel, LogLevel>> = {
  trace: "DEBUG",
  debug: "DEBUG",
  info: "INFO",
  warning: "WARNING",
  error: "ERROR",
  fatal: "CRITICAL",
};

function eventOf({ category, level, message, properties, timestamp }: LogRecord): LogEvent {
  return {
    level: LEVELS[level],
    part: LOG_PARTS.find((part) => part === category.at(-1)) ?? "main",
    message: message.map(String).join(""),
    ...splitTrace(isJsonObject(properties) ? properties : {}),
    atMs: timestamp,
  };
}

function tapeLog(part: LogPart): Log {
  const logger = getLogger(["agent", part]);
  const emit = (level: TapeLevel) => (message: string, fields: JsonObject = {}): void => {
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
