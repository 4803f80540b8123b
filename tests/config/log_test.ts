import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { readConfig } from "../../lib/config/load.ts";
import { configOf, errorOf, faultPaths, file } from "./files.ts";

Deno.test("readConfig() logs as Patroni does unless it is told otherwise", () => {
  deepStrictEqual(configOf().log, {
    level: "INFO",
    partLevels: {},
    tracebackLevel: "ERROR",
    layout: { type: "plain", format: "%(asctime)s %(levelname)s: %(message)s", dateFormat: null },
    queueMax: 1000,
    files: null,
    foldHeartbeats: null,
  });
});

Deno.test("readConfig() reads a section log with everything in it", () => {
  const { log, warnings } = configOf(["log", {
    level: "warn",
    traceback_level: "DEBUG",
    type: "plain",
    format: "%(levelname)s %(message)s",
    dateformat: "%H:%M",
    max_queue_size: 5,
    dir: "/var/log/patroni/",
    mode: 0o640,
    file_num: 2,
    file_size: "1000",
    loggers: { "patroni.ha": "DEBUG", "agent.api": "FATAL", patroni: "ERROR" },
    deduplicate_heartbeat_logs: true,
  }]);
  deepStrictEqual(log, {
    level: "ERROR",
    partLevels: { loop: "DEBUG", api: "CRITICAL" },
    tracebackLevel: "DEBUG",
    layout: { type: "plain", format: "%(levelname)s %(message)s", dateFormat: "%H:%M" },
    queueMax: 5,
    files: { dir: "/var/log/patroni", count: 2, sizeMax: 1000, mode: 0o640 },
    foldHeartbeats: true,
  });
  deepStrictEqual(warnings, []);
});

Deno.test("readConfig() reads the fields of JSON lines as text, list and list of new names", () => {
  const fieldsOf = (format: string | readonly (string | Record<string, string>)[]): unknown => {
    const { layout } = configOf(["log", { type: "json", format, static_fields: { app: "x" } }]).log;
    return layout.type === "json" ? [layout.fields, layout.staticFields] : layout;
  };
  const two = [{ field: "levelname", as: "levelname" }, { field: "message", as: "message" }];
  deepStrictEqual(fieldsOf("%(levelname)s: %(message)s"), [two, { app: "x" }]);
  deepStrictEqual(fieldsOf(["levelname", "message"]), [two, { app: "x" }]);
  deepStrictEqual(fieldsOf(["levelname", { message: "msg" }]), [
    [two[0], { field: "message", as: "msg" }],
    { app: "x" },
  ]);
});

Deno.test("readConfig() reads modes as octal numbers and as text, and only up to 0777", () => {
  const yaml = (mode: string): string => `${file()}log:\n  dir: /x\n  mode: ${mode}\n`;
  const modeOf = (mode: string): unknown => readConfig("p.yml", yaml(mode), {}).log.files?.mode;
  deepStrictEqual([modeOf("0640"), modeOf('"0640"'), modeOf("0")], [0o640, 0o640, 0]);
  match(errorOf(yaml("01000")).message, /log\.mode.*from 0 to 0777/);
});

Deno.test("readConfig() names a placeholder, directive, level or size that cannot be", () => {
  deepStrictEqual(
    faultPaths(
      ["log.format", "%(levlname)s"],
      ["log.dateformat", "%Q"],
      ["log.level", "LOUD"],
      ["log.max_queue_size", 0],
      ["log.file_num", -1],
      ["log.loggers", { api: "LOUD" }],
      ["log.dir", "logs"],
    ),
    [
      "log.format",
      "log.dateformat",
      "log.level",
      "log.max_queue_size",
      "log.file_num",
      "log.loggers",
      "log.dir",
    ],
  );
  match(errorOf(file(["log.format", "%(levlname)s"])).message, /no field is named levlname/);
  match(errorOf(file(["log.format", ["nonsense"]])).message, /each of asctime, /);
});

Deno.test("readConfig() remarks on what no line of this program can show", () => {
  const { warnings } = configOf(["log", {
    format: "%(filename)s %(message)s",
    loggers: { urllib3: "DEBUG", "agent.watchdogs": "DEBUG" },
    static_fields: { app: "x" },
  }]);
  strictEqual(warnings.length, 4);
  match(warnings[0] ?? "", /log\.format: filename has no counterpart/);
  match(warnings[1] ?? "", /log\.loggers\.urllib3: no part .* known are agent\.api, /);
  match(warnings[2] ?? "", /did you mean agent\.watchdog\?/);
  match(warnings[3] ?? "", /log\.static_fields: counts only with type: json/);
});

Deno.test("readConfig() takes all of the section from variables, also by their old names", () => {
  const { log, warnings } = readConfig("p.yml", file(), {
    PATRONI_LOGLEVEL: "DEBUG",
    PATRONI_LOGFORMAT: "%(message)s",
    PATRONI_LOG_DATEFMT: "%H",
    PATRONI_LOG_TRACEBACK_LEVEL: "INFO",
    PATRONI_LOG_MAX_QUEUE_SIZE: "7",
    PATRONI_LOG_DIR: "/x",
    PATRONI_LOG_MODE: "0600",
    PATRONI_LOG_FILE_NUM: "1",
    PATRONI_LOG_FILE_SIZE: "9",
    PATRONI_LOG_LOGGERS: "patroni.ha: WARNING, api: ERROR",
    PATRONI_LOG_STATIC_FIELDS: "{app: x}",
    PATRONI_LOG_TYPE: "json",
    PATRONI_LOG_DEDUPLICATE_HEARTBEAT_LOGS: "off",
  });
  deepStrictEqual(log, {
    level: "DEBUG",
    partLevels: { loop: "WARNING", api: "ERROR" },
    tracebackLevel: "INFO",
    layout: {
      type: "json",
      fields: [{ field: "message", as: "message" }],
      dateFormat: "%H",
      staticFields: { app: "x" },
    },
    queueMax: 7,
    files: { dir: "/x", count: 1, sizeMax: 9, mode: 0o600 },
    foldHeartbeats: false,
  });
  deepStrictEqual(warnings, []);
});

Deno.test("readConfig() prefers the present name of a variable to the old one", () => {
  const { level } = readConfig("p.yml", file(), {
    PATRONI_LOG_LEVEL: "ERROR",
    PATRONI_LOGLEVEL: "DEBUG",
  }).log;
  strictEqual(level, "ERROR");
});
