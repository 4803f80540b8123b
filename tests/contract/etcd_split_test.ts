import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { int64In, objectIn } from "../../lib/dcs/etcd/answer.ts";
import { EtcdDcs } from "../../lib/dcs/etcd/etcd_dcs.ts";
import { etcdInstalled, startEtcd } from "./etcd_process.ts";
import type { EtcdPlan, EtcdProcess } from "./etcd_process.ts";
import { noSignal } from "./store_world.ts";

const ignore = !etcdInstalled();
const LOGIN = { username: "root", password: "secret" };

/** The store behind these endpoints, as an agent opens it. */
function dcsOn(endpoints: readonly string[], login: Partial<typeof LOGIN> = {}): EtcdDcs {
  return new EtcdDcs({
    endpoints,
    username: null,
    password: null,
    ...login,
    scope: "split",
    namespace: "/service/",
    endpointMs: () => 1000,
    clock: systemClock,
  });
}

/** The ids of the cluster and of its first member. */
async function idsOf(etcd: EtcdProcess): Promise<readonly string[]> {
  const header = objectIn(await etcd.ask("cluster/member/list", {}), "header");
  return [int64In(header, "cluster_id"), int64In(header, "member_id")];
}

async function demandLogins(url: string): Promise<void> {
  const { username: name, password } = LOGIN;
  for (
    const [path, body] of [
      ["user/add", { name, password }],
      ["role/add", { name: "root" }],
      ["user/grant", { user: name, role: "root" }],
      ["enable", {}],
    ] as const
  ) {
    const request = { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${url}/v3/auth/${path}`, request);
    ok(response.ok, `${path}: ${await response.text()}`);
  }
}

for (
  const [how, login, plan] of [
    ["", null, { members: 1 }],
    [" that demand a login", LOGIN, { members: 1 }],
    [" that Debian has founded", null, { members: 1, byDefaults: true }],
  ] satisfies [string, typeof LOGIN | null, EtcdPlan][]
) {
  Deno.test(
    `EtcdDcs refuses two etcds${how}, and works with each of them`,
    { ignore },
    async () => {
      await using one = await startEtcd(plan);
      await using two = await startEtcd(plan);
      const [a = "", b = ""] = [...one.endpoints, ...two.endpoints];
      if (plan.byDefaults === true) deepStrictEqual(await idsOf(one), await idsOf(two));
      if (login !== null) await Promise.all([a, b].map(demandLogins));
      for (const endpoints of [[a, b], [b, a]]) {
        const both = dcsOn(endpoints, login ?? {});
        await rejects(both.read(noSignal()), (error: Error) => {
          return error instanceof DcsUnreachable && endpoints.every((url) => {
            return new RegExp(`${url} is member \\d+ .* of cluster \\d+`).test(error.message);
          });
        });
        await rejects(both.grantLease(30, noSignal()), DcsUnreachable);
        strictEqual((await both.takeLock("a", "1", noSignal())).kind, "unknown");
        strictEqual((await both.claimBootstrap("1", noSignal())).kind, "unknown");
      }
      for (const url of [a, b]) {
        const alone = dcsOn([url], login ?? {});
        strictEqual((await alone.read(noSignal())).lock, null);
        const lease = await alone.grantLease(30, noSignal());
        strictEqual((await alone.takeLock("a", lease, noSignal())).kind, "done");
      }
    },
  );
}

Deno.test(
  "EtcdDcs works with three members of one etcd and with one of them away",
  { ignore },
  async () => {
    await using etcd = await startEtcd({ members: 3 });
    for (const away of [null, (await etcd.leader() + 1) % 3]) {
      if (away !== null) await etcd.kill(away);
      const dcs = dcsOn(etcd.endpoints);
      const lease = await dcs.grantLease(30, noSignal());
      const written = await dcs.writeMember("a", {}, lease, noSignal());
      strictEqual(written.kind, "done");
    }
  },
);

Deno.test("EtcdDcs goes on in an etcd that was founded anew", { ignore }, async () => {
  await using etcd = await startEtcd({ members: 1 });
  const [url = ""] = etcd.endpoints;
  const dcs = dcsOn([url, url.replace("127.0.0.1", "localhost")]);
  const lease = await dcs.grantLease(30, noSignal());
  strictEqual((await dcs.takeLock("a", lease, noSignal())).kind, "done");
  await etcd.startEmpty();
  strictEqual((await dcs.read(noSignal())).lock, null);
  const fresh = await dcs.grantLease(30, noSignal());
  strictEqual((await dcs.takeLock("a", fresh, noSignal())).kind, "done");
});
