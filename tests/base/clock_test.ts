import { ok, strictEqual } from "node:assert/strict";
import { BEAT_MS, systemClock } from "../../lib/base/clock.ts";

Deno.test("beat() wakes all who wait at once, within a second of the first", async () => {
  const beganMs = performance.now();
  const woken: string[] = [];
  const wait = async (name: string): Promise<void> => {
    await systemClock.beat();
    woken.push(name);
  };
  const first = wait("first");
  await systemClock.sleep(BEAT_MS / 2);
  const second = wait("second");
  await first;
  await second;
  const tookMs = performance.now() - beganMs;
  strictEqual(woken.join(), "first,second");
  ok(tookMs < BEAT_MS * 1.4, `the second waited for a timer of its own: ${tookMs} ms`);
});

Deno.test("beat() ends for one whose signal aborts, and goes on for the others", async () => {
  const leaving = new AbortController();
  const staying = systemClock.beat(new AbortController().signal).then(() => "stayed");
  const left = systemClock.beat(leaving.signal).then(() => "left");
  leaving.abort();
  strictEqual(await Promise.race([staying, left]), "left");
  strictEqual(await staying, "stayed");
});

Deno.test("beat() leaves no timer behind when nobody waits any more, and resolves for an aborted signal", async () => {
  const leaving = new AbortController();
  const wait = systemClock.beat(leaving.signal);
  leaving.abort();
  await wait; // a timer that is left behind fails this test by itself
  await systemClock.beat(AbortSignal.abort());
});
