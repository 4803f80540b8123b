import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { LSN_ZERO } from "../../lib/core/lsn.ts";
import { noSignal } from "./store_world.ts";
import type { Promised } from "./store_world.ts";

/** What every store promises about leases and the lock. */
export const LOCK_PROMISES: readonly Promised[] = [
  {
    title: "read() of an empty scope shows nothing and the default settings",
    run: async ({ dcsOf }) => {
      const view = await dcsOf("empty").read(noSignal());
      deepStrictEqual([view.systemId, view.lock, view.members, view.config], [
        null,
        null,
        [],
        null,
      ]);
      deepStrictEqual([view.handover, view.history, view.faults], [null, null, []]);
    },
  },
  {
    title: "takeLock() creates the key once",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("take");
      const [a, b] = [await dcs.grantLease(30, noSignal()), await dcs.grantLease(30, noSignal())];
      strictEqual((await dcs.takeLock("a", a, noSignal())).kind, "done");
      strictEqual((await dcs.takeLock("b", b, noSignal())).kind, "refused");
      const { lock } = await dcs.read(noSignal());
      deepStrictEqual([lock?.holder, lock?.lease], ["a", a]);
    },
  },
  {
    title: "takeLock() is done when its own success was lost on the way",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("take-twice");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      strictEqual((await dcs.takeLock("a", lease, noSignal())).kind, "done");
    },
  },
  {
    title: "takeLock() is refused when the list of failsafe mode is not the one that was read",
    run: async ({ dcsOf, put }) => {
      const dcs = dcsOf("take-list");
      const lease = await dcs.grantLease(30, noSignal());
      const take = async (list = 0n) => (await dcs.takeLock("a", lease, noSignal(), { list })).kind;
      await put("/service/take-list/failsafe", '{"b":"http://b/patroni"}');
      const { failsafe } = await dcs.read(noSignal());
      ok(failsafe !== null);
      strictEqual(await take(), "refused");
      strictEqual(await take(failsafe.revision - 1n), "refused");
      strictEqual(await take(failsafe.revision), "done");
      await dcs.releaseLock("a", lease, noSignal());
      await put("/service/take-list/failsafe", "garbage");
      await dcs.read(noSignal());
      strictEqual(await take(failsafe.revision), "refused");
      strictEqual(await take(), "done");
    },
  },
  {
    title: "takeLock() is refused when a leader has written status or history since the look",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("take-look");
      const [a, b] = [await dcs.grantLease(30, noSignal()), await dcs.grantLease(30, noSignal())];
      const take = async (revision: bigint) =>
        (await dcs.takeLock("a", a, noSignal(), { revision })).kind;
      const lead = async (write: () => Promise<unknown>): Promise<void> => {
        await dcs.takeLock("b", b, noSignal());
        await write();
        await dcs.releaseLock("b", b, noSignal());
      };
      const first = await dcs.read(noSignal());
      await lead(() => dcs.writeHistory("b", [], noSignal()));
      const second = await dcs.read(noSignal());
      const status = { lsn: LSN_ZERO, slots: {}, retainSlots: [] };
      await lead(() => dcs.writeStatus("b", status, noSignal()));
      deepStrictEqual([await take(first.revision), await take(second.revision)], [
        "refused",
        "refused",
      ]);
      const third = await dcs.read(noSignal());
      await dcs.writeMember("b", { state: "running", role: "replica" }, b, noSignal());
      strictEqual(await take(third.revision), "done");
    },
  },
  {
    title: "takeLock() with an unknown lease is refused",
    run: async ({ dcsOf }) => {
      strictEqual((await dcsOf("no-lease").takeLock("a", "4711", noSignal())).kind, "refused");
    },
  },
  {
    title: "keepLeaseAlive() is false for a lease that was revoked",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("lease");
      const lease = await dcs.grantLease(30, noSignal());
      strictEqual(await dcs.keepLeaseAlive(lease, noSignal()), true);
      await dcs.revokeLease(lease, noSignal());
      strictEqual(await dcs.keepLeaseAlive(lease, noSignal()), false);
      await dcs.revokeLease(lease, noSignal());
    },
  },
  {
    title: "renewLock() proves the lock and carries the view",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("renew");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      await dcs.writeMember("a", { state: "running", role: "primary" }, lease, noSignal());
      const renewal = await dcs.renewLock("a", lease, noSignal());
      ok(renewal.kind === "held");
      deepStrictEqual(renewal.view.members.map(({ name, role }) => [name, role]), [[
        "a",
        "primary",
      ]]);
      deepStrictEqual(renewal.view, await dcs.read(noSignal()));
    },
  },
  {
    title: "A8 renewLock() is refused after another took the lock, though the lease lives",
    run: async ({ dcsOf, remove }) => {
      const dcs = dcsOf("stolen");
      const [mine, other] = [
        await dcs.grantLease(30, noSignal()),
        await dcs.grantLease(30, noSignal()),
      ];
      await dcs.takeLock("a", mine, noSignal());
      await remove("/service/stolen/leader");
      await dcs.takeLock("b", other, noSignal());
      strictEqual(await dcs.keepLeaseAlive(mine, noSignal()), true);
      const renewal = await dcs.renewLock("a", mine, noSignal());
      ok(renewal.kind === "refused");
      strictEqual(renewal.keyIsFreeOrOurs, false);
      strictEqual((await dcs.retakeLock("a", mine, noSignal())).kind, "refused");
      strictEqual((await dcs.read(noSignal())).lock?.holder, "b");
    },
  },
  {
    title: "renewLock() tells a deleted key from a lost one",
    run: async ({ dcsOf, remove }) => {
      const dcs = dcsOf("deleted");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      await remove("/service/deleted/leader");
      const renewal = await dcs.renewLock("a", lease, noSignal());
      ok(renewal.kind === "refused");
      strictEqual(renewal.keyIsFreeOrOurs, true);
      strictEqual((await dcs.retakeLock("a", lease, noSignal())).kind, "done");
      strictEqual((await dcs.renewLock("a", lease, noSignal())).kind, "held");
    },
  },
  {
    title: "renewLock() is refused as ours when the key has our name and another lease",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("reattach");
      const [old, fresh] = [
        await dcs.grantLease(30, noSignal()),
        await dcs.grantLease(30, noSignal()),
      ];
      await dcs.takeLock("a", old, noSignal());
      const renewal = await dcs.renewLock("a", fresh, noSignal());
      ok(renewal.kind === "refused");
      strictEqual(renewal.keyIsFreeOrOurs, true);
      strictEqual((await dcs.retakeLock("a", fresh, noSignal())).kind, "done");
      await dcs.revokeLease(old, noSignal());
      strictEqual((await dcs.renewLock("a", fresh, noSignal())).kind, "held");
    },
  },
  {
    title: "renewLock() reports a lease that etcd does not know",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("gone");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      await dcs.revokeLease(lease, noSignal());
      strictEqual((await dcs.renewLock("a", lease, noSignal())).kind, "lease-gone");
      strictEqual((await dcs.read(noSignal())).lock, null);
    },
  },
  {
    title: "releaseLock() deletes only our own key",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("release");
      const [a, b] = [await dcs.grantLease(30, noSignal()), await dcs.grantLease(30, noSignal())];
      await dcs.takeLock("a", a, noSignal());
      strictEqual((await dcs.releaseLock("a", b, noSignal())).kind, "refused");
      strictEqual((await dcs.releaseLock("b", a, noSignal())).kind, "refused");
      strictEqual((await dcs.releaseLock("a", a, noSignal())).kind, "done");
      strictEqual((await dcs.read(noSignal())).lock, null);
    },
  },
];
