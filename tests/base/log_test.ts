import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { openLog } from "../../lib/base/log.ts";
import type { LogOptions, OpenLog } from "../../lib/base/log.ts";
import { traced } from "../../lib/base/log_event.ts";
import type { LogEvent } from "../../lib/base/log_event.ts";
import { parseFormat } from "../../lib/base/log_format.ts";
import { defaultJsonFields, lineMaker, plainLayout } from "../../lib/base/log_layout.ts";
import type { LogLayout } from "../../lib/base/log_layout.ts";
import { strangeDirective } from "../../lib/base/log_time.ts";
import { MemoryOutput } from "./memory_output.ts";

function event(overrides: Partial<LogEvent> = {}): LogEvent {
  return {
    level: "INFO",
    part: "loop",
    message: "no action",
    fields: { rule: "lead" },
    trace: null,
    atMs: new Date(2026, 0, 31, 12, 0, 0, 7).getTime(),
    ...overrides,
  };
}

const plain = lineMaker(plainLayout);

function formatted(format: string, one = event(), dateFormat: string | null = null): string {
  return lineMaker({ type: "plain", format, dateFormat })(one).trimEnd();
}

Deno.test("the plain layout is Patroni's", () => {
  strictEqual(plain(event()), "2026-01-31 12:00:00,007 INFO: no action\n");
  match(plain(event({ level: "CRITICAL" })), / CRITICAL: /);
  match(plain(event({ level: "WARNING" })), / WARNING: /);
});

Deno.test("the plain layout keeps an event on one line, and gives the stack of a fault lines of its own", () => {
  match(plain(event({ message: "one\n  two" })), /INFO: one two\n$/);
  match(plain(event({ trace: "Error: x\n    at y\n" })), /INFO: no action\nError: x\n {4}at y\n$/);
});

Deno.test("log.format has Python's placeholders with widths, precisions and %%", () => {
  strictEqual(formatted("%(levelname)-8s|%(levelname)8s|%(levelname).2s"), "INFO    |    INFO|IN");
  strictEqual(
    formatted("%(levelno)s %(levelno)05d %(name)s %(module)s"),
    "20 00020 agent.loop loop",
  );
  strictEqual(formatted("100%% %(msecs)03d"), "100% 007");
  strictEqual(formatted("%(process)d"), String(Deno.pid));
  strictEqual(formatted("%(lineno)d %(threadName)s"), "0 -");
});

Deno.test("log.format names what it cannot print", () => {
  deepStrictEqual(parseFormat("%(levlname)s"), { fault: "no field is named levlname" });
  deepStrictEqual(parseFormat("%(message)q"), { fault: "%(message)q ends in none of s, d, i, f" });
  deepStrictEqual(parseFormat("50 %"), { fault: "a % that begins no placeholder" });
});

Deno.test("log.dateformat is strftime's, and a directive that is not known is named", () => {
  strictEqual(formatted("%(asctime)s", event(), "%d.%m.%y %H:%M"), "31.01.26 12:00");
  strictEqual(strangeDirective("%Y-%m %Q"), "%Q");
  strictEqual(strangeDirective("%H%"), "%");
  strictEqual(strangeDirective("%%Q %a %j"), null);
});

/** The line of an event in JSON, with the order of its names. */
function json(layout: Partial<LogLayout>, one = event()): readonly (readonly [string, unknown])[] {
  const line = lineMaker({
    type: "json",
    fields: defaultJsonFields,
    dateFormat: null,
    staticFields: {},
    ...layout,
  } as LogLayout)(one);
  strictEqual(line.indexOf("\n"), line.length - 1);
  return Object.entries(JSON.parse(line));
}

Deno.test("JSON lines carry Patroni's three fields, then those of the event, its stack and the static ones", () => {
  const staticFields = { app: "db", message: "not this one" };
  deepStrictEqual(json({ staticFields }, event({ trace: "Error: x\n at y" })), [
    ["asctime", "2026-01-31 12:00:00,007"],
    ["levelname", "INFO"],
    ["message", "no action"],
    ["rule", "lead"],
    ["exc_info", "Error: x\n at y"],
    ["app", "db"],
  ]);
});

Deno.test("JSON lines have the wanted fields under the wanted names, numbers as numbers", () => {
  const fields = [{ field: "levelno", as: "severity" }, { field: "message", as: "msg" }];
  deepStrictEqual(json({ fields }, event({ fields: {} })), [["severity", 20], [
    "msg",
    "no action",
  ]]);
});

const OPTIONS: LogOptions = {
  level: "INFO",
  partLevels: { api: "ERROR", lease: "DEBUG" },
  tracebackLevel: "ERROR",
  layout: { ...plainLayout, format: "%(name)s %(levelname)s %(message)s" } as LogLayout,
  queueMax: 100,
};

/** What a log writes that is opened with these options. */
async function written(options: LogOptions, use: (opened: OpenLog) => void): Promise<string[]> {
  const output = new MemoryOutput();
  const opened = openLog(options, output);
  use(opened);
  await opened.close();
  return output.text.trimEnd().split("\n");
}

Deno.test("openLog() keeps what the level of each part lets pass", async () => {
  const lines = await written(OPTIONS, ({ log }) => {
    log.debug("no");
    log.info("yes {braces} stay");
    log.part("api").warn("no");
    log.part("api").critical("yes");
    log.part("lease").debug("yes");
    log.part("loop").debug("no");
  });
  deepStrictEqual(lines, [
    "agent.main INFO yes {braces} stay",
    "agent.api CRITICAL yes",
    "agent.lease DEBUG yes",
  ]);
});

Deno.test("openLog() shows stacks while lines of the traceback level are shown", async () => {
  const fault = new Error("x");
  const stacksAt = async (options: Partial<LogOptions>): Promise<number> => {
    const lines = await written({ ...OPTIONS, ...options }, ({ log }) => {
      log.error("failed", traced(fault));
    });
    return lines.filter((line) => /^ +at /.test(line)).length;
  };
  strictEqual(await stacksAt({}) > 0, true);
  strictEqual(await stacksAt({ tracebackLevel: "DEBUG" }), 0);
  strictEqual(await stacksAt({ tracebackLevel: "DEBUG", level: "DEBUG" }) > 0, true);
});

Deno.test("change() puts levels, layout and output in force for the next line", async () => {
  const first = new MemoryOutput();
  const second = new MemoryOutput();
  const opened = openLog(OPTIONS, first);
  opened.log.info("one");
  await first.settled();
  opened.change({ ...OPTIONS, level: "DEBUG", layout: plainLayout }, second);
  opened.log.debug("two");
  await opened.close();
  strictEqual(first.text, "agent.main INFO one\n");
  match(second.text, /^\d{4}-.* DEBUG: two\n$/);
  deepStrictEqual([first.isClosed, second.isClosed], [true, true]);
});
