import { strictEqual } from "node:assert/strict";
import { leader, leftMs, signal } from "./keeper_world.ts";

Deno.test("step() lays the switch to rest with the proof that shows maintenance mode, not before", async () => {
  const made = await leader();
  made.dcs.store.pause(true);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 30_000);
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(made.deadMan.endsMs, null);
  strictEqual(leftMs(made), 30_000);
  strictEqual(await made.keeper.isGuarded(), true);
});

Deno.test("step() leaves the switch armed when the answer that shows maintenance mode is lost", async () => {
  const made = await leader();
  made.dcs.store.pause(true);
  made.dcs.fault = "deaf";
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 20_000);
});

Deno.test("step() arms the switch before a proof without maintenance mode counts again", async () => {
  const made = await leader();
  made.dcs.store.pause(true);
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  made.dcs.store.pause(false);
  made.keeper.hold();
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 30_000);
  strictEqual(leftMs(made), 30_000);
});

Deno.test("step() ends authority when maintenance mode ends and no switch can be had", async () => {
  const made = await leader();
  made.dcs.store.pause(true);
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  made.dcs.store.pause(false);
  made.keeper.hold();
  made.deadMan.fault = "stuck";
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(leftMs(made), "lost");
  strictEqual(await made.keeper.isGuarded(), false);
});

Deno.test("take() arms the switch also in maintenance mode, which only a proof can show", async () => {
  const made = await leader();
  made.dcs.store.pause(true);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 30_000);
  await made.keeper.view(signal);
  strictEqual(made.deadMan.endsMs, null);
});
