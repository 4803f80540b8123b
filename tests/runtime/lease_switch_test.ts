import { strictEqual } from "node:assert/strict";
import { leader, leftMs, signal, world } from "./keeper_world.ts";

Deno.test("take() arms the switch until the end of the lease before it counts", async () => {
  const made = await leader();
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 30_000);
});

Deno.test("take() does not reach for the lock when no switch can be had", async () => {
  const made = world();
  made.deadMan.fault = "absent";
  strictEqual((await made.keeper.take(signal)).kind, "refused");
  strictEqual(made.dcs.store.lock, null);
});

Deno.test("take() gives the lock back at once when the switch cannot be armed", async () => {
  const made = world();
  made.deadMan.fault = "stuck";
  strictEqual((await made.keeper.take(signal)).kind, "refused");
  strictEqual(made.dcs.store.lock, null);
  strictEqual(leftMs(made), "none");
});

Deno.test("step() moves the switch on with each renewal, and never without an answer", async () => {
  const made = await leader();
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 30_000);
  made.dcs.fault = "deaf";
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 20_000);
});

Deno.test("step() ends authority when the switch cannot be moved on", async () => {
  const made = await leader();
  made.deadMan.fault = "stuck";
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(leftMs(made), "lost");
  strictEqual(made.lost.length, 1);
  await made.clock.advance(31_000);
  strictEqual(made.dcs.store.lock?.value ?? null, "a");
  made.dcs.store.expire(made.clock.bootMs());
  strictEqual(made.dcs.store.lock, null);
});

Deno.test("unguarded() ends authority in this instant", async () => {
  const made = await leader();
  made.keeper.unguarded("no switch");
  strictEqual(leftMs(made), "lost");
});

Deno.test("disarm() is refused while the lock is held in time, and done after its stop time", async () => {
  const made = await leader();
  strictEqual((await made.keeper.disarm(signal)).kind, "refused");
  await made.clock.advance(25_000);
  strictEqual((await made.keeper.disarm(signal)).kind, "done");
  strictEqual(made.deadMan.endsMs, null);
});

Deno.test("guardSession() moves the switch on with the member's lease until the lock is held", async () => {
  const made = world();
  made.keeper.tickSeen();
  strictEqual(await made.keeper.guardSession(signal), true);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 30_000);
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 30_000);
});
