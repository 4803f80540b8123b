import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { LogQueue } from "../../lib/base/log_queue.ts";
import { MemoryOutput } from "./memory_output.ts";

const notice = (dropped: number): string => `${dropped} dropped\n`;

Deno.test("D22 a queue whose output hangs keeps its limit, counts what it drops and tells it when lines go again", async () => {
  const output = new MemoryOutput();
  const queue = new LogQueue({ output, max: 3, notice });
  output.stop();
  queue.push("0\n");
  await output.settled(); // the first line is in the hands of the output
  for (let line = 1; line <= 8; line++) queue.push(`${line}\n`);
  strictEqual(queue.dropped, 5);
  output.go();
  await output.settled();
  queue.push("9\n");
  await queue.close(1000);
  strictEqual(output.text, "0\n5 dropped\n1\n2\n3\n9\n");
  strictEqual(queue.dropped, 5);
});

Deno.test("lines that an output refuses are counted and told once it works", async () => {
  const output = new MemoryOutput();
  const queue = new LogQueue({ output, max: 10, notice });
  output.isBroken = true;
  queue.push("one\n");
  queue.push("two\n");
  await output.settled();
  strictEqual(queue.dropped, 2);
  output.isBroken = false;
  queue.push("three\n");
  await queue.close(2000);
  strictEqual(output.text, "2 dropped\nthree\n");
});

Deno.test("close() does not wait for an output that hangs", async () => {
  const output = new MemoryOutput();
  const queue = new LogQueue({ output, max: 10, notice });
  output.stop();
  queue.push("one\n");
  const began = performance.now();
  await queue.close(50);
  strictEqual(performance.now() - began < 1000, true);
  output.go();
});

Deno.test("change() leaves a hanging output alone: what waits goes to the new one", async () => {
  const [hanging, fresh] = [new MemoryOutput(), new MemoryOutput()];
  const queue = new LogQueue({ output: hanging, max: 10, notice });
  hanging.stop();
  queue.push("one\n");
  await hanging.settled();
  queue.push("two\n");
  queue.change({ output: fresh, max: 10, notice });
  queue.push("three\n");
  await queue.close(1000);
  deepStrictEqual([fresh.text, hanging.text], ["two\nthree\n", ""]);
  hanging.go();
  await hanging.settled();
  strictEqual(fresh.text, "two\nthree\n");
});
