import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ConfigError, DcsUnreachable } from "../../lib/base/errors.ts";
import type { Faces } from "../../lib/cli/faces.ts";
import { runProgram } from "../../lib/cli/program.ts";
import { AGENT_VERSION } from "../../lib/core/version.ts";
import { world } from "./faces.ts";

/** What a command line started, and what it printed. */
interface Trial {
  readonly code: number;
  readonly calls: readonly unknown[];
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], overrides: Partial<Faces> = {}): Promise<Trial> {
  const { context, out, err } = world();
  const calls: unknown[] = [];
  const record = (...call: readonly unknown[]): Promise<number> => {
    calls.push(call);
    return Promise.resolve(0);
  };
  const code = await runProgram(args, {
    output: context.output,
    env: {},
    runDaemon: (path) => record("daemon", path),
    validate: (path, wish) => record("validate", path, wish),
    generateConfig: (wish) => record("generate", wish),
    open: async (path, manner) => (await record("open", path, manner), { ...context, ...manner }),
    list: () => record("list"),
    history: () => record("history"),
    handover: (_context, wish) => record("handover", wish),
    detach: () => record("detach"),
    pause: (_context, options) => record("pause", options),
    explain: (_output, options) => record("explain", options),
    recordingOf: (path) => Promise.resolve(`${path}.ticks`),
    version: (_output, format) => record("version", format),
    ...overrides,
  });
  return { code, calls, out: out.join(""), err: err.join("") };
}

const WISH = { print: false, ignoreListenPort: false, format: "pretty" };

const STARTED: readonly (readonly [string, readonly unknown[]])[] = [
  ["/etc/patroni.yml", [["daemon", "/etc/patroni.yml"]]],
  ["patroni", [["daemon", "patroni"]]],
  ["--validate-config x.yml", [["validate", "x.yml", WISH]]],
  ["x.yml --validate-config --print -i", [
    ["validate", "x.yml", { ...WISH, print: true, ignoreListenPort: true }],
  ]],
  ["validate x.yml", [["validate", "x.yml", WISH]]],
  ["validate -c conf.d --format json --print", [
    ["validate", "conf.d", { ...WISH, print: true, format: "json" }],
  ]],
  ["validate", [["validate", "patroni.yml", WISH]]],
  ["generate-config", [["generate", { file: null, sample: false, dsn: null }]]],
  ["generate-config x.yml --sample", [["generate", { file: "x.yml", sample: true, dsn: null }]]],
  ["generate-config --dsn host=a", [["generate", { file: null, sample: false, dsn: "host=a" }]]],
  ["list", [["open", "patroni.yml", { format: "pretty", force: false }], ["list"]]],
  ["list -c x.yml --format json", [
    ["open", "x.yml", { format: "json", force: false }],
    ["list"],
  ]],
  ["history --format tsv", [
    ["open", "patroni.yml", { format: "tsv", force: false }],
    ["history"],
  ]],
  ["failover --leader a --member b --force", [
    ["open", "patroni.yml", { format: "pretty", force: true }],
    ["handover", { command: "failover", leader: "a", candidate: "b" }],
  ]],
  ["detach -c x.yml", [
    ["open", "x.yml", { format: "pretty", force: false }],
    ["detach"],
  ]],
  ["pause --wait", [
    ["open", "patroni.yml", { format: "pretty", force: false }],
    ["pause", { on: true, wait: true }],
  ]],
  ["resume --force", [
    ["open", "patroni.yml", { format: "pretty", force: true }],
    ["pause", { on: false, wait: false }],
  ]],
  ["failover --leader a", [
    ["open", "patroni.yml", { format: "pretty", force: false }],
    ["handover", { command: "switchover", leader: "a", candidate: null }],
  ]],
  ["failover --candidate b", [
    ["open", "patroni.yml", { format: "pretty", force: false }],
    ["handover", { command: "failover", leader: null, candidate: "b" }],
  ]],
  ["switchover --candidate b", [
    ["open", "patroni.yml", { format: "pretty", force: false }],
    ["handover", { command: "switchover", leader: null, candidate: "b" }],
  ]],
  ["explain ticks.jsonl --tick -3", [
    ["explain", { path: "ticks.jsonl", tick: -3, format: "pretty" }],
  ]],
  ["explain", [["explain", { path: "patroni.yml.ticks", tick: -1, format: "pretty" }]]],
  ["version", [["version", "pretty"]]],
];

for (const [line, calls] of STARTED) {
  Deno.test(`runProgram() understands: agent ${line}`, async () => {
    const trial = await run(line.split(" "));

    deepStrictEqual([trial.code, trial.calls], [0, calls]);
  });
}

const MISUSED = [
  "",
  "lst",
  "list --format xml",
  "list --colour",
  "list too many",
  "switchover --candidate b --member c",
  "explain --tick soon",
  "a.yml b.yml",
  "help nothing",
];

for (const line of MISUSED) {
  Deno.test(`runProgram() ends with 2 and says so on stderr: agent ${line}`, async () => {
    const trial = await run(line === "" ? [] : line.split(" "));

    deepStrictEqual([trial.code, trial.calls, trial.out], [2, [], ""]);
    strictEqual(trial.err === "", false);
  });
}

Deno.test("runProgram() finds the configuration file in the environment", async () => {
  const env = { PATRONICTL_CONFIG_FILE: "two.yml" };
  const fromOurs = await run(["list"], { env: { ...env, AGENT_CONFIG: "one.yml" } });
  const fromPatroni = await run(["list"], { env });

  match(JSON.stringify(fromOurs.calls), /one\.yml/);
  match(JSON.stringify(fromPatroni.calls), /two\.yml/);
});

Deno.test("runProgram() prints its version on --version", async () => {
  const { code, out } = await run(["--version"]);

  deepStrictEqual([code, out], [0, `agent ${AGENT_VERSION}\n`]);
});

for (const error of [new ConfigError("Cannot use x", []), new DcsUnreachable("Cannot ask etcd")]) {
  Deno.test(`runProgram() ends with 1 and a line for people on ${error.name}`, async () => {
    const trial = await run(["list"], { list: () => Promise.reject(error) });

    strictEqual(trial.code, 1);
    match(trial.err, /^agent: Cannot /);
  });
}

for (
  const name of [
    "agent",
    "list",
    "switchover",
    "failover",
    "pause",
    "resume",
    "detach",
    "history",
    "explain",
    "validate",
    "generate-config",
  ]
) {
  Deno.test(`runProgram() prints the help of ${name} as in the golden file`, async () => {
    const { code, out } = await run(name === "agent" ? ["--help"] : [name, "--help"]);
    const golden = new URL(`golden/help_${name}.txt`, import.meta.url);
    if (Deno.args.includes("--rewrite")) await Deno.writeTextFile(golden, out);

    strictEqual(code, 0);
    strictEqual(out, await Deno.readTextFile(golden));
  });
}

Deno.test("agent without a file runs by the environment when that names a cluster", async () => {
  const whole = await run([], { env: { PATRONI_CONFIGURATION: "scope: a" } });
  deepStrictEqual(whole.calls, [["daemon", ""]]);
  const single = await run([], { env: { PATRONI_SCOPE: "a" } });
  deepStrictEqual(single.calls, [["daemon", ""]]);
  const checked = await run(["--validate-config"], { env: { PATRONI_SCOPE: "a" } });
  deepStrictEqual(checked.calls, [["validate", "", WISH]]);
  const nothing = await run([], { env: { PATRONI_SCOPE: " " } });
  deepStrictEqual([nothing.calls, nothing.code], [[], 2]);
});
