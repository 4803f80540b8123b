import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { lsnFromBytes } from "../../lib/core/lsn.ts";
import { noSignal, until } from "./store_world.ts";
import type { Promised } from "./store_world.ts";

/** What every store promises about the other keys and the watch. */
export const KEY_PROMISES: readonly Promised[] = [
  {
    title: "claimBootstrap() lets one in, foundCluster() makes it last",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("found");
      const [a, b] = [await dcs.grantLease(30, noSignal()), await dcs.grantLease(30, noSignal())];
      strictEqual((await dcs.claimBootstrap(a, noSignal())).kind, "done");
      strictEqual((await dcs.claimBootstrap(b, noSignal())).kind, "refused");
      strictEqual((await dcs.read(noSignal())).systemId, "");
      const id = "7300000000000000001";
      strictEqual((await dcs.foundCluster(b, id, { ttl: 30 }, noSignal())).kind, "refused");
      strictEqual((await dcs.foundCluster(a, id, { ttl: 25 }, noSignal())).kind, "done");
      await dcs.revokeLease(a, noSignal());
      const view = await dcs.read(noSignal());
      deepStrictEqual([view.systemId, view.config?.raw], [id, { ttl: 25 }]);
    },
  },
  {
    title: "abandonBootstrap() gives back our claim only",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("abandon");
      const [a, b] = [await dcs.grantLease(30, noSignal()), await dcs.grantLease(30, noSignal())];
      await dcs.claimBootstrap(a, noSignal());
      strictEqual((await dcs.abandonBootstrap(b, noSignal())).kind, "refused");
      strictEqual((await dcs.abandonBootstrap(a, noSignal())).kind, "done");
      strictEqual((await dcs.read(noSignal())).systemId, null);
    },
  },
  {
    title: "restoreKeys() fills in what is missing, while the lock is ours",
    run: async ({ dcsOf, put }) => {
      const dcs = dcsOf("restore");
      const lease = await dcs.grantLease(30, noSignal());
      strictEqual(
        (await dcs.restoreKeys("a", "7300000000000000001", {}, noSignal())).kind,
        "refused",
      );
      await dcs.takeLock("a", lease, noSignal());
      await put("/service/restore/config", '{"ttl":40}');
      strictEqual(
        (await dcs.restoreKeys("a", "7300000000000000001", { ttl: 30 }, noSignal())).kind,
        "done",
      );
      const view = await dcs.read(noSignal());
      deepStrictEqual([view.systemId, view.config?.raw], ["7300000000000000001", { ttl: 40 }]);
    },
  },
  {
    title: "P12 writeMember() takes the record over once and never from a second process",
    run: async ({ dcsOf }) => {
      const [first, second] = [dcsOf("twins"), dcsOf("twins")];
      const lease = (): Promise<string> => first.grantLease(30, noSignal());
      const [a, b, c] = [await lease(), await lease(), await lease()];
      const roleOf = async (): Promise<unknown> => (await first.read(noSignal())).members[0]?.role;
      strictEqual((await first.writeMember("a", { role: "replica" }, a, noSignal())).kind, "done");
      strictEqual((await first.writeMember("a", { role: "primary" }, b, noSignal())).kind, "done");
      strictEqual((await second.writeMember("a", { role: "replica" }, c, noSignal())).kind, "done");
      const late = await first.writeMember("a", { role: "primary" }, b, noSignal());
      strictEqual(late.kind, "refused");
      ok(late.kind === "refused" && late.why.includes("another agent of this name"));
      strictEqual(await roleOf(), "replica");
      await first.revokeLease(c, noSignal());
      strictEqual((await first.writeMember("a", { role: "primary" }, b, noSignal())).kind, "done");
      strictEqual(await roleOf(), "primary");
    },
  },
  {
    title: "P12 takeLock() and claimBootstrap() are refused once a second process has the record",
    run: async ({ dcsOf }) => {
      const [first, second] = [dcsOf("twin-lock"), dcsOf("twin-lock")];
      const a = await first.grantLease(30, noSignal());
      const b = await second.grantLease(30, noSignal());
      await first.writeMember("a", { role: "replica" }, a, noSignal());
      await second.writeMember("a", { role: "replica" }, b, noSignal());
      for (let tries = 0; tries < 2; tries++) {
        const taken = await first.takeLock("a", a, noSignal());
        ok(taken.kind === "refused" && taken.why.includes("another agent of this name"));
        strictEqual((await first.claimBootstrap(a, noSignal())).kind, "refused");
      }
      strictEqual((await second.takeLock("a", b, noSignal())).kind, "done");
    },
  },
  {
    title: "writeStatus() and writeHistory() need the lock",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("status");
      const status = { lsn: lsnFromBytes(2n ** 60n + 1n), slots: {}, retainSlots: ["b", "a"] };
      const line = { timeline: 1, lsn: lsnFromBytes(5), reason: "no recovery target specified" };
      const lines = [{ ...line, at: "2026-01-01T00:00:00+00:00", newLeader: "b" }];
      strictEqual((await dcs.writeStatus("a", status, noSignal())).kind, "refused");
      await dcs.takeLock("a", await dcs.grantLease(30, noSignal()), noSignal());
      strictEqual((await dcs.writeStatus("a", status, noSignal())).kind, "done");
      strictEqual((await dcs.writeHistory("a", lines, noSignal())).kind, "done");
      strictEqual((await dcs.writeHistory("b", lines, noSignal())).kind, "refused");
      const view = await dcs.read(noSignal());
      deepStrictEqual(view.status, { ...status, retainSlots: ["a", "b"] });
      deepStrictEqual(view.history, lines);
    },
  },
  {
    title: "writeFailsafe() needs the lock and the list that was read, also garbage",
    run: async ({ dcsOf, put }) => {
      const dcs = dcsOf("safe");
      const write = async (who: string, members: object | null, revision: bigint) => {
        const change = { members: members && { ...members }, revision };
        return (await dcs.writeFailsafe(who, change, noSignal())).kind;
      };
      const seen = async () => (await dcs.read(noSignal())).failsafe;
      const list = { b: "http://b/patroni", a: "http://a/patroni" };
      strictEqual(await write("a", list, 0n), "refused");
      await dcs.takeLock("a", await dcs.grantLease(30, noSignal()), noSignal());
      strictEqual(await write("b", list, 0n), "refused");
      strictEqual(await write("a", list, 0n), "done");
      const first = await seen();
      deepStrictEqual(first?.members, list);
      strictEqual(await write("a", { a: "http://a/patroni" }, 0n), "refused");
      strictEqual(await write("a", { a: "http://a/patroni" }, first?.revision ?? 0n), "done");
      strictEqual(await write("a", null, first?.revision ?? 0n), "refused");
      strictEqual(await write("a", null, (await seen())?.revision ?? 0n), "done");
      await put("/service/safe/failsafe", '{"a":5}');
      strictEqual(await seen(), null);
      strictEqual(await write("a", list, 0n), "done");
      deepStrictEqual((await seen())?.members, list);
    },
  },
  {
    title: "writeHandover() compares the revision, clearHandover() leaves {}",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("handover");
      const wish = { leader: "a", candidate: "b", scheduledAt: null };
      strictEqual((await dcs.writeHandover(wish, 0n, noSignal())).kind, "done");
      const seen = (await dcs.read(noSignal())).handover;
      deepStrictEqual([seen?.leader, seen?.candidate], ["a", "b"]);
      const other = { ...wish, candidate: "c" };
      strictEqual((await dcs.writeHandover(other, 0n, noSignal())).kind, "refused");
      strictEqual((await dcs.clearHandover(1n, noSignal())).kind, "refused");
      strictEqual((await dcs.clearHandover(seen?.revision ?? 0n, noSignal())).kind, "done");
      strictEqual((await dcs.read(noSignal())).handover, null);
      strictEqual((await dcs.writeHandover(other, 0n, noSignal())).kind, "done");
    },
  },
  {
    title: "writeConfig() compares the revision, also that of garbage",
    run: async ({ dcsOf, put }) => {
      const dcs = dcsOf("config");
      await put("/service/config/config", "[garbage");
      const spoilt = await dcs.read(noSignal());
      deepStrictEqual([spoilt.config, spoilt.faults.length], [null, 1]);
      strictEqual((await dcs.writeConfig({ ttl: 25 }, 0n, noSignal())).kind, "done");
      const view = await dcs.read(noSignal());
      strictEqual(view.settings.ttlS, 25);
      const revision = view.config?.revision ?? 0n;
      strictEqual((await dcs.writeConfig({ ttl: 26 }, revision - 1n, noSignal())).kind, "refused");
      strictEqual((await dcs.writeConfig({ ttl: 26 }, revision, noSignal())).kind, "done");
    },
  },
  {
    title: "read() keeps the last valid settings when config goes bad or away",
    run: async ({ dcsOf, put, remove }) => {
      const dcs = dcsOf("settings");
      await put("/service/settings/config", '{"ttl":40}');
      await dcs.read(noSignal());
      await put("/service/settings/config", '{"ttl":"forty"}');
      strictEqual((await dcs.read(noSignal())).settings.ttlS, 40);
      await remove("/service/settings/config");
      strictEqual((await dcs.read(noSignal())).settings.ttlS, 40);
    },
  },
  {
    title: "watch() hints at waking keys and new members, not at what is written every loop",
    run: async ({ dcsOf, put, remove }) => {
      const dcs = dcsOf("watch");
      const closer = new AbortController();
      let hints = 0;
      const watching = dcs.watch(() => void hints++, () => 30_000, closer.signal);
      await until("the first hint", () => hints === 1);
      await put("/service/watch/members/a", "{}");
      await until("a hint for a new member", () => hints === 2);
      await put("/service/watch/members/a", "{}");
      await put("/service/watch/status", "{}");
      const askedMs = performance.now();
      await put("/service/watch/failover", "{}");
      await until("a hint for failover", () => hints === 3);
      ok(performance.now() - askedMs < 1000);
      await remove("/service/watch/failover");
      await until("a hint for a deleted key", () => hints === 4);
      closer.abort();
      await watching;
    },
  },
  {
    title: "a member's lease carries its keys away with it",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("expiry");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.writeMember("a", { role: "master" }, lease, noSignal());
      strictEqual((await dcs.read(noSignal())).members[0]?.role, "primary");
      await dcs.revokeLease(lease, noSignal());
      deepStrictEqual((await dcs.read(noSignal())).members, []);
    },
  },
];
