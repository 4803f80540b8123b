import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { defaultSettings } from "../../lib/core/settings.ts";
import { Promises } from "../../lib/runtime/promises.ts";
import { cluster, lsn } from "../core/builders.ts";
import { VirtualClock } from "./fakes.ts";

interface World {
  readonly clock: VirtualClock;
  readonly promises: Promises;
  isReaching: boolean;
}

function world(): World {
  const clock = new VirtualClock();
  const made = { clock, isReaching: false };
  const promises = new Promises({
    clock,
    name: "a",
    ttlMs: () => 30_000,
    isReaching: () => made.isReaching,
  });
  return Object.assign(made, { promises });
}

function ask({ promises }: World, name = "b", ttlMs: number | null = 30_000): string | null {
  return promises.give({ name, slots: { c: lsn(7) }, ttlMs });
}

function leftMs({ promises, clock }: World): number | null {
  const promise = promises.view();
  return promise === null ? null : promise.untilMs - clock.bootMs();
}

const LISTED = {
  settings: { ...defaultSettings, failsafeMode: true },
  failsafe: { members: { a: "http://a/", b: "http://b/", c: "http://c/" }, revision: 1n },
};

Deno.test("C3 give() keeps the lock from this member for a ttl", async () => {
  const made = world();
  strictEqual(made.promises.whyNotTake(), null);
  strictEqual(ask(made), null);
  deepStrictEqual(made.promises.view()?.slots, { c: lsn(7) });
  await made.clock.advance(29_999);
  strictEqual(made.promises.whyNotTake(), "b was promised that this node does not take the lock");
  await made.clock.advance(1);
  deepStrictEqual([made.promises.whyNotTake(), made.promises.view()], [null, null]);
});

Deno.test("give() binds for the longer ttl, and for a caller that tells none also for its round", () => {
  for (const [ttlMs, boundMs] of [[60_000, 60_000], [5000, 30_000], [null, 35_000]] as const) {
    const made = world();
    ask(made, "b", ttlMs);
    strictEqual(leftMs(made), boundMs);
  }
});

Deno.test("give() is renewed by each question, and never made shorter by one", async () => {
  const made = world();
  ask(made, "b", 60_000);
  await made.clock.advance(10_000);
  ask(made);
  strictEqual(leftMs(made), 50_000);
  await made.clock.advance(30_000);
  ask(made);
  strictEqual(leftMs(made), 30_000);
});

Deno.test("C7 give() refuses while this member holds the lock or reaches for it", () => {
  const made = world();
  made.isReaching = true;
  strictEqual(ask(made), "this member holds the lock or reaches for it");
  strictEqual(made.promises.view(), null);
});

Deno.test("give() promises nothing to a second leader, nor to its own name", async () => {
  const made = world();
  ask(made);
  strictEqual(ask(made, "c"), "the promise to b is in force");
  strictEqual(ask(made, "a"), "the request carries this member's own name");
  await made.clock.advance(30_000);
  strictEqual(ask(made, "c"), null);
});

Deno.test("C4 looked() ends the promise when a later look shows that a third member leads", async () => {
  const made = world();
  const before = made.clock.bootMs();
  await made.clock.advance(10);
  ask(made);
  await made.clock.advance(10);
  const now = made.clock.bootMs();
  made.promises.looked(cluster({ lock: "c" }), before);
  made.promises.looked(cluster({ lock: "b" }), now);
  made.promises.looked(cluster({ lock: null }), now);
  made.promises.looked(cluster({ lock: "a" }), now);
  strictEqual(made.promises.view()?.to, "b");
  made.promises.looked(cluster({ lock: "c" }), now);
  strictEqual(made.promises.view(), null);
});

Deno.test("forget() keeps a promise that was given after the others were asked, whatever they answered", async () => {
  const made = world();
  made.promises.asksOthers();
  await made.clock.advance(10);
  ask(made);
  const untilMs = made.promises.view()?.untilMs ?? 0;
  made.promises.forget(untilMs);
  strictEqual(leftMs(made), 30_000);
  await made.clock.advance(10);
  made.promises.asksOthers();
  made.promises.forget(untilMs);
  strictEqual(leftMs(made), null);
});

Deno.test("forget() ends the promise that was meant, not a later one", async () => {
  const made = world();
  ask(made);
  const untilMs = made.promises.view()?.untilMs ?? 0;
  await made.clock.advance(10);
  ask(made);
  await made.clock.advance(10);
  made.promises.asksOthers();
  made.promises.forget(untilMs);
  strictEqual(leftMs(made), 29_990);
  made.promises.forget(untilMs + 10);
  strictEqual(leftMs(made), null);
});

Deno.test("looked() binds a fresh process of a listed member for a ttl from its start", async () => {
  const made = world();
  await made.clock.advance(12_000);
  made.promises.looked(cluster({ ...LISTED, lock: null }), made.clock.bootMs());
  deepStrictEqual([made.promises.view()?.to, leftMs(made)], [null, 18_000]);
  strictEqual(
    made.promises.whyNotTake(),
    "this process does not know what the one before has promised",
  );
  made.promises.looked(cluster({ ...LISTED, lock: "c" }), made.clock.bootMs());
  deepStrictEqual([made.promises.view()?.to, leftMs(made)], ["c", 18_000]);
  strictEqual(ask(made, "b"), "the promise to c is in force");
});

Deno.test("looked() counts the ttl of the cluster when that is longer, and binds only once", async () => {
  const made = world();
  const settings = { ...LISTED.settings, ttlS: 60 };
  made.promises.looked(cluster({ ...LISTED, settings, lock: null }), made.clock.bootMs());
  strictEqual(leftMs(made), 60_000);
  await made.clock.advance(60_000);
  made.promises.looked(cluster({ ...LISTED, settings, lock: null }), made.clock.bootMs());
  strictEqual(made.promises.view(), null);
});

Deno.test("looked() does not bind a process that nobody can have asked before", () => {
  const alone = { members: { a: "http://a/" }, revision: 1n };
  const others = { members: { b: "http://b/", c: "http://c/" }, revision: 1n };
  for (const failsafe of [null, alone, others]) {
    const made = world();
    made.promises.looked(cluster({ ...LISTED, failsafe, lock: null }), made.clock.bootMs());
    strictEqual(made.promises.view(), null);
  }
});
