import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ConfigError, DcsUnreachable } from "../../lib/base/errors.ts";
import { AGENT_VERSION } from "../../lib/core/version.ts";
import { run } from "./trial.ts";

const LIST = { clusters: [], extended: false, timestamp: false, watchS: null };
const PLAIN = ["open", "patroni.yml", { format: "pretty", force: false }];

const RESTART = {
  names: [],
  role: null,
  onlyOne: false,
  pending: false,
  pgVersion: null,
  timeout: null,
  scheduled: null,
  wait: false,
};
const LIMITS = { pgVersion: "15.4", timeout: "5min" };
const FLUSHED = {
  command: "flush",
  options: { names: ["a"], role: null, onlyOne: false, what: "restart" },
};
const WISH = { print: false, ignoreListenPort: false, format: "pretty" };

const STARTED: readonly (readonly [string, readonly unknown[]])[] = [
  ["/etc/patroni.yml", [["daemon", "/etc/patroni.yml"]]],
  ["./patroni", [["daemon", "./patroni"]]],
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
  ["list", [["open", "patroni.yml", { format: "pretty", force: false }], ["list", LIST]]],
  ["list -c x.yml --format json", [
    ["open", "x.yml", { format: "json", force: false }],
    ["list", LIST],
  ]],
  ["history --format tsv", [
    ["open", "patroni.yml", { format: "tsv", force: false }],
    ["history"],
  ]],
  ["failover --leader a --member b --force", [
    ["open", "patroni.yml", { format: "pretty", force: true }],
    ["handover", { command: "failover", leader: "a", candidate: "b", scheduled: null }],
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
    ["handover", { command: "switchover", leader: "a", candidate: null, scheduled: null }],
  ]],
  ["failover --candidate b", [
    ["open", "patroni.yml", { format: "pretty", force: false }],
    ["handover", { command: "failover", leader: null, candidate: "b", scheduled: null }],
  ]],
  ["switchover --candidate b", [
    ["open", "patroni.yml", { format: "pretty", force: false }],
    ["handover", { command: "switchover", leader: null, candidate: "b", scheduled: null }],
  ]],
  ["-c x.yml -k list other more -e -t -W", [
    ["open", "x.yml", { format: "pretty", force: false }, { scope: "other", insecure: true }],
    ["list", { clusters: ["other", "more"], extended: true, timestamp: true, watchS: 2 }],
  ]],
  ["list --dcs etcd3://h:2379/db --watch 5 -f yml", [
    ["open", "patroni.yml", { format: "yaml", force: false }, { dcsUrl: "etcd3://h:2379/db" }],
    ["list", { ...LIST, watchS: 5 }],
  ]],
  ["topology -w", [PLAIN, [{ command: "topology", options: { watchS: 2 } }]]],
  ["show-config", [PLAIN, [{ command: "show-config" }]]],
  ["restart a b --pending --pg-version 15.4 --timeout 5min --wait", [PLAIN, [{
    command: "restart",
    options: { ...RESTART, names: ["a", "b"], pending: true, wait: true, ...LIMITS },
  }]]],
  ["restart --role standby_leader --any --scheduled now", [PLAIN, [{
    command: "restart",
    options: { ...RESTART, role: "standby-leader", onlyOne: true, scheduled: "now" },
  }]]],
  ["reinit b c --from-leader", [PLAIN, [{
    command: "reinit",
    options: { names: ["b", "c"], fromLeader: true, wait: false },
  }]]],
  ["reload -r replica --cluster other", [
    [...PLAIN, { scope: "other" }],
    [{ command: "reload", options: { names: [], role: "replica", onlyOne: false } }],
  ]],
  ["flush restart a", [PLAIN, [FLUSHED]]],
  ["flush a restart", [PLAIN, [FLUSHED]]],
  ["flush demo switchover", [PLAIN, [{
    command: "flush",
    options: { names: ["demo"], role: null, onlyOne: false, what: "switchover" },
  }]]],
  ["switchover demo --primary a --scheduled 2030-05-01T02:00Z", [
    [...PLAIN, { scope: "demo" }],
    ["handover", {
      command: "switchover",
      leader: "a",
      candidate: null,
      scheduled: "2030-05-01T02:00Z",
    }],
  ]],
  ["edit-config -s ttl=20 -s pause=null -p max_connections=5 -q --apply -", [PLAIN, [{
    command: "edit-config",
    options: {
      set: ["ttl=20", "pause=null"],
      pg: ["max_connections=5"],
      apply: "-",
      replace: null,
      quiet: true,
    },
  }]]],
  ["dsn -m b", [PLAIN, [{ command: "dsn", options: { member: "b", role: null } }]]],
  ["query -c one -d db -U me -r any --format tsv --delimiter ; --timeout 5", [
    ["open", "patroni.yml", { format: "tsv", force: false }],
    [{
      command: "query",
      options: {
        command: "one",
        file: null,
        member: null,
        role: "any",
        username: "me",
        database: "db",
        password: false,
        delimiter: ";",
        timeout: "5",
        watchS: null,
      },
    }],
  ]],
  ["version demo b", [PLAIN, [{ command: "version", names: ["demo", "b"] }]]],
  ["remove old", [[...PLAIN, { scope: "old" }], [{ command: "remove" }]]],
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
  "standby",
  "list --format xml",
  "list --colour",
  "history too many",
  "list --watch soon",
  "list -w 0",
  "reinit",
  "flush",
  "flush everything",
  "restart --role king",
  "failover --member b --scheduled now",
  "query -c one --role king",
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

Deno.test("runProgram() names what is wrong, and the help that helps", async () => {
  const said = [
    ["lst", /no command and no file "lst"\n +Did you mean agent list\?/],
    ["standby", /no command and no file "standby"\n +Run agent help/],
    ["help nothing", /^agent: unknown command "nothing"\nRun agent help/],
    ["list --colour", /unknown option '--colour'\nRun agent list --help/],
    ["validate --colour", /Run agent validate --help/],
  ] as const;
  for (const [line, wanted] of said) match((await run(line.split(" "))).err, wanted);
});

Deno.test("runProgram() takes the name of a folder that is there for a configuration", async () => {
  deepStrictEqual((await run(["tests"])).calls, [["daemon", "tests"]]); // tests run in the project's folder
});

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

const HELPED = [
  ...["agent", "list", "topology", "history", "show-config", "edit-config", "explain", "version"],
  ...["switchover", "failover", "pause", "resume", "detach", "remove", "flush"],
  ...["restart", "reinit", "reload", "dsn", "query", "validate", "generate-config"],
];

for (const name of HELPED) {
  Deno.test(`runProgram() prints the help of ${name} as in the golden file`, async () => {
    const { code, out } = await run(name === "agent" ? ["--help"] : [name, "--help"]);
    const golden = new URL(`golden/help_${name}.txt`, import.meta.url);
    if (Deno.args.includes("--rewrite")) await Deno.writeTextFile(golden, out);

    strictEqual(code, 0);
    strictEqual(out, await Deno.readTextFile(golden));
  });
}

Deno.test("runProgram() has a golden help for every command", async () => {
  const { out } = await run(["--help"]);
  const names = Array.from(out.matchAll(/^ {2}([a-z-]+) .*\[/gm), ([, name = ""]) => name);

  deepStrictEqual(names.filter((name) => ![...HELPED, "help"].includes(name)), []);
  strictEqual(names.length, HELPED.length);
});

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
