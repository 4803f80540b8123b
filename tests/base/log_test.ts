import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { jsonLine, plainLine } from "../../lib/base/log.ts";

function record(overrides: Partial<LogRecord> = {}): LogRecord {
  return {
    category: ["agent"],
    level: "info",
    message: ["no action"],
    rawMessage: "no action",
    timestamp: new Date(2026, 0, 31, 12, 0, 0, 7).getTime(),
    properties: { rule: "lead" },
    ...overrides,
  };
}

Deno.test("plainLine() has Patroni's layout", () => {
  strictEqual(plainLine(record()), "2026-01-31 12:00:00,007 INFO: no action\n");
  match(plainLine(record({ level: "fatal" })), / CRITICAL: /);
  match(plainLine(record({ level: "warning" })), / WARNING: /);
});

Deno.test("plainLine() keeps an event on one line", () => {
  match(plainLine(record({ message: ["one\n  two"] })), /INFO: one two\n$/);
});

Deno.test("jsonLine() carries time, level, message and fields", () => {
  deepStrictEqual(JSON.parse(jsonLine(record())), {
    time: "2026-01-31 12:00:00,007",
    level: "INFO",
    message: "no action",
    rule: "lead",
  });
});
