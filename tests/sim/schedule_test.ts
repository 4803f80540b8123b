import { deepStrictEqual } from "node:assert/strict";
import type { Steps } from "./schedule.ts";
import { Host, Scheduler } from "./schedule.ts";

function* say(lines: string[], word: string, everyMs: number): Steps<void> {
  for (let times = 1; times <= 2; times++) {
    yield everyMs;
    lines.push(`${word}${times}`);
  }
}

Deno.test("Scheduler.step() runs processes in the order of their time", () => {
  const scheduler = new Scheduler();
  const lines: string[] = [];
  scheduler.spawn(say(lines, "slow", 30), new Host());
  scheduler.spawn(say(lines, "fast", 20), new Host());

  while (scheduler.step(100));

  deepStrictEqual(lines, ["fast1", "slow1", "fast2", "slow2"]);
});

Deno.test("Scheduler.resume() lets a stalled host go on where it stood", () => {
  const scheduler = new Scheduler();
  const host = new Host();
  const lines: string[] = [];
  scheduler.spawn(say(lines, "late", 10), host);
  scheduler.step(0);
  host.stalls = 1;

  while (scheduler.step(100));
  deepStrictEqual(lines, []);
  host.stalls = 0;
  scheduler.resume(host);
  while (scheduler.step(200));
  deepStrictEqual(lines, ["late1", "late2"]);
});
