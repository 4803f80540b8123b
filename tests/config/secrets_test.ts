import { match, ok, strictEqual } from "node:assert/strict";
import { ConfigError } from "../../lib/base/errors.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { redact } from "../../lib/config/redact.ts";
import { file } from "./files.ts";

const PASSWORD = "postgresql.authentication.superuser.password";
const SECRET = "tr0ub4dor&3";

/** Loads a file whose superuser's password is `value`, with a secret file beside it. */
async function passwordOf(
  value: (secretFile: string) => Readonly<Record<string, string>> | string,
  options: { readonly mode?: number; readonly content?: string; readonly env?: boolean } = {},
): Promise<string> {
  const folder = await Deno.makeTempDir();
  const secret = `${folder}/secret`;
  try {
    await Deno.writeTextFile(secret, options.content ?? `${SECRET}\n`);
    await Deno.chmod(secret, options.mode ?? 0o600);
    const given = value(secret);
    await Deno.writeTextFile(`${folder}/p.yml`, file([PASSWORD, given]));
    const config = await loadConfig(`${folder}/p.yml`, {});
    ok(!JSON.stringify(redact(config)).includes(SECRET));
    return config.postgresql.authentication.superuser.password ?? "";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    ok(!error.message.includes(SECRET), error.message);
    return error.faults.map(({ path, message }) => `${path}: ${message}`).join("\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("loadConfig() takes a secret from a file that others cannot read", async () => {
  strictEqual(await passwordOf((path) => ({ file: path })), SECRET);
  strictEqual(await passwordOf((path) => ({ file: path }), { mode: 0o640 }), SECRET);
});

Deno.test("loadConfig() takes a secret from the output of a command", async () => {
  strictEqual(await passwordOf((path) => ({ command: `/bin/cat ${path}` })), SECRET);
});

const REFUSED: readonly (readonly [string, Parameters<typeof passwordOf>, RegExp])[] = [
  [
    "a file open to all",
    [(path) => ({ file: path }), { mode: 0o644 }],
    /mode 0640 or less\), found 0644/,
  ],
  ["a file that its group may write", [(path) => ({ file: path }), { mode: 0o660 }], /found 0660/],
  ["a file of two lines", [(path) => ({ file: path }), { content: `${SECRET}\nx` }], /one line/],
  ["an empty file", [(path) => ({ file: path }), { content: "" }], /one line/],
  ["a file that is not there", [() => ({ file: "/no/file" })], /found NotFound at \/no\/file/],
  ["a relative file", [() => ({ file: "secret" })], /absolute path/],
  ["a command that fails", [(path) => ({ command: `sh -c 'cat ${path}; exit 3'` })], /exit code 3/],
  ["a command that is not there", [() => ({ command: "/no/program" })], /found NotFound/],
  ["an unknown source", [() => ({ vault: "x" })], /file: \/path and command: words/],
];

for (const [what, [value, options], expected] of REFUSED) {
  Deno.test(`loadConfig() refuses ${what} as a secret, without repeating it`, async () => {
    const told = await passwordOf(value, options);

    match(told, expected);
    match(told, /^postgresql\.authentication\.superuser\.password: [^\n]*$/);
  });
}

Deno.test("loadConfig() gives a command for a secret ten seconds, also when its child holds the output open", async () => {
  const startedMs = performance.now();
  const told = await passwordOf(() => ({ command: "sh -c 'sleep 30 & wait'" }));

  match(told, /within 10 s/);
  ok(performance.now() - startedMs < 15_000);
});

Deno.test({
  name: "loadConfig() gives up a command for a secret that runs as another user and does not end",
  // Its process is left behind, which is the case.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const kill = Deno.kill;
    const groups: number[] = [];
    Deno.kill = (group): void => {
      groups.push(group);
      throw new Deno.errors.PermissionDenied("EPERM: Operation not permitted");
    };
    try {
      match(await passwordOf(() => ({ command: "sleep 300" })), /within 10 s/);
    } finally {
      Deno.kill = kill;
      for (const group of groups) kill(group, "SIGKILL");
    }
    strictEqual(groups.length, 1);
  },
});

Deno.test("loadConfig() refuses a secret of a command that is longer than it may be, and cuts none", async () => {
  const told = await passwordOf(() => ({
    command: "sh -c 'head -c 3000000 /dev/zero | tr \"\\0\" x'",
  }));

  match(told, /one line/);
});

Deno.test("loadConfig() takes a secret's file from a variable, and hides the agent's variables from commands", async () => {
  const folder = await Deno.makeTempDir();
  const env = { PATRONI_REPLICATION_PASSWORD_COMMAND: "sh -c 'echo \"<$PATRONI_TEST_SECRET>\"'" };
  Deno.env.set("PATRONI_TEST_SECRET", SECRET);
  try {
    await Deno.writeTextFile(`${folder}/p.yml`, file());
    await Deno.writeTextFile(`${folder}/s`, "x\n", { mode: 0o600 });
    const both = { ...env, PATRONI_SUPERUSER_PASSWORD_FILE: `${folder}/s` };
    const { superuser, replication } = (await loadConfig(`${folder}/p.yml`, both)).postgresql
      .authentication;
    strictEqual(superuser.password, "x");
    strictEqual(replication.password, "<>");
  } finally {
    Deno.env.delete("PATRONI_TEST_SECRET");
    await Deno.remove(folder, { recursive: true });
  }
});
