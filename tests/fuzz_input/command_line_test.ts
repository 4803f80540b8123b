import { ok } from "node:assert/strict";
import fc from "fast-check";
import type { Faces } from "../../lib/cli/faces.ts";
import { list } from "../../lib/cli/list.ts";
import { handover } from "../../lib/cli/handover.ts";
import { history } from "../../lib/cli/history.ts";
import { operate } from "../../lib/cli/operate.ts";
import { pause } from "../../lib/cli/pause.ts";
import { detach } from "../../lib/cli/detach.ts";
import { runProgram } from "../../lib/cli/program.ts";
import type { RemoteAnswer } from "../../lib/cli/remote.ts";
import { environmentOf } from "../../lib/cli/where.ts";
import { readConfig } from "../../lib/config/load.ts";
import { parseYamlFile } from "../../lib/config/yaml_file.ts";
import { readTags } from "../../lib/core/tags.ts";
import { cluster, member } from "../core/builders.ts";
import { NOT_FOUND, world, type WorldOptions } from "../cli/faces.ts";
import { anyJson, anyText, casesOf, garbled, SECRET } from "./cases.ts";

const FILE = `scope: demo
etcd3: {host: 127.0.0.1, username: root, password: ${SECRET}}
ctl: {authentication: {username: u, password: ${SECRET}}}
`;

const COMMANDS = [
  ...["list", "topology", "history", "show-config", "edit-config", "dsn", "query", "version"],
  ...["switchover", "failover", "pause", "resume", "detach", "remove", "restart", "reinit"],
  ...["reload", "flush", "help", "explain", "validate"],
  "generate-config",
];

const VALUES = [
  ...["a", "b", "c", "z", "demo", "other", "restart", "switchover", "leader", "replica", "any"],
  ...["json", "yaml", "tsv", "now", "2030-05-01T02:00Z", "1969-01-01T00:00Z", "15.4", "5min"],
  ...["ttl=20", "ttl=soon", "a.b=null", "=", "-", "SELECT 1", "0.1", "-1"],
];

const OPTIONS = [
  ...[
    "-c",
    "-d",
    "-k",
    "-f",
    "--format",
    "--cluster",
    "--force",
    "--wait",
    "--role",
    "-r",
    "--any",
  ],
  ...["--pending", "--pg-version", "--timeout", "--scheduled", "--from-leader", "-s", "-p", "-q"],
  ...[
    "--apply",
    "--replace",
    "-m",
    "-U",
    "--file",
    "--delimiter",
    "-W",
    "-w",
    "-e",
    "-t",
    "--help",
  ],
  ...["--leader", "--candidate", "--member", "--primary", "--validate-config", "--", "-V"],
];

const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...OPTIONS) },
  { weight: 4, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 1, arbitrary: anyText },
);

const line = fc.tuple(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...COMMANDS) }, anyText),
  fc.array(word, { maxLength: 6 }),
  fc.constantFrom([], ["--dcs-url", `etcd3://root:${SECRET}@h:1/x`]),
).map(([command, words, before]) => [...before, command, ...words]);

const text = fc.oneof(
  anyJson,
  garbled(["id", "state", "why", "progress", "status", "text", "patroni", "role"]),
  fc.constantFrom('{"id":"1","state":"queued"}', '{"id":"1","state":"done"}', NOT_FOUND),
);

const answer: fc.Arbitrary<RemoteAnswer> = fc.oneof(
  fc.record({
    kind: fc.constant("answered" as const),
    status: fc.constantFrom(200, 202, 204, 400, 401, 404, 409, 500, 503),
    text,
  }),
  fc.constantFrom(
    { kind: "lost", why: "reset" } as const,
    {
      kind: "unreachable",
      why: "refused",
    } as const,
  ),
);

/** What members of another program, or none at all, may have published. */
const ODD = [
  member("a", { apiUrl: "http://h:1b/patroni", connUrl: "postgres://\x1b[2J:1/x" }),
  member("\x1b[2J", { apiUrl: null, connUrl: null, scheduledRestart: {}, pendingRestart: true }),
  member("demo", { apiUrl: "ftp://h/patroni", connUrl: "nothing" }),
  member("__proto__", {
    pendingRestartReason: { x: null },
    tags: readTags({ replicatefrom: "a" }),
  }),
];

const surroundings: fc.Arbitrary<WorldOptions> = fc.record({
  answer,
  page: fc.array(text, { minLength: 1, maxLength: 3 }),
  reply: fc.constantFrom("y", "n", "demo", null),
  views: fc.constantFrom(
    [cluster()],
    [null],
    [cluster({ lock: null, members: [], config: null, systemId: null })],
    [cluster(), null],
    [cluster({ members: ODD, lock: "\x1b[2J" })],
  ),
  written: fc.constantFrom(
    { kind: "done", revision: 1n } as const,
    {
      kind: "refused",
      why: "x",
    } as const,
  ),
  files: anyJson.map((content) => ({ "-": content, a: content })),
});

Deno.test("no command line, no answer and no file crashes or hangs a command, or shows a secret", async () => {
  await fc.assert(
    fc.asyncProperty(line, surroundings, async (args, options) => {
      const { code, shown } = await run(args, options);
      ok([0, 1, 2, 3].includes(code), `ended with ${code}`);
      ok(!shown.includes(SECRET), "shows a password");
    }),
    { numRuns: casesOf(0.4) },
  );
});

async function run(
  args: readonly string[],
  options: WorldOptions,
): Promise<{ readonly code: number; readonly shown: string }> {
  const { context, out, err } = world({ ...options, patience: 5 });
  const none = (): Promise<number> => Promise.resolve(0);
  const faces: Faces = {
    output: context.output,
    env: {},
    runDaemon: none,
    generateConfig: () => Promise.resolve(0),
    validate: none,
    explain: none,
    version: none,
    recordingOf: () => Promise.resolve("x"),
    open: (where, manner) => {
      try {
        readConfig(
          where.configPath,
          FILE,
          environmentOf(parseYamlFile(where.configPath, FILE).values, {}, where),
        );
      } catch (error) {
        return Promise.reject(error);
      }
      return Promise.resolve({ ...context, ...manner });
    },
    list,
    history,
    handover,
    detach,
    pause,
    operate,
  };
  const code = await runProgram(args, faces);
  return { code, shown: [...out, ...err].join("") };
}
