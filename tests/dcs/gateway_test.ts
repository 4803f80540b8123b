import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { systemClock as clock } from "../../lib/base/clock.ts";
import { DcsUnreachable, Refused } from "../../lib/base/errors.ts";
import type { EtcdDcs } from "../../lib/dcs/etcd/etcd_dcs.ts";
import { Gateway } from "../../lib/dcs/etcd/gateway.ts";
import { ample, brief, dcsOf, ENDPOINT_MS } from "./dcs_of.ts";
import { answer, CUT, good, HANG, HEADER, refusal, startFake } from "./fake_gateway.ts";
import type { FakeGateway, Reply, SeenRequest } from "./fake_gateway.ts";

const NO_LEADER = refusal(503, 14, "etcdserver: no leader");
const EXPIRED = refusal(401, 16, "etcdserver: invalid auth token");
const LOGIN = { username: "agent", password: "secret" };

const paths = (fake: FakeGateway): readonly string[] => fake.seen.map((request) => request.path);
const isLogin = (request: SeenRequest): boolean => request.path === "/v3/auth/authenticate";

async function took(work: Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work;
  return performance.now() - startMs;
}

Deno.test("EtcdDcs asks every call with hasleader", async () => {
  await using fake = startFake(() => good({ TTL: "30" }));
  const dcs = dcsOf([fake]);
  await dcs.read(ample());
  await dcs.keepLeaseAlive("1", ample());
  deepStrictEqual(fake.seen.map(({ headers }) => headers.get("grpc-metadata-hasleader")), [
    "true",
    "true",
  ]);
});

Deno.test("A9 read() pays a hung endpoint once and starts with the good one afterwards", async () => {
  await using hung = startFake(() => HANG);
  await using fine = startFake(() => good());
  const dcs = dcsOf([hung, fine]);
  const firstMs = await took(dcs.read(ample()));
  const secondMs = await took(dcs.read(ample()));
  ok(firstMs >= ENDPOINT_MS - 10 && firstMs < ENDPOINT_MS * 3, `${firstMs} ms`);
  ok(secondMs < ENDPOINT_MS, `${secondMs} ms`);
  deepStrictEqual([hung.seen.length, fine.seen.length], [1, 2]);
});

Deno.test("read() remembers an endpoint that hung until the caller's own deadline", async () => {
  await using hung = startFake(() => HANG);
  await using fine = startFake(() => good());
  const dcs = dcsOf([hung, fine], { endpointMs: () => 60_000 });
  await rejects(dcs.read(brief()), DcsUnreachable);
  await dcs.read(brief());
  strictEqual(hung.seen.length, 1);
});

Deno.test("read() leaves the endpoint that fails last for the end", async () => {
  await using first = startFake((_, index) => index === 1 ? CUT : good());
  await using second = startFake(() => CUT);
  await using third = startFake(() => good());
  const dcs = dcsOf([second, first, third]);
  await dcs.read(ample());
  await dcs.read(ample());
  deepStrictEqual([first.seen.length, second.seen.length, third.seen.length], [2, 1, 1]);
});

Deno.test("A11 renewLock() goes on for rounds until a leader is elected", async () => {
  const held = good({ succeeded: true, TTL: "30" });
  await using fake = startFake((_, index) => index < 3 ? NO_LEADER : held);
  strictEqual((await dcsOf([fake]).renewLock("a", "1", ample())).kind, "held");
});

Deno.test("read() gives a slow store twice the time in each further round", async () => {
  await using fake = startFake((_, index) => index < 2 ? HANG : good());
  await dcsOf([fake]).read(ample());
  strictEqual(fake.seen.length, 3);
});

Deno.test("takeLock() does not ask again after a definite refusal", async () => {
  await using fake = startFake(() => refusal(404, 5, "etcdserver: requested lease not found"));
  await using other = startFake(() => good({ succeeded: true }));
  strictEqual((await dcsOf([fake, other]).takeLock("a", "1", ample())).kind, "refused");
  strictEqual(other.seen.length, 0);
});

Deno.test("takeLock() is done when the first reply was lost and the key is ours since", async () => {
  const ours = {
    key: btoa("/service/demo/leader"),
    value: btoa("a"),
    lease: "1",
    mod_revision: "40",
  };
  const failed = good({ responses: [{ response_range: { kvs: [ours] } }] });
  await using lost = startFake(() => CUT);
  await using later = startFake(() => failed);
  const result = await dcsOf([lost, later]).takeLock("a", "1", ample());
  deepStrictEqual(result, { kind: "done", revision: 40n });
});

Deno.test("takeLock() is refused when the key has our name under another lease", async () => {
  const kv = {
    key: btoa("/service/demo/leader"),
    value: btoa("a"),
    lease: "2",
    mod_revision: "40",
  };
  await using fake = startFake(() => good({ responses: [{ response_range: { kvs: [kv] } }] }));
  strictEqual((await dcsOf([fake]).takeLock("a", "1", ample())).kind, "refused");
});

Deno.test("A3 read() discards an answer from an older raft term and asks another endpoint", async () => {
  const old = { ...HEADER, raft_term: "6" };
  await using stale = startFake((_, index) => index === 0 ? good() : good({}, old));
  await using fresh = startFake(() => good());
  const dcs = dcsOf([stale, fresh]);
  await dcs.read(ample());
  await dcs.read(ample());
  deepStrictEqual([stale.seen.length, fresh.seen.length], [2, 1]);
  strictEqual(dcs.health().endpoints[0]?.reachable, false);
});

Deno.test("read() takes a store that is behind as a whole for a restored one", async () => {
  const old = { ...HEADER, raft_term: "2" };
  await using one = startFake((_, index) => index === 0 ? good() : good({}, old));
  await using two = startFake(() => good({}, old));
  const dcs = dcsOf([one, two]);
  await dcs.read(ample());
  await dcs.read(ample());
  deepStrictEqual([one.seen.length, two.seen.length], [3, 1]);
});

Deno.test("A5 read() with every endpoint refusing connections throws at its deadline", async () => {
  const dcs = dcsOf([], { endpoints: ["http://127.0.0.1:1", "http://127.0.0.1:2"] });
  const signal = brief();
  await rejects(dcs.read(signal), DcsUnreachable);
  strictEqual(signal.aborted, true);
  strictEqual(dcs.health().lastSeenWallMs, 0);
});

Deno.test("read() without any time left asks nobody", async () => {
  await using fake = startFake(() => good());
  await rejects(dcsOf([fake]).read(AbortSignal.abort()), DcsUnreachable);
  strictEqual(fake.seen.length, 0);
});

Deno.test("health() shows each endpoint as this member found it", async () => {
  await using fine = startFake(() => good());
  const dcs = dcsOf([], { endpoints: ["http://127.0.0.1:1/", fine.url, "http://127.0.0.1:2"] });
  await dcs.read(ample());
  deepStrictEqual(dcs.health().endpoints.map((one) => one.reachable), [false, true, null]);
  ok(dcs.health().lastSeenWallMs > 0);
});

Deno.test("EtcdDcs logs in once and sends the bare token", async () => {
  await using fake = startFake((request) => isLogin(request) ? good({ token: "t.1" }) : good());
  const dcs = dcsOf([fake], LOGIN);
  await dcs.read(ample());
  await dcs.read(ample());
  deepStrictEqual(fake.seen.map(({ headers }) => headers.get("authorization")), [
    null,
    "t.1",
    "t.1",
  ]);
  deepStrictEqual(JSON.parse(fake.seen[0]?.body ?? ""), { name: "agent", password: "secret" });
});

for (
  const [what, stale] of [
    ["an expired token", EXPIRED],
    ["a changed user database", refusal(400, 3, "etcdserver: revision of auth store is old")],
    ["an unknown token", refusal(400, 3, "etcdserver: user name is empty")],
  ] satisfies [string, Reply][]
) {
  Deno.test(`A12 EtcdDcs logs in again, once, after ${what}`, async () => {
    let logins = 0;
    await using fake = startFake((request) => {
      if (isLogin(request)) return good({ token: `t.${++logins}` });
      return request.headers.get("authorization") === "t.1" ? stale : good({ ID: "1", TTL: "30" });
    });
    const calls: readonly ((dcs: EtcdDcs) => Promise<unknown>)[] = [
      (dcs) => dcs.keepLeaseAlive("1", ample()),
      (dcs) => dcs.grantLease(30, ample()),
      (dcs) => dcs.read(ample()),
    ];
    for (const call of calls) {
      logins = 0;
      await call(dcsOf([fake], LOGIN));
      strictEqual(logins, 2);
    }
  });
}

Deno.test("A12 read() gives up after the second token is rejected too", async () => {
  await using fake = startFake((request) => isLogin(request) ? good({ token: "t" }) : EXPIRED);
  await rejects(dcsOf([fake], LOGIN).read(ample()), DcsUnreachable);
  strictEqual(paths(fake).filter((path) => path === "/v3/kv/range").length, 2);
});

Deno.test("EtcdDcs goes on without a token where authentication is off", async () => {
  const off = refusal(412, 9, "etcdserver: authentication is not enabled");
  await using fake = startFake((request) => isLogin(request) ? off : good());
  await dcsOf([fake], LOGIN).read(ample());
  deepStrictEqual(paths(fake), ["/v3/auth/authenticate", "/v3/kv/range"]);
});

Deno.test("A13 EtcdDcs logs in at another endpoint when the first one is down", async () => {
  await using fake = startFake((request) => isLogin(request) ? good({ token: "t" }) : good());
  const endpoints = ["http://127.0.0.1:1", fake.url];
  await dcsOf([], { ...LOGIN, endpoints }).read(ample());
  strictEqual(fake.seen.length, 2);
});

Deno.test("A13 read() throws without the password when the login is refused", async () => {
  const wrong = refusal(400, 3, "etcdserver: authentication failed, invalid user ID or password");
  await using fake = startFake(() => wrong);
  const failure = dcsOf([fake], LOGIN).read(ample());
  await rejects(failure, (error: Error) => !error.message.includes("secret"));
  await rejects(failure, DcsUnreachable);
  strictEqual(fake.seen.length, 1);
});

Deno.test("writeMember() repeats on another endpoint, because a put of the same text is the same twice", async () => {
  await using broken = startFake(() => answer(500, "oops"));
  await using fine = startFake(() => good());
  const result = await dcsOf([broken, fine]).writeMember("a", { state: "running" }, "5", ample());
  deepStrictEqual(result, { kind: "done", revision: 42n });
  strictEqual(broken.seen[0]?.body, fine.seen[0]?.body);
});

function gatewayOf(fakes: readonly FakeGateway[]): Gateway {
  const endpoints = fakes.map(({ url }) => url);
  return new Gateway({
    endpoints,
    username: null,
    password: null,
    endpointMs: () => ENDPOINT_MS,
    clock,
  });
}

const RANGE = { path: "/v3/kv/range", body: {} };

Deno.test("onFailure() tells of each failure at its endpoint, and of none elsewhere", async () => {
  await using failing = startFake((_, index) => [HANG, NO_LEADER, CUT][index] ?? good());
  await using fine = startFake(() => good());
  const gateway = gatewayOf([failing, fine]);
  const told: string[] = [];
  using _one = gateway.onFailure(failing.url, () => told.push("failing"));
  using _other = gateway.onFailure(fine.url, () => told.push("fine"));
  await gateway.call(RANGE, ample());
  deepStrictEqual(told, ["failing"]);
  await gateway.call(RANGE, ample()); // at the good endpoint
  deepStrictEqual([told, failing.seen.length], [["failing"], 1]);
});

Deno.test("onFailure() tells of answers of no use and of a stream that cannot be opened, to everybody who listens", async () => {
  await using fake = startFake((_, index) => [NO_LEADER, CUT, good(), HANG][index] ?? good());
  const gateway = gatewayOf([fake]);
  let first = 0;
  let second = 0;
  using _first = gateway.onFailure(fake.url, () => void first++);
  using _second = gateway.onFailure(fake.url, () => void second++);
  await gateway.call(RANGE, ample());
  deepStrictEqual([first, second], [2, 2]);
  await rejects(gateway.open({ path: "/v3/watch", body: {} }, ample()), DcsUnreachable);
  deepStrictEqual([first, second], [3, 3]);
});

Deno.test("onFailure() is silent for a refusal, which proves that the endpoint works", async () => {
  await using fake = startFake(() => refusal(403, 7, "etcdserver: permission denied"));
  const gateway = gatewayOf([fake]);
  let told = 0;
  using _told = gateway.onFailure(fake.url, () => void told++);
  await rejects(gateway.call(RANGE, ample()), Refused);
  strictEqual(told, 0);
});

Deno.test("onFailure() tells nobody any more after its disposal", async () => {
  await using fake = startFake((_, index) => index % 2 === 0 ? CUT : good());
  const gateway = gatewayOf([fake]);
  let told = 0;
  {
    using _told = gateway.onFailure(fake.url, () => void told++);
    await gateway.call(RANGE, ample());
  }
  await gateway.call(RANGE, ample());
  deepStrictEqual([told, fake.seen.length], [1, 4]);
});

Deno.test("read() tells the way out when etcd's certificate is an authority itself", async () => {
  const fetch = (): Promise<Response> => {
    const cause = new Error("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))");
    return Promise.reject(new TypeError("fetch failed", { cause }));
  };
  const dcs = dcsOf([], { endpoints: ["https://127.0.0.1:1"], fetch });
  await rejects(dcs.read(brief()), /basicConstraints=CA:FALSE/);
});
