import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { withinClock } from "../../lib/runtime/clock_deadline.ts";
import { keeperOf, leader, leftMs, signal, world } from "./keeper_world.ts";

Deno.test("take() counts from before the keep-alive, not from the answer", async () => {
  const made = world();
  made.dcs.delayMs = 1000;
  const taking = made.keeper.take(signal);
  await made.clock.advance(2000);
  strictEqual((await taking).kind, "done");
  strictEqual(leftMs(made), 28_000);
});

Deno.test("take() does not wait for a disk that hangs", async () => {
  const made = world();
  made.file.save = () => new Promise(() => {});
  const taking = made.keeper.take(signal);
  await made.clock.advance(1500);
  strictEqual((await taking).kind, "done");
});

Deno.test("take() refreshes an older lease before it reaches for the lock", async () => {
  const made = world();
  await made.keeper.sessionLease(signal);
  await made.clock.advance(9000);
  await made.keeper.take(signal);
  strictEqual(leftMs(made), 30_000);
});

Deno.test("take() without an answer is resolved by the next view", async () => {
  const made = world();
  await made.keeper.sessionLease(signal);
  const take = made.dcs.takeLock.bind(made.dcs);
  made.dcs.takeLock = async (...words) => {
    await take(...words);
    return { kind: "unknown", why: "lost" };
  };
  strictEqual((await made.keeper.take(signal)).kind, "unknown");
  strictEqual(leftMs(made), "none");
  await made.keeper.view(signal);
  strictEqual(leftMs(made), 30_000);
});

Deno.test("take() of a lock that another holds is refused", async () => {
  const made = world();
  made.dcs.store.takeLock("b", made.dcs.store.grant(made.clock.bootMs(), 30_000));
  strictEqual((await made.keeper.take(signal)).kind, "refused");
  strictEqual(leftMs(made), "none");
});

Deno.test("take() with a list of failsafe mode that has changed since is refused", async () => {
  const made = world();
  made.dcs.store.failsafe = { members: { b: "http://b/patroni" }, revision: 7n };
  for (const [list, kind] of [[0n, "refused"], [6n, "refused"], [7n, "done"]] as const) {
    strictEqual((await made.keeper.take(signal, { list })).kind, kind, String(list));
  }
});

Deno.test("take() by a look from before another member led is refused, though the lock is free again", async () => {
  const made = world();
  const { store } = made.dcs;
  const look = { revision: store.read().revision };
  const lease = store.grant(made.clock.bootMs(), 30_000);
  store.takeLock("b", lease);
  store.asHolder("b", () => store.history = []);
  store.releaseLock("b", lease);
  strictEqual((await made.keeper.take(signal, look)).kind, "refused");
  strictEqual(leftMs(made), "none");
  const again = { revision: store.read().revision };
  strictEqual((await made.keeper.take(signal, again)).kind, "done");
});

Deno.test("step() renews when it is due, and not before", async () => {
  const made = await leader();
  await made.clock.advance(9000);
  await made.keeper.step(signal);
  strictEqual(leftMs(made), 21_000);
  await made.clock.advance(1000);
  await made.keeper.step(signal);
  strictEqual(leftMs(made), 30_000);
});

Deno.test("step() keeps the older end when there is no answer", async () => {
  const made = await leader();
  made.dcs.fault = "deaf";
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(leftMs(made), 20_000);
});

Deno.test("A8 view() ends authority in the instant the store says that another holds the lock", async () => {
  const made = await leader();
  made.dcs.store.lock = { value: "b", lease: "99", revision: 9n };
  const seen = await made.keeper.view(signal);
  strictEqual(seen.lock?.holder, "b");
  strictEqual(leftMs(made), "lost");
  strictEqual(made.lost.length, 1);
});

Deno.test("A7 view() takes a new lease and the key again when the store lost the lease", async () => {
  const made = await leader();
  made.dcs.store.revoke("1");
  await made.clock.advance(1000);
  await made.keeper.view(signal);
  strictEqual(leftMs(made), 30_000);
  deepStrictEqual([made.dcs.store.lock?.value, made.dcs.store.lock?.lease], ["a", "2"]);
});

Deno.test("A7 view() loses the lock when the lease is gone and another has taken the key", async () => {
  const made = await leader();
  made.dcs.store.revoke("1");
  made.dcs.store.takeLock("b", made.dcs.store.grant(made.clock.bootMs(), 30_000));
  await made.keeper.view(signal);
  strictEqual(leftMs(made), "lost");
});

Deno.test("A21 view() puts the key back after the tree was wiped", async () => {
  const made = await leader();
  made.dcs.store.wipe();
  await made.keeper.view(signal);
  strictEqual(made.dcs.store.lock?.value, "a");
  strictEqual(leftMs(made), 30_000);
});

Deno.test("view() does not revive a lock whose stop time has passed", async () => {
  const made = await leader();
  await made.clock.advance(26_000);
  made.keeper.hold();
  await made.keeper.view(signal);
  strictEqual(leftMs(made), 4000);
  await made.clock.advance(4000);
  strictEqual(leftMs(made), "lost");
});

Deno.test("step() does not count a renewal that was answered after the stop time", async () => {
  const made = await leader();
  await made.clock.advance(24_000);
  made.keeper.hold();
  made.dcs.delayMs = 2000;
  const step = made.keeper.step(signal);
  await made.clock.advance(2000);
  await step;
  strictEqual(leftMs(made), 4000);
});

Deno.test("step() lets the lock run out when no decision repeated the order for ttl/2", async () => {
  const made = await leader();
  const ending = new AbortController();
  const running = made.keeper.run(ending.signal);
  await made.clock.advance(50_000);
  strictEqual(leftMs(made), "lost");
  made.dcs.store.expire(made.clock.bootMs());
  strictEqual(made.dcs.store.lock, null);
  ending.abort();
  await running;
});

Deno.test("A19 run() holds the lock for as long as it is ordered to", async () => {
  const made = await leader();
  const ending = new AbortController();
  const running = made.keeper.run(ending.signal);
  for (let tick = 0; tick < 12; tick++) {
    made.keeper.hold();
    await made.clock.advance(10_000);
  }
  strictEqual(made.keeper.lease().kind, "held");
  ending.abort();
  await running;
});

Deno.test("view() does not wait for an earlier request longer than its own deadline", async () => {
  const made = await leader();
  made.dcs.delayMs = 10_000;
  const before = made.keeper.sessionLease(signal);
  const slow = made.keeper.view(signal);
  using deadline = withinClock(made.clock, 300, signal);
  const refused = rejects(made.keeper.view(deadline.signal), DcsUnreachable);
  await made.clock.advance(400);
  await refused;
  await made.clock.advance(40_000);
  await Promise.all([before, slow]);
});

Deno.test("release() ends authority before its request is answered", async () => {
  const made = await leader();
  made.dcs.delayMs = 1000;
  const releasing = made.keeper.release(signal);
  strictEqual(leftMs(made), "none");
  await made.clock.advance(1000);
  strictEqual((await releasing).kind, "done");
});

Deno.test("release() that never arrived leaves the key to run out", async () => {
  const made = await leader();
  made.dcs.fault = "cut";
  strictEqual((await made.keeper.release(signal)).kind, "unknown");
  made.dcs.fault = "none";
  made.keeper.tickSeen();
  await made.clock.advance(11_000);
  await made.keeper.step(signal);
  await made.keeper.view(signal);
  strictEqual((await made.keeper.take(signal)).kind, "refused");
  deepStrictEqual(made.dcs.calls.slice(-1), ["read"]);
});

Deno.test("A20 step() moves the lock to a lease of the new ttl without a gap", async () => {
  const made = await leader();
  made.ttlS = 60;
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  strictEqual(leftMs(made), 60_000);
  deepStrictEqual([made.dcs.store.lock?.value, made.dcs.store.lock?.lease], ["a", "2"]);
});

Deno.test("attach() takes up the lock of the process before by its stored lease", async () => {
  const made = await leader();
  await made.clock.advance(3000);
  const next = { ...made, keeper: keeperOf(made) };
  await next.keeper.attach(signal);
  strictEqual(leftMs(next), 30_000);
});

Deno.test("attach() needs the budget of the stored lease: that of a longer one comes too late", async () => {
  const made = world();
  made.ttlS = 5;
  strictEqual((await made.keeper.take(signal)).kind, "done");
  const attached = async (ttlS: number): Promise<number | string> => {
    const next = { ...made, ttlS };
    const keeper = keeperOf(next);
    await keeper.attach(signal);
    return leftMs({ ...next, keeper });
  };
  deepStrictEqual([await attached(5), await attached(30)], [5000, "none"]);
});

Deno.test("attach() leaves a lock with our name and another lease alone", async () => {
  const made = await leader();
  made.file.stored = { id: made.dcs.store.grant(made.clock.bootMs(), 30_000), ttlS: 30 };
  const next = { ...made, keeper: keeperOf(made) };
  await next.keeper.attach(signal);
  strictEqual(leftMs(next), "none");
  strictEqual(made.dcs.store.lock?.lease, "1");
});

Deno.test("step() keeps a replica's lease alive only while ticks run", async () => {
  const made = world();
  await made.keeper.sessionLease(signal);
  made.keeper.tickSeen();
  await made.clock.advance(10_000);
  await made.keeper.step(signal);
  await made.clock.advance(21_000);
  await made.keeper.step(signal);
  deepStrictEqual(made.dcs.calls, ["grant", "keep-alive"]);
});

Deno.test("step() does not repeat the renewal of a look that was under way", async () => {
  const made = await leader();
  await made.clock.advance(10_000);
  made.dcs.calls.length = 0;
  made.dcs.delayMs = 100;
  const both = [made.keeper.view(signal), made.keeper.step(signal)];
  await made.clock.advance(1000);
  await Promise.all(both);
  deepStrictEqual(made.dcs.calls, ["renew"]);
  strictEqual(leftMs(made), 29_000);
});

Deno.test("step() renews by itself when the look before it got no answer", async () => {
  const made = await leader();
  await made.clock.advance(10_000);
  made.dcs.calls.length = 0;
  made.dcs.fault = "cut";
  const looked = made.keeper.view(signal).catch(() => made.dcs.fault = "none");
  const stepped = made.keeper.step(signal);
  await made.clock.advance(1000);
  await Promise.all([looked, stepped]);
  strictEqual(made.dcs.calls.at(-1), "renew");
  strictEqual(leftMs(made), 29_000);
});
