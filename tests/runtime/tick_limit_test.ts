import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { TickLimit } from "../../lib/runtime/tick_limit.ts";
import { VirtualClock } from "./fakes.ts";

/** Begins so many ticks, each as soon as it may; the pause before each. */
async function pauses(limit: TickLimit, clock: VirtualClock, ticks: number): Promise<number[]> {
  const seen: number[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    const pauseMs = limit.untilNextMs();
    seen.push(pauseMs);
    await clock.advance(pauseMs);
    limit.begin();
  }
  return seen;
}

Deno.test("untilNextMs() lets four ticks follow one at once, then ten a second", async () => {
  const clock = new VirtualClock();
  const limit = new TickLimit(clock);
  deepStrictEqual(await pauses(limit, clock, 8), [0, 0, 0, 0, 0, 100, 100, 100]);
});

Deno.test("untilNextMs() gives back what was not used, and no more than one burst of it", async () => {
  const clock = new VirtualClock();
  const limit = new TickLimit(clock);
  await pauses(limit, clock, 5);
  await clock.advance(300);
  deepStrictEqual(await pauses(limit, clock, 4), [0, 0, 0, 100]);
  await clock.advance(3_600_000);
  deepStrictEqual(await pauses(limit, clock, 6), [0, 0, 0, 0, 0, 100]);
});

Deno.test("untilNextMs() of a slow tick is 0", async () => {
  const clock = new VirtualClock();
  const limit = new TickLimit(clock);
  await pauses(limit, clock, 10);
  limit.begin();
  await clock.advance(250);
  strictEqual(limit.untilNextMs(), 0);
});
