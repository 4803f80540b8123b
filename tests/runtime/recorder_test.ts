import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { silentLog } from "../../lib/base/log.ts";
import { decodeJson } from "../../lib/core/codec.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import { Recorder, TICKS_MAX } from "../../lib/runtime/recorder.ts";
import type { RecordedTick, TickFile } from "../../lib/runtime/recorder.ts";
import { nodeView } from "../core/builders.ts";

class MemoryFile implements TickFile {
  text = "";

  append(lines: string): Promise<void> {
    this.text += lines;
    return Promise.resolve();
  }

  replace(text: string): Promise<void> {
    this.text = text;
    return Promise.resolve();
  }

  get lines(): readonly string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

function tick(why: string): RecordedTick {
  const decision = { rule: "follow", why, actions: [], again: false, wakeAtMs: null };
  return { atMs: 0, view: nodeView(), memory: initialMemory, decision, outcomes: [] };
}

Deno.test("record() keeps rounds that differ and folds those that do not", async () => {
  const file = new MemoryFile();
  const recorder = new Recorder(file, silentLog);
  for (const why of ["one", "one", "two"]) recorder.record(tick(why));
  await recorder.flush();
  strictEqual(file.lines.length, 2);
  deepStrictEqual(decodeJson(file.lines[1] ?? ""), tick("two"));
});

Deno.test("record() bounds the file and keeps the last rounds in it", async () => {
  const file = new MemoryFile();
  const recorder = new Recorder(file, silentLog);
  for (let count = 0; count < 3 * TICKS_MAX; count++) {
    recorder.record(tick(`round ${count}`));
    await recorder.flush();
  }
  strictEqual(file.lines.length <= 2 * TICKS_MAX, true);
  deepStrictEqual(decodeJson(file.lines.at(-1) ?? ""), tick(`round ${3 * TICKS_MAX - 1}`));
});

Deno.test("record() goes on when the disk is full", async () => {
  const file = new MemoryFile();
  file.replace = () => Promise.reject(new Error("no space"));
  const recorder = new Recorder(file, silentLog);
  recorder.record(tick("one"));
  await recorder.flush();
  recorder.record(tick("two"));
  await recorder.flush();
});
