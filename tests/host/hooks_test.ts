import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { startHook } from "../../lib/host/hooks.ts";
import { findProcess } from "../../lib/host/processes.ts";

async function eventually<T>(what: string, look: () => T | null): Promise<T> {
  for (let turn = 0; turn < 500; turn++) {
    const seen = look();
    if (seen !== null) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Cannot see ${what} within 5 s`);
}

function numbersIn(path: string, count: number): readonly number[] | null {
  const lines = Deno.readTextFileSync(path).split("\n").filter((line) => line !== "");
  return lines.length < count ? null : lines.map(Number);
}

async function withScript(
  script: string,
  body: (words: readonly string[], out: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "agent-hooks" });
  const [path, out] = [`${folder}/hook.sh`, `${folder}/out`];
  try {
    await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await Deno.writeTextFile(out, "");
    await body([path, out], out);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("startHook() gives its words to the program and tells the exit code", async () => {
  await withScript('echo "$2 $3" > "$1"; exit 3', async (words, out) => {
    const hook = startHook([...words, "on_start", "primary"]);
    strictEqual(await hook.ended, 3);
    strictEqual(await Deno.readTextFile(out), "on_start primary\n");
  });
});

Deno.test("startHook() of a program that is not there ends with 127", async () => {
  const hook = startHook(["/nonexistent/hook"]);
  strictEqual(await hook.ended, 127);
  await hook.kill();
});

Deno.test("kill() ends the program with its children, those of other sessions too, case I9", async () => {
  const script = [
    'sleep 300 & echo $! >> "$1"',
    'setsid sleep 300 & echo $! >> "$1"',
    'sh -c \'trap "" TERM; echo $$ >> "$0"; while :; do sleep 1; done\' "$1" &',
    "wait",
  ].join("\n");
  await withScript(script, async (words, out) => {
    const hook = startHook(words);
    const pids = await eventually("three children", () => numbersIn(out, 3));
    await hook.kill();
    ok(await hook.ended !== 0);
    const gone = await eventually(
      "the end of all",
      () => pids.every((pid) => findProcess(pid) === null) ? pids : null,
    );
    deepStrictEqual(gone, pids);
  });
});

Deno.test("kill() lets a script clean up", async () => {
  const script = 'trap \'echo cleaned > "$1"; exit 0\' TERM\necho ready > "$1"\nsleep 300 & wait';
  await withScript(script, async (words, out) => {
    const hook = startHook(words);
    const said = (text: string): true | null =>
      Deno.readTextFileSync(out) === `${text}\n` ? true : null;
    await eventually("the script at work", () => said("ready"));
    await hook.kill();
    await eventually("the script's last words", () => said("cleaned"));
    await hook.ended;
  });
});

Deno.test("kill() ends what it may when a child runs as another user, as sudo makes it", async () => {
  await withScript('sleep 300 & echo $! > "$1"; wait', async (words, out) => {
    const hook = startHook(words);
    const [child = 0] = await eventually("the child", () => numbersIn(out, 1));
    const kill = Deno.kill;
    Deno.kill = (pid, name): void => {
      if (pid === child) throw new Deno.errors.PermissionDenied("EPERM: Operation not permitted");
      kill(pid, name);
    };
    try {
      await hook.kill();
    } finally {
      Deno.kill = kill;
      kill(child, "SIGKILL");
    }
    ok(await hook.ended !== 0);
  });
});
