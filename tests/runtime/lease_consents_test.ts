import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { leader, leftMs, signal, world } from "./keeper_world.ts";
import type { World } from "./keeper_world.ts";

/** All members consent to a question begun now. */
function extend({ keeper, clock }: World, askedMs = clock.bootMs()): Promise<boolean> {
  return keeper.extend(keeper.term(), askedMs + 30_000);
}

function holder({ dcs }: World): string | null {
  return dcs.store.lock?.value ?? null;
}

/** A leader that has waited without a store. */
async function silentLeader(waitMs: number): Promise<World> {
  const made = await leader();
  made.dcs.fault = "cut";
  await made.clock.advance(waitMs);
  return made;
}

Deno.test("C1 extend() lasts from before the question, switch first", async () => {
  const made = await silentLeader(20_000);
  const askedMs = made.clock.bootMs();
  await made.clock.advance(2000);
  strictEqual(await extend(made, askedMs), true);
  strictEqual(leftMs(made), 28_000);
  strictEqual(made.deadMan.endsMs, askedMs + 30_000);
  deepStrictEqual(made.keeper.lease(), {
    kind: "held",
    endsMs: askedMs + 30_000,
    consented: true,
  });
});

Deno.test("C1 extend() again and again holds the lock without a store, and its end ends it", async () => {
  const made = await silentLeader(10_000);
  for (let round = 0; round < 10; round++) {
    strictEqual(await extend(made), true);
    await made.clock.advance(20_000);
    await made.keeper.step(signal);
  }
  strictEqual(leftMs(made), 10_000);
  await made.clock.advance(10_000);
  strictEqual(leftMs(made), "lost");
});

Deno.test("extend() changes nothing from the stop time on", async () => {
  const made = await silentLeader(25_000);
  strictEqual(await extend(made), false);
  strictEqual(leftMs(made), 5000);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 5000);
});

Deno.test("extend() with answers to a question from long ago changes nothing", async () => {
  const made = await silentLeader(20_000);
  strictEqual(await extend(made, made.clock.bootMs() - 26_000), false);
  strictEqual(leftMs(made), 10_000);
});

Deno.test("extend() is of no use for a lock that was lost and taken again meanwhile", async () => {
  const made = await leader();
  const term = made.keeper.term();
  const endsMs = made.clock.bootMs() + 30_000;
  await made.keeper.release(signal);
  strictEqual(await made.keeper.extend(term, endsMs), false);
  await made.clock.advance(1000);
  strictEqual((await made.keeper.take(signal)).kind, "done");
  strictEqual(await made.keeper.extend(term, endsMs + 10_000), false);
  strictEqual(leftMs(made), 30_000);
});

Deno.test("extend() ends authority when the switch cannot be moved on", async () => {
  const made = await silentLeader(20_000);
  made.deadMan.fault = "stuck";
  strictEqual(await extend(made), false);
  strictEqual(leftMs(made), "lost");
});

Deno.test("extend() waits for no renewal under way, whose late proof takes nothing back", async () => {
  const made = await leader();
  await made.clock.advance(10_000);
  made.dcs.delayMs = 13_000;
  const renewing = made.keeper.step(signal);
  await made.clock.advance(12_000);
  strictEqual(await extend(made), true);
  await made.clock.advance(1000);
  await renewing;
  strictEqual(leftMs(made), 29_000);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 29_000);
});

Deno.test("A proof of the store takes over from the consents", async () => {
  const made = await silentLeader(12_000);
  strictEqual(await extend(made), true);
  made.dcs.fault = "none";
  await made.clock.advance(1000);
  await made.keeper.step(signal);
  deepStrictEqual(made.keeper.lease(), { kind: "held", endsMs: made.clock.bootMs() + 30_000 });
});

Deno.test("C3 step() puts the lock back when the store returns with the lease expired", async () => {
  const made = await silentLeader(20_000);
  strictEqual(await extend(made), true);
  await made.clock.advance(15_000);
  made.dcs.store.expire(made.clock.bootMs());
  strictEqual(holder(made), null);
  made.keeper.hold();
  made.dcs.fault = "none";
  await made.keeper.step(signal);
  strictEqual(holder(made), "a");
  strictEqual(leftMs(made), 30_000);
});

Deno.test("A definite refusal ends consented authority in this instant", async () => {
  const made = await silentLeader(20_000);
  strictEqual(await extend(made), true);
  await made.clock.advance(15_000);
  made.dcs.store.expire(made.clock.bootMs());
  made.dcs.store.takeLock("b", made.dcs.store.grant(made.clock.bootMs(), 30_000));
  made.keeper.hold();
  made.dcs.fault = "none";
  await made.keeper.step(signal);
  strictEqual(leftMs(made), "lost");
  strictEqual(await extend(made), false);
});

Deno.test("extend() renews the order to hold, so that a slow round costs no renewal", async () => {
  const made = await silentLeader(16_000);
  strictEqual(await extend(made), true);
  made.dcs.fault = "none";
  await made.clock.advance(14_000);
  await made.keeper.step(signal);
  strictEqual(leftMs(made), 30_000);
});

Deno.test("take() asks for an obstacle in the same step as it claims the lock", async () => {
  const made = world();
  made.dcs.delayMs = 500;
  const taking = made.keeper.take(signal);
  await made.clock.advance(100);
  strictEqual(made.keeper.isReaching(), false, "the lease is being granted");
  made.obstacle = "a promise";
  await made.clock.advance(1000);
  deepStrictEqual(await taking, { kind: "refused", why: "a promise" });
  strictEqual(made.dcs.calls.includes("take"), false);
  made.obstacle = null;
  const again = made.keeper.take(signal);
  await made.clock.advance(600);
  strictEqual(made.keeper.isReaching(), true, "asked, not answered yet");
  await made.clock.advance(1000);
  strictEqual((await again).kind, "done");
  strictEqual(made.keeper.isReaching(), true);
});

Deno.test("view() that shows another holder ends consented authority, also without the order to renew", async () => {
  const made = await silentLeader(20_000);
  strictEqual(await extend(made), true);
  await made.clock.advance(15_001);
  made.dcs.store.expire(made.clock.bootMs());
  made.dcs.store.takeLock("b", made.dcs.store.grant(made.clock.bootMs(), 30_000));
  made.dcs.fault = "none";
  await made.keeper.view(signal);
  strictEqual(leftMs(made), "lost");
});
