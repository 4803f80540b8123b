import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { EtcdDcs } from "../../lib/dcs/etcd/etcd_dcs.ts";
import { etcdInstalled, startEtcd } from "./etcd_process.ts";
import { noSignal } from "./store_world.ts";

const ignore = !etcdInstalled();

const TITLE = "removeCluster() deletes one cluster whole, and only while the named member leads";

Deno.test(TITLE, { ignore }, async () => {
  await using etcd = await startEtcd({ members: 1 });
  const common = {
    endpoints: etcd.endpoints,
    username: null,
    password: null,
    endpointMs: () => 400,
    clock: systemClock,
    namespace: "/service/",
  };
  const of = (scope: string): EtcdDcs => new EtcdDcs({ ...common, scope });
  const leases: string[] = [];
  for (const scope of ["old", "older"]) {
    const lease = await of(scope).grantLease(30, noSignal());
    leases.push(lease);
    await of(scope).takeLock("a", lease, noSignal());
    await of(scope).writeMember("a", { state: "running" }, lease, noSignal());
    await of(scope).restoreKeys("a", "7300000000000000001", { ttl: 30 }, noSignal());
  }
  const remove = async (scope: string, holder: string | null): Promise<string> =>
    (await of(scope).removeCluster(holder, noSignal())).kind;
  const content = async (scope: string): Promise<readonly unknown[]> => {
    const { systemId, lock, members, config } = await of(scope).read(noSignal());
    return [systemId, lock, members.length, config?.raw ?? null];
  };

  deepStrictEqual([await remove("old", null), await remove("old", "b")], ["refused", "refused"]);
  strictEqual((await content("old"))[2], 1);
  strictEqual(await remove("old", "a"), "done");
  deepStrictEqual(await content("old"), [null, null, 0, null]);
  strictEqual((await content("older"))[2], 1);
  await of("older").revokeLease(leases[1] ?? "", noSignal());
  strictEqual(await remove("older", "a"), "done");
  deepStrictEqual(await content("older"), [null, null, 0, null]);
});
