import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { keeperOf, leader, leftMs, signal } from "./keeper_world.ts";
import type { World } from "./keeper_world.ts";

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

Deno.test("attach() in maintenance mode lays the switch of the process before to rest only after rules have seen it", async () => {
  const made = await leader();
  made.dcs.store.pause(true);
  made.deadMan.inherited = true;
  const keeper = keeperOf(made);
  await keeper.attach(signal);
  await keeper.view(signal);
  deepStrictEqual(keeper.guarded(), { endsMs: made.clock.bootMs() + 30_000, inherited: true });
  await keeper.view(signal);
  strictEqual(keeper.guarded(), null);
});

Deno.test("take() arms the switch also in maintenance mode, which only a proof can show", async () => {
  const made = await leader();
  made.dcs.store.pause(true);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 30_000);
  await made.keeper.view(signal);
  strictEqual(made.deadMan.endsMs, null);
});

/** A leader whose switch was laid to rest by the proof that showed maintenance mode. */
async function atRest(): Promise<World> {
  const made = await leader();
  made.dcs.store.pause(true);
  await made.keeper.view(signal);
  strictEqual(made.deadMan.endsMs, null);
  return made;
}

Deno.test("isGuarded() arms a switch at rest before a server is made writable under the lock", async () => {
  const made = await atRest();
  strictEqual(await made.keeper.isGuarded(), true);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 30_000);
  const without = await atRest();
  without.keeper.giveUp();
  strictEqual(await without.keeper.isGuarded(), false);
});

Deno.test("view() guards or lets go a held lock that it cannot renew when maintenance mode is over", async () => {
  const made = await atRest();
  made.dcs.store.pause(false);
  await made.clock.advance(16_000); // nobody has ordered to hold it for longer than ttl/2
  await made.keeper.view(signal);
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 14_000);
  const stuck = await atRest();
  stuck.dcs.store.pause(false);
  stuck.deadMan.fault = "stuck";
  await stuck.clock.advance(16_000);
  await stuck.keeper.view(signal);
  strictEqual(leftMs(stuck), "lost");
});

Deno.test("view() arms the switch also by an answer that comes after the stop time", async () => {
  const made = await atRest();
  made.dcs.store.pause(false);
  made.dcs.delayMs = 26_000;
  const looking = made.keeper.view(signal);
  await made.clock.advance(26_000);
  await looking;
  strictEqual(made.deadMan.endsMs, made.clock.bootMs() + 4_000);
});
