import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { FileOutput } from "../../lib/host/log_output.ts";
import { MemoryOutput } from "../base/memory_output.ts";

const FLOOD = fileURLToPath(new URL("log_flood.ts", import.meta.url));

interface Story {
  readonly longestMs: number;
  readonly closeMs: number;
  readonly dropped: number;
  readonly lines: number;
}

/** Floods a log whose output nobody empties; returns what the program told, and what it had written to stderr. */
async function flood(args: readonly string[]): Promise<{ story: Story; stderr: string }> {
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--cached-only", "--no-check", "-A", FLOOD, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  // The program ends with its own words on stdout; only then stderr is emptied.
  const story: Story = JSON.parse(await new Response(child.stdout).text());
  const stderr = await new Response(child.stderr).text();
  strictEqual((await child.status).code, 0);
  return { story, stderr };
}

/** The loop went on, what did not fit was counted, and the end came although nobody read. */
function checkStory({ longestMs, closeMs, dropped, lines }: Story): void {
  ok(longestMs < 1000, `a turn of the loop took ${longestMs} ms`);
  ok(closeMs < 3000, `the end took ${closeMs} ms`);
  ok(dropped > lines / 10 && dropped < lines, `${dropped} of ${lines} lines were dropped`);
}

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "log-" });
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function makeFifo(path: string): Promise<void> {
  strictEqual((await new Deno.Command("mkfifo", { args: [path] }).output()).code, 0);
}

Deno.test("D22 a stderr pipe that nobody reads holds up neither loop nor end", async () => {
  const { story, stderr } = await flood([]);
  checkStory(story);
  match(stderr, /INFO: x{100}\n/);
});

Deno.test("D22 a log file whose open hangs holds up neither loop nor end", async () => {
  await inFolder(async (dir) => {
    await makeFifo(`${dir}/patroni.log`);
    checkStory((await flood([dir])).story);
  });
});

Deno.test("D22 a log file whose writes hang holds up neither loop nor end", async () => {
  await inFolder(async (dir) => {
    await makeFifo(`${dir}/patroni.log`);
    using _reader = await Deno.open(`${dir}/patroni.log`, { read: true, write: true });
    checkStory((await flood([dir])).story);
  });
});

Deno.test("FileOutput closes a file before it grows too long, keeps so many, and sets the mode", async () => {
  await inFolder(async (dir) => {
    const fallback = new MemoryOutput();
    const options = { dir: `${dir}/new`, count: 2, sizeMax: 20, mode: 0o600 };
    const output = new FileOutput(options, fallback);
    for (const word of ["one", "two", "six"]) await output.write(`${word}-567890\n`);
    await output.write("a-34567890\nb-34567890\nc-34567890\nd\n");
    await output.close();
    const names = await Array.fromAsync(Deno.readDir(options.dir), ({ name }) => name);
    deepStrictEqual(names.sort(), ["patroni.log", "patroni.log.1", "patroni.log.2"]);
    const texts = await Promise.all(
      names.map((name) => Deno.readTextFile(`${options.dir}/${name}`)),
    );
    deepStrictEqual(texts, ["c-34567890\nd\n", "b-34567890\n", "a-34567890\n"]);
    strictEqual(((await Deno.stat(output.path)).mode ?? 0) & 0o777, 0o600);
    strictEqual(fallback.text, "");
  });
});

Deno.test("FileOutput goes on in the file of the run before", async () => {
  await inFolder(async (dir) => {
    for (const word of ["one\n", "two\n"]) {
      const output = new FileOutput({ dir, count: 1, sizeMax: 0, mode: null }, new MemoryOutput());
      await output.write(word);
      await output.close();
    }
    strictEqual(await Deno.readTextFile(`${dir}/patroni.log`), "one\ntwo\n");
  });
});

Deno.test("FileOutput gives its lines to the fallback while the files cannot be written, and says why", async () => {
  await inFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    const fallback = new MemoryOutput();
    const options = { dir: `${dir}/file/below`, count: 1, sizeMax: 0, mode: null };
    const output = new FileOutput(options, fallback);
    await output.write("one\n");
    await output.write("two\n");
    match(fallback.text, /^Cannot write the log file .*\/below\/patroni\.log: .*\none\ntwo\n$/);
  });
});
