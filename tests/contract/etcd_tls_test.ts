import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import type { HttpFetch } from "../../lib/base/http.ts";
import { silentLog } from "../../lib/base/log.ts";
import { EtcdDcs } from "../../lib/dcs/etcd/etcd_dcs.ts";
import type { EtcdDcsOptions } from "../../lib/dcs/etcd/etcd_dcs.ts";
import { HttpsClient } from "../../lib/net/https_client.ts";
import { type Certificates, certificates } from "../net/certificates.ts";
import { etcdInstalled, type EtcdProcess, startEtcd } from "./etcd_process.ts";
import { noSignal, until } from "./store_world.ts";

const LOGIN = { username: "agent", password: "secret" };

interface World {
  readonly certs: Certificates;
  readonly etcd: EtcdProcess;
  readonly client: HttpsClient;
  dcsOf(parts?: Partial<EtcdDcsOptions>): EtcdDcs;
  /** A request by the certificate of `a`, with the token of `root`. */
  order(path: string, body: unknown): Promise<string>;
}

const CASES: readonly { readonly title: string; run(world: World): Promise<void> }[] = [
  {
    title: "leader, keys, lease and watch work by certificate and login",
    run: async ({ dcsOf }) => {
      const dcs = dcsOf(LOGIN);
      const closer = new AbortController();
      let hints = 0;
      const watching = dcs.watch(() => void hints++, () => 30_000, closer.signal);
      await until("the first hint", () => hints >= 1);
      const before = hints;
      const lease = await dcs.grantLease(30, noSignal());
      strictEqual((await dcs.takeLock("a", lease, noSignal())).kind, "done");
      strictEqual((await dcs.renewLock("a", lease, noSignal())).kind, "held");
      await until("a hint of the lock", () => hints > before);
      strictEqual((await dcs.read(noSignal())).lock?.holder, "a");
      closer.abort();
      await watching;
    },
  },
  {
    title: "a token that has become invalid is renewed without anybody seeing it",
    run: async ({ dcsOf, etcd, order }) => {
      const dcs = dcsOf(LOGIN);
      await dcs.read(noSignal());
      await order("user/changepw", { name: LOGIN.username, password: LOGIN.password }); // ends every token
      await dcs.read(noSignal());
      const lease = await dcs.grantLease(30, noSignal());
      await order("role/add", { name: `extra-${lease}` }); // a newer revision of users and roles
      ok(await dcs.keepLeaseAlive(lease, noSignal()));
      await etcd.restart(0); // forgets its tokens
      ok(await dcs.keepLeaseAlive(lease, noSignal()));
      await dcs.read(noSignal());
    },
  },
  {
    title: "a new password or user is taken while the lock is held; a wrong one changes nothing",
    run: async ({ dcsOf, order }) => {
      const dcs = dcsOf({ ...LOGIN, scope: "mine" });
      const lease = await dcs.grantLease(30, noSignal());
      await dcs.retakeLock("a", lease, noSignal());
      const isHeld = async (): Promise<void> =>
        strictEqual((await dcs.renewLock("a", lease, noSignal())).kind, "held");

      const next = { username: LOGIN.username, password: "next" };
      match(await dcs.relogin(next, noSignal()) ?? "", /authentication failed/);
      await isHeld();
      await order("role/add", { name: "ends-every-token" });
      await isHeld(); // by a login anew, as before
      await order("user/changepw", { name: LOGIN.username, password: "next" });
      await isHeld();

      const other = { username: "second", password: "x" };
      await order("user/add", { name: "second", password: "x" });
      match(await dcs.relogin(other, noSignal()) ?? "", /permission denied/);
      await isHeld();
      await order("user/grant", { user: "second", role: "agent" });
      strictEqual(await dcs.relogin(other, noSignal()), null);
      await order("user/delete", { name: LOGIN.username });
      await isHeld();
      strictEqual((await dcs.releaseLock("a", lease, noSignal())).kind, "done");
      await restoreUser(order);
    },
  },
  {
    title: "who shows no certificate, or one of another authority, gets nowhere in time",
    run: async ({ certs, dcsOf }) => {
      const ca = certs.path("ca.crt");
      const foreign = { cert: certs.path("foreign.crt"), key: certs.path("foreign.key") };
      await certs.issue("other", "foreign", "");
      for (const pair of [{ cert: null, key: null }, foreign]) {
        const tls = { ca, ...pair, keyPassword: null, insecure: false };
        const client = await HttpsClient.open("etcd", tls, silentLog);
        const dcs = dcsOf({ ...LOGIN, fetch: client.fetch });
        const startedMs = performance.now();
        await rejects(dcs.read(AbortSignal.timeout(500)), DcsUnreachable);
        ok(performance.now() - startedMs < 1500);
        await client.close();
      }
    },
  },
  {
    title: "a certificate with a common name is refused by etcd, and told why",
    run: async ({ certs, dcsOf }) => {
      const pair = { cert: certs.path("a.crt"), key: certs.path("a.key") };
      const tls = { ca: certs.path("ca.crt"), ...pair, keyPassword: null, insecure: false };
      const client = await HttpsClient.open("etcd", tls, silentLog);
      const dcs = dcsOf({ ...LOGIN, fetch: client.fetch });
      await rejects(dcs.read(AbortSignal.timeout(500)), /CommonName of client/);
      await client.close();
    },
  },
  {
    title: "an etcd of another authority is not believed",
    run: async ({ certs, dcsOf }) => {
      const pair = { cert: certs.path("client.crt"), key: certs.path("client.key") };
      const tls = { ca: certs.path("other.crt"), ...pair, keyPassword: null, insecure: false };
      const client = await HttpsClient.open("etcd", tls, silentLog);
      const dcs = dcsOf({ ...LOGIN, fetch: client.fetch });
      await rejects(dcs.read(AbortSignal.timeout(500)), /UnknownIssuer/);
      await client.close();
    },
  },
  {
    title: "new certificates are used from the next call on, and a watch goes on",
    run: async ({ certs, dcsOf, client }) => {
      const dcs = dcsOf(LOGIN);
      const closer = new AbortController();
      let hints = 0;
      const watching = dcs.watch(() => void hints++, () => 30_000, closer.signal);
      await until("the first hint", () => hints >= 1);
      for (const suffix of ["crt", "key"]) {
        await Deno.copyFile(certs.path(`next.${suffix}`), certs.path(`client.${suffix}`));
      }
      const files = { cert: certs.path("client.crt"), key: certs.path("client.key") };
      await client.reload({
        ca: certs.path("ca.crt"),
        ...files,
        keyPassword: null,
        insecure: false,
      });
      const before = hints;
      const wish = { leader: "a", candidate: null, scheduledAt: null };
      strictEqual((await dcs.writeHandover(wish, 0n, noSignal())).kind, "done");
      await until("a hint after the change", () => hints > before);
      closer.abort();
      await watching;
    },
  },
];

Deno.test("EtcdDcs by HTTPS with client certificates and authentication", {
  ignore: !etcdInstalled(),
}, async (t) => {
  await using certs = await certificates();
  // etcd with authentication refuses the gateway to certificates that have a common name.
  await certs.issue("ca", "client", "");
  await certs.issue("ca", "next", "");
  const [ca, cert, key] = [
    certs.path("ca.crt"),
    certs.path("client.crt"),
    certs.path("client.key"),
  ];
  const tls = { ca, cert, key, keyPassword: null, insecure: false };
  const client = await HttpsClient.open("etcd", tls, silentLog);
  const server = { ca, cert: certs.path("a.crt"), key: certs.path("a.key"), fetch: client.fetch };
  await using etcd = await startEtcd({ members: 1, tls: server });
  const url = etcd.endpoints[0] ?? "";
  await enableAuth(url, client.fetch);
  const defaults = {
    endpoints: etcd.endpoints,
    username: null,
    password: null,
    namespace: "/service/",
    scope: "mine",
    endpointMs: () => 400,
    clock: systemClock,
    fetch: client.fetch,
  };
  const world: World = {
    certs,
    etcd,
    client,
    dcsOf: (parts = {}) => new EtcdDcs({ ...defaults, ...parts }),
    order: (path, body) => orderAsRoot(url, client.fetch, path, body),
  };
  for (const { title, run } of CASES) await t.step(title, () => run(world));
  await client.close();
});

async function post(
  url: string,
  road: HttpFetch,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await road(url, { method: "POST", body: JSON.stringify(body), headers });
  const text = await response.text();
  deepStrictEqual([response.status, url], [200, url], text);
  return text;
}

async function orderAsRoot(
  url: string,
  road: HttpFetch,
  path: string,
  body: unknown,
): Promise<string> {
  const login = { name: "root", password: "secret" };
  const { token } = JSON.parse(await post(`${url}/v3/auth/authenticate`, road, login));
  return await post(`${url}/v3/auth/${path}`, road, body, { authorization: token });
}

async function restoreUser(order: World["order"]): Promise<void> {
  await order("user/add", { name: LOGIN.username, password: LOGIN.password });
  await order("user/grant", { user: LOGIN.username, role: "agent" });
}

/** Users `root` and `agent`; the latter may use `/service/mine/` only. */
async function enableAuth(url: string, road: HttpFetch): Promise<void> {
  const range = { key: btoa("/service/mine/"), range_end: btoa("/service/mine0") };
  const steps: readonly [string, unknown][] = [
    ["user/add", { name: "root", password: "secret" }],
    ["role/add", { name: "root" }],
    ["user/grant", { user: "root", role: "root" }],
    ["user/add", { name: LOGIN.username, password: LOGIN.password }],
    ["role/add", { name: "agent" }],
    ["role/grant", { name: "agent", perm: { permType: "READWRITE", ...range } }],
    ["user/grant", { user: LOGIN.username, role: "agent" }],
    ["enable", {}],
  ];
  for (const [path, body] of steps) await post(`${url}/v3/auth/${path}`, road, body);
}
