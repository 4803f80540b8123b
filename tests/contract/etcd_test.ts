import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { lsnFromBytes } from "../../lib/core/lsn.ts";
import { EtcdDcs } from "../../lib/dcs/etcd/etcd_dcs.ts";
import type { EtcdDcsOptions } from "../../lib/dcs/etcd/etcd_dcs.ts";
import { etcdInstalled, startEtcd } from "./etcd_process.ts";
import type { EtcdProcess } from "./etcd_process.ts";

interface World {
  readonly etcd: EtcdProcess;
  dcsOf(scope: string, parts?: Partial<EtcdDcsOptions>): EtcdDcs;
}

const ENDPOINT_MS = 400;
const noSignal = (): AbortSignal => AbortSignal.timeout(10_000);

async function withEtcd(members: 1 | 3, body: (world: World) => Promise<void>): Promise<void> {
  const etcd = await startEtcd({ members });
  const dcsOf = (scope: string, parts: Partial<EtcdDcsOptions> = {}): EtcdDcs =>
    new EtcdDcs({
      endpoints: etcd.endpoints,
      username: null,
      password: null,
      scope,
      namespace: "/service/",
      endpointMs: () => ENDPOINT_MS,
      clock: systemClock,
      ...parts,
    });
  try {
    await body({ etcd, dcsOf });
  } finally {
    await etcd.close();
  }
}

/** Writes any key from outside, as another program would. */
async function putRaw(etcd: EtcdProcess, key: string, value: string): Promise<void> {
  const body = JSON.stringify({ key: btoa(key), value: btoa(value) });
  const response = await fetch(`${etcd.endpoints[0]}/v3/kv/put`, { method: "POST", body });
  ok(response.ok, await response.text());
}

async function deleteRaw(etcd: EtcdProcess, key: string): Promise<void> {
  const body = JSON.stringify({ key: btoa(key) });
  const response = await fetch(`${etcd.endpoints[0]}/v3/kv/deleterange`, { method: "POST", body });
  ok(response.ok, await response.text());
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const endsMs = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > endsMs) throw new Error(`Cannot see ${what}: not within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const ignore = !etcdInstalled();

Deno.test("EtcdDcs on one etcd", { ignore }, async (t) => {
  await withEtcd(1, async ({ etcd, dcsOf }) => {
    await t.step("read() of an empty scope shows nothing and the default settings", async () => {
      const view = await dcsOf("empty").read(noSignal());
      deepStrictEqual([view.systemId, view.lock, view.members, view.config], [
        null,
        null,
        [],
        null,
      ]);
      deepStrictEqual([view.handover, view.history, view.faults], [null, null, []]);
    });

    await t.step("takeLock() creates the key once", async () => {
      const dcs = dcsOf("take");
      const [a, b] = [await dcs.grantLease(30, noSignal()), await dcs.grantLease(30, noSignal())];
      strictEqual((await dcs.takeLock("a", a, noSignal())).kind, "done");
      strictEqual((await dcs.takeLock("b", b, noSignal())).kind, "refused");
      const { lock } = await dcs.read(noSignal());
      deepStrictEqual([lock?.holder, lock?.lease], ["a", a]);
    });

    await t.step("takeLock() is done when its own success was lost on the way", async () => {
      const dcs = dcsOf("take-twice");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      strictEqual((await dcs.takeLock("a", lease, noSignal())).kind, "done");
    });

    await t.step("takeLock() with an unknown lease is refused", async () => {
      strictEqual((await dcsOf("no-lease").takeLock("a", "4711", noSignal())).kind, "refused");
    });

    await t.step("keepLeaseAlive() is false for a lease that was revoked", async () => {
      const dcs = dcsOf("lease");
      const lease = await dcs.grantLease(30, noSignal());
      strictEqual(await dcs.keepLeaseAlive(lease, noSignal()), true);
      await dcs.revokeLease(lease, noSignal());
      strictEqual(await dcs.keepLeaseAlive(lease, noSignal()), false);
      await dcs.revokeLease(lease, noSignal());
    });

    await t.step("renewLock() proves the lock and carries the view", async () => {
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
    });

    await t.step(
      "renewLock() is refused after another took the lock, though the lease lives",
      async () => {
        const dcs = dcsOf("stolen");
        const [mine, other] = [
          await dcs.grantLease(30, noSignal()),
          await dcs.grantLease(30, noSignal()),
        ];
        await dcs.takeLock("a", mine, noSignal());
        await deleteRaw(etcd, "/service/stolen/leader");
        await dcs.takeLock("b", other, noSignal());
        strictEqual(await dcs.keepLeaseAlive(mine, noSignal()), true);
        const renewal = await dcs.renewLock("a", mine, noSignal());
        ok(renewal.kind === "refused");
        strictEqual(renewal.keyIsFreeOrOurs, false);
        strictEqual((await dcs.retakeLock("a", mine, noSignal())).kind, "refused");
        strictEqual((await dcs.read(noSignal())).lock?.holder, "b");
      },
    );

    await t.step("renewLock() tells a deleted key from a lost one", async () => {
      const dcs = dcsOf("deleted");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      await deleteRaw(etcd, "/service/deleted/leader");
      const renewal = await dcs.renewLock("a", lease, noSignal());
      ok(renewal.kind === "refused");
      strictEqual(renewal.keyIsFreeOrOurs, true);
      strictEqual((await dcs.retakeLock("a", lease, noSignal())).kind, "done");
      strictEqual((await dcs.renewLock("a", lease, noSignal())).kind, "held");
    });

    await t.step(
      "renewLock() is refused as ours when the key has our name and another lease",
      async () => {
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
    );

    await t.step("renewLock() reports a lease that etcd does not know", async () => {
      const dcs = dcsOf("gone");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      await dcs.revokeLease(lease, noSignal());
      strictEqual((await dcs.renewLock("a", lease, noSignal())).kind, "lease-gone");
      strictEqual((await dcs.read(noSignal())).lock, null);
    });

    await t.step("releaseLock() deletes only our own key", async () => {
      const dcs = dcsOf("release");
      const [a, b] = [await dcs.grantLease(30, noSignal()), await dcs.grantLease(30, noSignal())];
      await dcs.takeLock("a", a, noSignal());
      strictEqual((await dcs.releaseLock("a", b, noSignal())).kind, "refused");
      strictEqual((await dcs.releaseLock("b", a, noSignal())).kind, "refused");
      strictEqual((await dcs.releaseLock("a", a, noSignal())).kind, "done");
      strictEqual((await dcs.read(noSignal())).lock, null);
    });

    await t.step("claimBootstrap() lets one in, foundCluster() makes it last", async () => {
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
    });

    await t.step("abandonBootstrap() gives back our claim only", async () => {
      const dcs = dcsOf("abandon");
      const [a, b] = [await dcs.grantLease(30, noSignal()), await dcs.grantLease(30, noSignal())];
      await dcs.claimBootstrap(a, noSignal());
      strictEqual((await dcs.abandonBootstrap(b, noSignal())).kind, "refused");
      strictEqual((await dcs.abandonBootstrap(a, noSignal())).kind, "done");
      strictEqual((await dcs.read(noSignal())).systemId, null);
    });

    await t.step("restoreKeys() fills in what is missing, while the lock is ours", async () => {
      const dcs = dcsOf("restore");
      const lease = await dcs.grantLease(30, noSignal());
      strictEqual(
        (await dcs.restoreKeys("a", "7300000000000000001", {}, noSignal())).kind,
        "refused",
      );
      await dcs.takeLock("a", lease, noSignal());
      await putRaw(etcd, "/service/restore/config", '{"ttl":40}');
      strictEqual(
        (await dcs.restoreKeys("a", "7300000000000000001", { ttl: 30 }, noSignal())).kind,
        "done",
      );
      const view = await dcs.read(noSignal());
      deepStrictEqual([view.systemId, view.config?.raw], ["7300000000000000001", { ttl: 40 }]);
    });

    await t.step("writeStatus() and writeHistory() need the lock", async () => {
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
    });

    await t.step("writeHandover() compares the revision, clearHandover() leaves {}", async () => {
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
    });

    await t.step("writeConfig() compares the revision, also that of garbage", async () => {
      const dcs = dcsOf("config");
      await putRaw(etcd, "/service/config/config", "[garbage");
      const spoilt = await dcs.read(noSignal());
      deepStrictEqual([spoilt.config, spoilt.faults.length], [null, 1]);
      strictEqual((await dcs.writeConfig({ ttl: 25 }, 0n, noSignal())).kind, "done");
      const view = await dcs.read(noSignal());
      strictEqual(view.settings.ttlS, 25);
      const revision = view.config?.revision ?? 0n;
      strictEqual((await dcs.writeConfig({ ttl: 26 }, revision - 1n, noSignal())).kind, "refused");
      strictEqual((await dcs.writeConfig({ ttl: 26 }, revision, noSignal())).kind, "done");
    });

    await t.step("read() keeps the last valid settings when config goes bad or away", async () => {
      const dcs = dcsOf("settings");
      await putRaw(etcd, "/service/settings/config", '{"ttl":40}');
      await dcs.read(noSignal());
      await putRaw(etcd, "/service/settings/config", '{"ttl":"forty"}');
      strictEqual((await dcs.read(noSignal())).settings.ttlS, 40);
      await deleteRaw(etcd, "/service/settings/config");
      strictEqual((await dcs.read(noSignal())).settings.ttlS, 40);
    });

    await t.step("watch() hints at waking keys, not at members and status", async () => {
      const dcs = dcsOf("watch");
      const closer = new AbortController();
      let hints = 0;
      const watching = dcs.watch(() => void hints++, () => 30_000, closer.signal);
      await until("the first hint", () => hints === 1);
      await putRaw(etcd, "/service/watch/members/a", "{}");
      await putRaw(etcd, "/service/watch/status", "{}");
      const askedMs = performance.now();
      await putRaw(etcd, "/service/watch/failover", "{}");
      await until("a hint for failover", () => hints === 2);
      ok(performance.now() - askedMs < 1000);
      await deleteRaw(etcd, "/service/watch/failover");
      await until("a hint for a deleted key", () => hints === 3);
      closer.abort();
      await watching;
    });

    await t.step("watch() reopens a silent stream and hints again", async () => {
      const closer = new AbortController();
      let hints = 0;
      const watching = dcsOf("silent").watch(() => void hints++, () => 300, closer.signal);
      await until("a reopened stream", () => hints >= 3);
      closer.abort();
      await watching;
    });

    await t.step("a member's lease carries its keys away with it", async () => {
      const dcs = dcsOf("expiry");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.writeMember("a", { role: "master" }, lease, noSignal());
      strictEqual((await dcs.read(noSignal())).members[0]?.role, "primary");
      await dcs.revokeLease(lease, noSignal());
      deepStrictEqual((await dcs.read(noSignal())).members, []);
    });

    await t.step("a dead etcd: read() throws, writes are unknown, renewal too", async () => {
      const dcs = dcsOf("dead");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      await etcd.kill(0);
      const soon = (): AbortSignal => AbortSignal.timeout(300);
      await rejects(dcs.read(soon()), DcsUnreachable);
      strictEqual((await dcs.takeLock("a", lease, soon())).kind, "unknown");
      strictEqual((await dcs.renewLock("a", lease, soon())).kind, "unknown");
      strictEqual(dcs.health().endpoints[0]?.reachable, false);
      const renewing = dcs.renewLock("a", lease, noSignal());
      await etcd.restart(0);
      strictEqual((await renewing).kind, "held");
    });
  });
});

Deno.test("EtcdDcs on three etcd members", { ignore }, async (t) => {
  await withEtcd(3, async ({ etcd, dcsOf }) => {
    await t.step("a hung endpoint costs its share once", async () => {
      const follower = (await etcd.leader() + 1) % 3;
      const hung = etcd.endpoints[follower] ?? "";
      const others = etcd.endpoints.filter((url) => url !== hung);
      const dcs = dcsOf("hung", { endpoints: [hung, ...others] });
      etcd.stop(follower);
      const firstMs = await took(() => dcs.read(noSignal()));
      const secondMs = await took(() => dcs.read(noSignal()));
      etcd.cont(follower);
      ok(firstMs >= ENDPOINT_MS - 50 && firstMs < ENDPOINT_MS * 2, `first read ${firstMs} ms`);
      ok(secondMs < ENDPOINT_MS / 2, `second read ${secondMs} ms`);
      deepStrictEqual(dcs.health().endpoints.map((one) => one.reachable), [false, true, null]);
    });

    await t.step("renewLock() holds while etcd's leader hangs", async () => {
      const dcs = dcsOf("leader-hung");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      const leader = await etcd.leader();
      etcd.stop(leader);
      const renewal = { kind: "unknown" };
      const renewMs = await took(async () => {
        renewal.kind = (await dcs.renewLock("a", lease, noSignal())).kind;
      });
      etcd.cont(leader);
      strictEqual(renewal.kind, "held");
      ok(renewMs < 6000, `renewal took ${renewMs} ms`);
    });

    await t.step("watch() leaves an endpoint that hangs as soon as a call notices it", async () => {
      const follower = (await etcd.leader() + 1) % 3;
      const hung = etcd.endpoints[follower] ?? "";
      const others = etcd.endpoints.filter((url) => url !== hung);
      const dcs = dcsOf("watch-hung", { endpoints: [hung, ...others] });
      const closer = new AbortController();
      let hints = 0;
      const watching = dcs.watch(() => void hints++, () => 60_000, closer.signal);
      await until("the first hint", () => hints === 1);
      etcd.stop(follower);
      await dcs.read(noSignal());
      await until("the hint of a new stream", () => hints === 2);
      etcd.cont(follower);
      closer.abort();
      await watching;
    });

    await t.step("without a quorum nothing is proven", async () => {
      const dcs = dcsOf("minority");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      await etcd.kill(1);
      await etcd.kill(2);
      const renewal = await dcs.renewLock("a", lease, AbortSignal.timeout(3000));
      strictEqual(renewal.kind, "unknown");
      await rejects(dcs.read(AbortSignal.timeout(500)), DcsUnreachable);
    });
  });
});

Deno.test("EtcdDcs with authentication", { ignore }, async (t) => {
  await withEtcd(1, async ({ etcd, dcsOf }) => {
    await enableAuth(etcd.endpoints[0] ?? "");
    const dcs = dcsOf("mine", { username: "agent", password: "secret" });

    await t.step("renewLock() holds with a login", async () => {
      const lease = await dcs.grantLease(30, noSignal());
      strictEqual((await dcs.takeLock("a", lease, noSignal())).kind, "done");
      strictEqual((await dcs.renewLock("a", lease, noSignal())).kind, "held");
    });

    await t.step("read() logs in again after etcd has forgotten its tokens", async () => {
      await etcd.restart(0);
      strictEqual((await dcs.read(noSignal())).lock?.holder, "a");
    });

    await t.step("writes outside the role are refused, reads throw", async () => {
      const other = dcsOf("other", { username: "agent", password: "secret" });
      const lease = await other.grantLease(30, noSignal());
      strictEqual((await other.takeLock("a", lease, noSignal())).kind, "refused");
      strictEqual((await other.renewLock("a", lease, noSignal())).kind, "unknown");
      await rejects(other.read(noSignal()), DcsUnreachable);
    });

    await t.step("watch() gives no hint without permission", async () => {
      const closer = new AbortController();
      let hints = 0;
      const other = dcsOf("other", { username: "agent", password: "secret" });
      const watching = other.watch(() => void hints++, () => 30_000, closer.signal);
      await dcs.read(noSignal());
      closer.abort();
      await watching;
      strictEqual(hints, 0);
    });

    await t.step("a wrong password and a missing login are told at once", async () => {
      const wrong = dcsOf("mine", { username: "agent", password: "guess" });
      await rejects(wrong.read(noSignal()), DcsUnreachable);
      const anonymous = dcsOf("mine");
      await rejects(anonymous.read(noSignal()), DcsUnreachable);
      strictEqual((await anonymous.takeLock("a", "1", noSignal())).kind, "refused");
    });
  });
});

/** Users `root` and `agent` (password `secret`); `agent` may use `/service/mine/` only. */
async function enableAuth(url: string): Promise<void> {
  const range = { key: btoa("/service/mine/"), range_end: btoa("/service/mine0") };
  const steps: readonly [string, unknown][] = [
    ["user/add", { name: "root", password: "secret" }],
    ["role/add", { name: "root" }],
    ["user/grant", { user: "root", role: "root" }],
    ["user/add", { name: "agent", password: "secret" }],
    ["role/add", { name: "agent" }],
    ["role/grant", { name: "agent", perm: { permType: "READWRITE", ...range } }],
    ["user/grant", { user: "agent", role: "agent" }],
    ["enable", {}],
  ];
  for (const [path, body] of steps) {
    const options = { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${url}/v3/auth/${path}`, options);
    ok(response.ok, `${path}: ${await response.text()}`);
  }
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
