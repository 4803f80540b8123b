import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import {
  fillingEnvironment,
  findFillers,
  findFillingPrograms,
  findProcess,
  isAlive,
  parsePostmasterPid,
  parseProcessStat,
  startedAtMs,
} from "../../lib/host/processes.ts";
import { waitFor } from "../../scripts/playground/wait.ts";

Deno.test("parsePostmasterPid() reads all lines of a running server", () => {
  const text = "4711\n/data\n1700000000\n5432\n/run\n*\n  1 2\nready   \n";
  deepStrictEqual(parsePostmasterPid(text), {
    pid: 4711,
    singleUser: false,
    dataDir: "/data",
    startTimeS: 1700000000,
    port: 5432,
    socketDir: "/run",
    listenAddress: "*",
    status: "ready",
  });
});

Deno.test("parsePostmasterPid() takes a negative pid for a single-user server", () => {
  const file = parsePostmasterPid("-12\n/data\n");
  strictEqual(file?.pid, 12);
  strictEqual(file?.singleUser, true);
  strictEqual(file?.port, 0);
});

Deno.test("parsePostmasterPid() finds no pid in an empty or foreign file", () => {
  strictEqual(parsePostmasterPid(""), null);
  strictEqual(parsePostmasterPid("hello\n"), null);
});

Deno.test("parseProcessStat() counts its fields after a name with blanks and parentheses", () => {
  const rest = Array.from({ length: 17 }, (_, index) => String(index)).join(" ");
  const stat = parseProcessStat(`77 (a ) (b) S 1 ${rest} 424242 0`);
  const identity = { pid: 77, startTicks: 424242n };
  deepStrictEqual(stat, { identity, state: "S", parent: 1, session: 1 });
});

Deno.test("D8 isAlive() knows this process, and not an earlier one with its pid", () => {
  const self = findProcess(Deno.pid);
  if (self === null) throw new Error("Cannot find this process");
  strictEqual(isAlive(self.identity), true);
  strictEqual(isAlive({ pid: Deno.pid, startTicks: 1n }), false);
  strictEqual(startedAtMs(self.identity) <= systemClock.bootMs(), true);
});

Deno.test("findProcess() counts a zombie as gone", async () => {
  const script = "sleep 0 & echo $!; exec sleep 5";
  const parent = new Deno.Command("sh", { args: ["-c", script], stdout: "piped" }).spawn();
  const reader = parent.stdout.getReader();
  const { value } = await reader.read();
  const pid = Number(new TextDecoder().decode(value));
  while (!(await stateOf(pid)).startsWith("Z")) await systemClock.sleep(5);
  strictEqual(findProcess(pid), null);
  parent.kill("SIGKILL");
  await parent.status;
  await reader.cancel();
});

Deno.test("findFillers() and findFillingPrograms() know what writes a directory by words and by environment", async () => {
  const dir = "/nowhere/data";
  const pidsOf = (found: ReturnType<typeof findFillers>) => found.map((one) => one.identity.pid);
  const start = (words: readonly string[], env = {}) =>
    new Deno.Command("sh", { args: ["-c", "read _", ...words], env, stdin: "piped" }).spawn();
  const [copy, rewind, program] = [
    start(["pg_basebackup", `--pgdata=${dir}`]),
    start(["pg_rewind", `--target-pgdata=${dir}`]),
    start(["restore"], fillingEnvironment(dir)),
  ];
  const other = start(["pg_rewind", `--target-pgdata=${dir}2`], fillingEnvironment(`${dir}2`));
  try {
    await waitFor("each at its program", 20_000, () => {
      const seen = [findFillers(dir).length, findFillingPrograms(dir).length].join(" ");
      return Promise.resolve({ met: seen === "2 1" || null, seen });
    });
    deepStrictEqual(pidsOf(findFillers(dir)).sort(), [copy.pid, rewind.pid].sort());
    deepStrictEqual(pidsOf(findFillingPrograms(dir)), [program.pid]);
  } finally {
    for (const child of [copy, rewind, program, other]) {
      await child.stdin.close();
      await child.status;
    }
  }
});

Deno.test("findFillingPrograms() never finds the agent itself, be it started by such a program", async () => {
  const dir = "/nowhere/data";
  const module = import.meta.resolve("../../lib/host/processes.ts");
  const code = `import { findFillingPrograms } from "${module}";
    console.log(findFillingPrograms("${dir}").length)`;
  const args = ["eval", "--cached-only", "--no-check", code];
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    env: fillingEnvironment(dir),
  }).output();
  strictEqual(new TextDecoder().decode(stdout), "0\n");
});

async function stateOf(pid: number): Promise<string> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2);
}
