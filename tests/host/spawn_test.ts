import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Command } from "../../lib/host/port.ts";
import { run } from "../../lib/host/spawn.ts";

const NEVER = new AbortController().signal;

function shell(script: string, overrides: Partial<Command> = {}): Command {
  return { program: "sh", args: ["-c", script], timeoutMs: 10_000, ...overrides };
}

Deno.test("run() tells exit code, output and the lines of stderr", async () => {
  const lines: string[] = [];
  const onStderrLine = (line: string): void => void lines.push(line);
  const command = shell("cat; printf '1%%\\r2%%\\nend' >&2; exit 3", { stdin: "in", onStderrLine });
  const result = await run(command, NEVER);
  strictEqual(result.exitCode, 3);
  strictEqual(result.stdout, "in");
  deepStrictEqual(lines, ["1%", "2%", "end"]);
});

Deno.test("run() hides the agent's own variables and fixes the locale", async () => {
  Deno.env.set("PATRONI_SECRET", "x");
  const result = await run(
    shell("echo $PATRONI_SECRET$LC_ALL$MORE", { env: { MORE: "!" } }),
    NEVER,
  );
  Deno.env.delete("PATRONI_SECRET");
  strictEqual(result.stdout, "C!\n");
});

Deno.test("run() gives back what the executable has put aside, and hides its own", async () => {
  const ours = { AGENT_KEEP_HTTP_PROXY: "http://x", DENO_TLS_CA_STORE: "y", NOTIFY_SOCKET: "/z" };
  for (const [name, value] of Object.entries(ours)) Deno.env.set(name, value);
  const result = await run(shell("env"), NEVER);
  for (const name of Object.keys(ours)) Deno.env.delete(name);
  const found = result.stdout.split("\n").filter((line) => /PROXY|AGENT_|DENO_|NOTIFY/.test(line));
  deepStrictEqual(found, ["HTTP_PROXY=http://x"]);
});

Deno.test("run() ends a program and its children when its time is up", async () => {
  const result = await run(shell("sleep 30 & wait", { timeoutMs: 50 }), NEVER);
  strictEqual(result.timedOut, true);
  strictEqual(result.tookMs < 5000, true);
});

Deno.test("run() kills a program that ignores the request to end", async () => {
  const result = await run(shell("trap '' TERM; sleep 30; sleep 30", { timeoutMs: 50 }), NEVER);
  strictEqual(result.signal, "SIGKILL");
});

Deno.test("run() waits for a program of another user that it may not end", async () => {
  const kill = Deno.kill;
  Deno.kill = (): void => {
    throw new Deno.errors.PermissionDenied("EPERM: Operation not permitted");
  };
  try {
    const result = await run(shell("sleep 0.3; exit 4", { timeoutMs: 50 }), NEVER);
    deepStrictEqual([result.exitCode, result.timedOut], [4, true]);
  } finally {
    Deno.kill = kill;
  }
});

Deno.test("D18 run() ends a program when the caller aborts", async () => {
  const abort = new AbortController();
  const running = run(
    shell("echo started >&2; sleep 30", { onStderrLine: () => abort.abort() }),
    abort.signal,
  );
  strictEqual((await running).cancelled, true);
});

Deno.test("run() answers 127 for a program that is not there", async () => {
  strictEqual((await run({ program: "/no/such", args: [], timeoutMs: 100 }, NEVER)).exitCode, 127);
});

Deno.test("run() keeps a long output within its bound", async () => {
  const result = await run(shell("head -c 3000000 /dev/zero | tr '\\0' x"), NEVER);
  strictEqual(result.stdout.length, 1 << 20);
});
