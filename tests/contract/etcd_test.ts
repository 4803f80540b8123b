import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { EtcdDcs } from "../../lib/dcs/etcd/etcd_dcs.ts";
import type { EtcdDcsOptions } from "../../lib/dcs/etcd/etcd_dcs.ts";
import { etcdInstalled, startEtcd } from "./etcd_process.ts";
import type { EtcdProcess } from "./etcd_process.ts";
import { KEY_PROMISES } from "./key_promises.ts";
import { LOCK_PROMISES } from "./lock_promises.ts";
import { recordingRoad } from "./recording_road.ts";
import { noSignal, until } from "./store_world.ts";
import type { StoreWorld } from "./store_world.ts";

interface EtcdWorld extends StoreWorld {
  readonly etcd: EtcdProcess;
  dcsOf(scope: string, parts?: Partial<EtcdDcsOptions>): EtcdDcs;
}

interface EtcdCase {
  readonly title: string;
  readonly run: (world: EtcdWorld) => Promise<void>;
}

const ENDPOINT_MS = 400;
const LOGIN = { username: "agent", password: "secret" };
const ignore = !etcdInstalled();

const ONE_MEMBER: readonly EtcdCase[] = [
  {
    title: "watch() reopens a silent stream, and hints again only where etcd has moved on",
    run: async ({ dcsOf }) => {
      const closer = new AbortController();
      let hints = 0;
      let streams = 0;
      const counting: typeof fetch = (input, init) => {
        if (String(input).endsWith("/v3/watch")) streams++;
        return fetch(input, init);
      };
      const silent = dcsOf("silent", { fetch: counting });
      const watching = silent.watch(() => void hints++, () => 300, closer.signal);
      try {
        await until("a stream reopened twice", () => streams >= 3);
        strictEqual(hints, 1);
        const other = dcsOf("elsewhere");
        const lease = await other.grantLease(30, noSignal());
        await other.writeMember("a", {}, lease, noSignal()); // unheard by the stream, seen by the next one
        await until("a hint of the next stream", () => hints === 2);
      } finally {
        closer.abort();
        await watching;
      }
    },
  },
  {
    title: "a dead etcd: read() throws, writes are unknown, renewal too",
    run: async ({ etcd, dcsOf }) => {
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
    },
  },
];

const LATE_REQUESTS: readonly EtcdCase[] = [
  {
    title: "takeLock() that arrives again after releaseLock() does nothing",
    run: async ({ etcd, dcsOf }) => {
      await using road = recordingRoad(etcd.endpoints[0] ?? "");
      const dcs = dcsOf("late-lock", { endpoints: [road.url] });
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.writeMember("a", {}, lease, noSignal());
      strictEqual((await dcs.takeLock("a", lease, noSignal())).kind, "done");
      const late = road.last();
      strictEqual((await dcs.releaseLock("a", lease, noSignal())).kind, "done");
      await late();
      strictEqual((await dcs.read(noSignal())).lock, null);
      strictEqual((await dcs.takeLock("a", lease, noSignal())).kind, "done");
    },
  },
  {
    title: "claimBootstrap() that arrives again after abandonBootstrap() does nothing",
    run: async ({ etcd, dcsOf }) => {
      await using road = recordingRoad(etcd.endpoints[0] ?? "");
      const dcs = dcsOf("late-claim", { endpoints: [road.url] });
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.writeMember("a", {}, lease, noSignal());
      strictEqual((await dcs.claimBootstrap(lease, noSignal())).kind, "done");
      const late = road.last();
      strictEqual((await dcs.abandonBootstrap(lease, noSignal())).kind, "done");
      await late();
      strictEqual((await dcs.read(noSignal())).systemId, null);
    },
  },
];

const THREE_MEMBERS: readonly EtcdCase[] = [
  {
    title: "A9 a hung endpoint costs its share once",
    run: async ({ etcd, dcsOf }) => {
      const follower = (await etcd.leader() + 1) % 3;
      const hung = etcd.endpoints[follower] ?? "";
      const others = etcd.endpoints.filter((url) => url !== hung);
      const dcs = dcsOf("hung", { endpoints: [hung, ...others] });
      etcd.stop(follower);
      const firstMs = await took(() => dcs.read(noSignal()));
      const secondMs = await took(() => dcs.read(noSignal()));
      etcd.cont(follower);
      ok(firstMs >= ENDPOINT_MS - 50 && firstMs < ENDPOINT_MS * 4, `first read ${firstMs} ms`);
      ok(secondMs < ENDPOINT_MS - 50, `second read ${secondMs} ms`);
      deepStrictEqual(dcs.health().endpoints.map((one) => one.reachable), [false, true, null]);
    },
  },
  {
    title: "A9 renewLock() holds while etcd's leader hangs",
    run: async ({ etcd, dcsOf }) => {
      const dcs = dcsOf("leader-hung");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      const leader = await etcd.leader();
      etcd.stop(leader);
      const startMs = performance.now();
      const renewal = await dcs.renewLock("a", lease, noSignal());
      const renewMs = performance.now() - startMs;
      etcd.cont(leader);
      strictEqual(renewal.kind, "held");
      ok(renewMs < 6000, `renewal took ${renewMs} ms`);
    },
  },
  {
    title: "watch() leaves an endpoint that hangs as soon as a call notices it",
    run: async ({ etcd, dcsOf }) => {
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
    },
  },
  {
    title: "without a quorum nothing is proven",
    run: async ({ etcd, dcsOf }) => {
      const dcs = dcsOf("minority");
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.takeLock("a", lease, noSignal());
      await etcd.kill(1);
      await etcd.kill(2);
      const renewal = await dcs.renewLock("a", lease, AbortSignal.timeout(3000));
      strictEqual(renewal.kind, "unknown");
      await rejects(dcs.read(AbortSignal.timeout(500)), DcsUnreachable);
    },
  },
];

const WITH_LOGIN: readonly EtcdCase[] = [
  {
    title: "renewLock() holds with a login",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("mine", LOGIN);
      const lease = await dcs.grantLease(30, noSignal());
      strictEqual((await dcs.takeLock("a", lease, noSignal())).kind, "done");
      strictEqual((await dcs.renewLock("a", lease, noSignal())).kind, "held");
    },
  },
  {
    title: "A12 read() logs in again after etcd has forgotten its tokens",
    run: async ({ dcsOf, etcd }) => {
      const dcs = dcsOf("mine", LOGIN);
      await etcd.restart(0);
      strictEqual((await dcs.read(noSignal())).lock?.holder, "a");
    },
  },
  {
    title: "writes outside the role are refused, reads throw",
    run: async ({ dcsOf }) => {
      const other = dcsOf("other", LOGIN);
      const lease = await other.grantLease(30, noSignal());
      strictEqual((await other.takeLock("a", lease, noSignal())).kind, "refused");
      strictEqual((await other.renewLock("a", lease, noSignal())).kind, "unknown");
      await rejects(other.read(noSignal()), DcsUnreachable);
    },
  },
  {
    title: "watch() gives no hint without permission",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf("mine", LOGIN);
      const closer = new AbortController();
      let hints = 0;
      const other = dcsOf("other", LOGIN);
      const watching = other.watch(() => void hints++, () => 30_000, closer.signal);
      await dcs.read(noSignal());
      closer.abort();
      await watching;
      strictEqual(hints, 0);
    },
  },
  {
    title: "a wrong password and a missing login are told at once",
    run: async ({ dcsOf }) => {
      const wrong = dcsOf("mine", { username: "agent", password: "guess" });
      await rejects(wrong.read(noSignal()), DcsUnreachable);
      const anonymous = dcsOf("mine");
      await rejects(anonymous.read(noSignal()), DcsUnreachable);
      strictEqual((await anonymous.takeLock("a", "1", noSignal())).kind, "refused");
    },
  },
];

Deno.test("EtcdDcs on one etcd", { ignore }, async (t) => {
  await using etcd = await startEtcd({ members: 1 });
  const world = worldOf(etcd);
  for (
    const { title, run } of [...LOCK_PROMISES, ...KEY_PROMISES, ...LATE_REQUESTS, ...ONE_MEMBER]
  ) {
    await t.step(title, () => run(world));
  }
});

Deno.test("EtcdDcs on three etcd members", { ignore }, async (t) => {
  await using etcd = await startEtcd({ members: 3 });
  const world = worldOf(etcd);
  for (const { title, run } of THREE_MEMBERS) await t.step(title, () => run(world));
});

Deno.test("EtcdDcs with authentication", { ignore }, async (t) => {
  await using etcd = await startEtcd({ members: 1 });
  await enableAuth(etcd.endpoints[0] ?? "");
  const world = worldOf(etcd);
  for (const { title, run } of WITH_LOGIN) await t.step(title, () => run(world));
});

function worldOf(etcd: EtcdProcess): EtcdWorld {
  const url = etcd.endpoints[0] ?? "";
  const defaults = {
    endpoints: etcd.endpoints,
    username: null,
    password: null,
    namespace: "/service/",
    endpointMs: () => ENDPOINT_MS,
    clock: systemClock,
  };
  return {
    etcd,
    dcsOf: (scope, parts = {}) => new EtcdDcs({ ...defaults, scope, ...parts }),
    put: (key, value) => post(`${url}/v3/kv/put`, { key: btoa(key), value: btoa(value) }),
    remove: (key) => post(`${url}/v3/kv/deleterange`, { key: btoa(key) }),
  };
}

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  ok(response.ok, `${url}: ${await response.text()}`);
}

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
    await post(`${url}/v3/auth/${path}`, body);
  }
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
