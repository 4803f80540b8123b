import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { defaultSettings } from "../../lib/core/settings.ts";
import { lsn, member, peer, primary, SYSTEM_ID } from "../core/builders.ts";
import { FIRST_CONFIG, founded, signal, world } from "./agent_world.ts";
import { settle } from "./fakes.ts";

Deno.test("tick() founds a cluster on an empty directory, and leads it", async () => {
  const made = world({ kind: "no-data" });
  await made.agent.tick(signal);
  await settle();
  await made.agent.tick(signal);
  strictEqual(made.dcs.store.initialize?.value, SYSTEM_ID);
  strictEqual(made.dcs.store.lock?.value, "a");
  strictEqual(made.board.lease().kind, "held");
});

Deno.test("tick() founds a cluster with the settings that its config will have", async () => {
  const made = world({ kind: "no-data" }, { ...defaultSettings, parameters: { work_mem: "8MB" } });
  await made.agent.tick(signal);
  deepStrictEqual(made.agent.settings().parameters, { work_mem: "8MB" });
});

Deno.test("tick() writes the config of the file where a founded cluster has none", async () => {
  const made = founded();
  made.dcs.store.config = null;
  await made.agent.tick(signal);
  await settle();
  await made.agent.tick(signal);
  deepStrictEqual((await made.dcs.read(signal)).config?.raw, FIRST_CONFIG);
});

Deno.test("tick() asks the others, takes the free lock and promotes in one tick", async () => {
  const made = founded();
  await made.agent.tick(signal);
  await settle();
  strictEqual(made.dcs.store.lock?.value, "a");
  deepStrictEqual(made.postgres.calls.filter((call) => call === "promote"), ["promote"]);
});

Deno.test("tick() forgets facts on demand at its end", async () => {
  const made = founded();
  await made.agent.tick(signal);
  await settle();
  await made.agent.tick(signal);
  strictEqual(made.board.state().view?.peers, "not asked");
});

Deno.test("tick() writes the member record once, after its last look", async () => {
  const made = founded();
  await made.agent.tick(signal);
  strictEqual(made.dcs.calls.filter((call) => call === "member").length, 1);
  strictEqual(made.dcs.calls.at(-1), "member");
});

Deno.test("tick() writes an unchanged member record again only when it is missing", async () => {
  const made = founded();
  const lease = made.dcs.store.grant(made.clock.bootMs(), 1_000_000);
  made.dcs.store.takeLock("b", lease);
  for (let tick = 0; tick < 3; tick++) {
    await made.agent.tick(signal);
    await settle();
  }
  const before = made.dcs.calls.filter((call) => call === "member").length;
  await made.agent.tick(signal);
  strictEqual(made.dcs.calls.filter((call) => call === "member").length, before);
  made.dcs.store.members.clear();
  made.dcs.store.restoreIdentity(SYSTEM_ID);
  await made.agent.tick(signal);
  strictEqual(made.dcs.calls.filter((call) => call === "member").length, before + 1);
});

Deno.test("tick() stops at the first action that was not done", async () => {
  const made = founded();
  const take = made.dcs.takeLock.bind(made.dcs);
  made.dcs.takeLock = async (...words) => {
    made.dcs.store.takeLock("b", made.dcs.store.grant(made.clock.bootMs(), 30_000));
    return await take(...words);
  };
  await made.agent.tick(signal);
  await settle();
  deepStrictEqual(made.postgres.calls.filter((call) => call === "promote"), []);
  strictEqual(made.board.state().cluster?.lock?.holder, "b");
});

Deno.test("tick() asks the others anew when somebody has led since they were asked", async () => {
  const made = founded();
  const { store } = made.dcs;
  const lease = store.grant(made.clock.bootMs(), 30_000);
  store.writeMember(member("b"), lease);
  let hasLed = false;
  made.askPeers = () => Promise.resolve([peer("b", { lsn: lsn(hasLed ? 2000 : 1000) })]);
  const take = made.dcs.takeLock.bind(made.dcs);
  made.dcs.takeLock = async (...words) => {
    if (!hasLed) {
      store.takeLock("b", lease);
      store.asHolder("b", (one) => void (one.status = { ...one.status, lsn: lsn(2000) }));
      store.releaseLock("b", lease);
    }
    hasLed = true;
    return await take(...words);
  };
  await made.agent.tick(signal);
  await settle();
  deepStrictEqual([hasLed, store.lock], [true, null]);
});

Deno.test("tick() keeps the last view when the store is cut off", async () => {
  const made = founded();
  await made.agent.tick(signal);
  made.dcs.fault = "cut";
  await made.agent.tick(signal);
  const { view, cluster } = made.board.state();
  strictEqual(view?.cluster.kind, "unreachable");
  strictEqual(view?.cluster.kind === "unreachable" && view.cluster.lastSeen !== null, true);
  strictEqual(cluster?.kind, "seen");
});

Deno.test("tick() of a leader without a store stops the server before the lease ends", async () => {
  const made = founded();
  await made.agent.tick(signal);
  await settle();
  await made.agent.tick(signal);
  made.dcs.fault = "cut";
  await made.clock.advance(24_000);
  await made.agent.tick(signal);
  strictEqual(made.postgres.view.kind, "primary");
  await made.clock.advance(1000);
  await made.agent.tick(signal);
  await settle();
  strictEqual(made.postgres.calls.includes("stop"), true);
});

Deno.test("run() keeps its pace, and no storm of wake-ups makes it faster than 10 ticks a second", async () => {
  const made = founded();
  const ending = new AbortController();
  let ticks = 0;
  made.postgres.probe = () => {
    ticks += 1;
    made.mailbox.wake("storm");
    return Promise.resolve(made.postgres.view);
  };
  made.dcs.store.takeLock("b", made.dcs.store.grant(made.clock.bootMs(), 1_000_000));
  const running = made.agent.run(ending.signal);
  await made.clock.advance(2000);
  strictEqual(ticks >= 15 && ticks <= 30, true, `${ticks} looks`);
  ending.abort();
  await running;
});

Deno.test("run() survives a fault of one tick", async () => {
  const made = founded();
  const ending = new AbortController();
  let looks = 0;
  made.postgres.probe = () => {
    looks += 1;
    if (looks === 1) throw new TypeError("broken");
    return Promise.resolve(made.postgres.view);
  };
  const running = made.agent.run(ending.signal);
  await made.clock.advance(11_000);
  strictEqual(made.dcs.store.lock?.value, "a");
  ending.abort();
  await running;
});

Deno.test("tick() goes on with the orders behind a checkpoint that is still running", async () => {
  const made = founded(primary({ checkpointed: false }));
  made.postgres.checkpoint = () => new Promise(() => {});
  for (let tick = 0; tick < 3; tick++) await made.agent.tick(signal);
  const { decision, outcomes } = made.board.state();
  strictEqual(outcomes.some(({ action }) => action.kind === "checkpoint"), true);
  strictEqual(outcomes.length, decision?.actions.length);
  deepStrictEqual(outcomes.filter(({ result }) => result !== "done"), []);
});

Deno.test("run() looks again soon after a tick that failed, for a lease may be ending", async () => {
  const made = founded();
  const ending = new AbortController();
  let looks = 0;
  made.postgres.probe = () => {
    looks += 1;
    throw new TypeError("broken");
  };
  const running = made.agent.run(ending.signal);
  await made.clock.advance(5000);
  strictEqual(looks >= 4, true, `${looks} looks`);
  ending.abort();
  await running;
});

Deno.test("run() hurries a shutdown's stop when the lease ends meanwhile", async () => {
  const made = founded();
  const ending = new AbortController();
  const running = made.agent.run(ending.signal);
  await made.clock.advance(1000);
  made.dcs.fault = "cut";
  made.postgres.stopHangs = true;
  made.mailbox.post({ kind: "shutdown" });
  await made.clock.advance(20_000);
  deepStrictEqual(made.postgres.stops.map(({ killAtMs }) => killAtMs), [null]);
  const lease = made.keeper.lease();
  await made.clock.advance(6000);
  const killAtMs = lease.kind === "held" ? lease.endsMs - 1000 : 0;
  strictEqual(made.postgres.stops[1]?.killAtMs, killAtMs);
  ending.abort();
  await running;
});

Deno.test("run() ends after a shutdown wish with the server stopped and the lock free", async () => {
  const made = founded();
  const running = made.agent.run(signal);
  await made.clock.advance(1000);
  strictEqual(made.postgres.view.kind, "primary");
  made.mailbox.post({ kind: "shutdown" });
  await made.clock.advance(10_000);
  await running;
  strictEqual(made.postgres.view.kind, "down");
  strictEqual(made.dcs.store.lock, null);
  strictEqual(made.dcs.calls.at(-1), "member");
});

Deno.test("tick() ends although the look at the server never does, and keeps the role it last saw", async () => {
  const made = founded();
  await made.agent.tick(signal);
  await settle();
  await made.agent.tick(signal);
  made.postgres.hangs = true;
  const tick = made.agent.tick(signal);
  await made.clock.advance(6_000);
  await tick;
  const server = made.board.state().view?.postgres;
  strictEqual(server?.kind, "silent");
  strictEqual(server.lastRole, "primary");
});

Deno.test("tick() keeps the wish to reload until the server was given its files", async () => {
  const made = founded(primary());
  await made.agent.tick(signal);
  await settle();
  const before = made.postgres.calls.filter((call) => call === "apply-settings").length;
  made.mailbox.post({ kind: "reload", localConfig: null });
  made.postgres.view = { kind: "silent", systemId: SYSTEM_ID, lastRole: "primary", why: "slow" };
  await made.agent.tick(signal);
  strictEqual(made.mailbox.wishes().length, 1);
  made.postgres.view = primary();
  await made.agent.tick(signal);
  deepStrictEqual(made.mailbox.wishes(), []);
  const after = made.postgres.calls.filter((call) => call === "apply-settings").length;
  strictEqual(after, before + 1);
});
