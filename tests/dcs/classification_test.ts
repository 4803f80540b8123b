import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { classify, TermGuard } from "../../lib/dcs/etcd/answer.ts";
import { ample, brief, dcsOf } from "./dcs_of.ts";
import { answer, CUT, good, HANG, HEADER, refusal, startFake } from "./fake_gateway.ts";
import type { Reply } from "./fake_gateway.ts";

interface Case {
  readonly what: string;
  readonly status: number;
  readonly body: unknown;
  readonly kind: "good" | "refused" | "login-needed" | "unusable";
}

const error = (code: number, message: string): unknown => ({ error: message, code, message });

const CASES: readonly Case[] = [
  { what: "a range", status: 200, body: { header: HEADER }, kind: "good" },
  {
    what: "a keep-alive",
    status: 200,
    body: { result: { header: HEADER, ID: "1" } },
    kind: "good",
  },
  {
    what: "lease not found",
    status: 404,
    body: error(5, "etcdserver: requested lease not found"),
    kind: "refused",
  },
  {
    what: "outside the role",
    status: 403,
    body: error(7, "etcdserver: permission denied"),
    kind: "refused",
  },
  {
    what: "bad base64",
    status: 400,
    body: error(3, "illegal base64 data at input byte 4"),
    kind: "refused",
  },
  {
    what: "wrong password",
    status: 400,
    body: error(3, "etcdserver: authentication failed, invalid user ID or password"),
    kind: "refused",
  },
  {
    what: "authentication off",
    status: 412,
    body: error(9, "etcdserver: authentication is not enabled"),
    kind: "refused",
  },
  {
    what: "no token",
    status: 400,
    body: error(3, "etcdserver: user name is empty"),
    kind: "login-needed",
  },
  {
    what: "users changed",
    status: 400,
    body: error(3, "etcdserver: revision of auth store is old"),
    kind: "login-needed",
  },
  {
    what: "expired token",
    status: 401,
    body: error(16, "etcdserver: invalid auth token"),
    kind: "login-needed",
  },
  { what: "no leader", status: 503, body: error(14, "etcdserver: no leader"), kind: "unusable" },
  { what: "no quorum", status: 500, body: error(2, "context deadline exceeded"), kind: "unusable" },
  {
    what: "server stopped",
    status: 503,
    body: error(14, "etcdserver: server stopped"),
    kind: "unusable",
  },
  {
    what: "leader changed",
    status: 503,
    body: error(14, "etcdserver: leader changed"),
    kind: "unusable",
  },
  {
    what: "timed out",
    status: 504,
    body: error(4, "etcdserver: request timed out"),
    kind: "unusable",
  },
  {
    what: "no space",
    status: 429,
    body: error(8, "etcdserver: mvcc: database space exceeded"),
    kind: "unusable",
  },
  { what: "another precondition", status: 412, body: error(9, "raft: stopped"), kind: "unusable" },
  {
    what: "another not found",
    status: 404,
    body: error(5, "etcdserver: member not found"),
    kind: "unusable",
  },
  { what: "unknown path", status: 404, body: "404 page not found\n", kind: "unusable" },
  { what: "a proxy's page", status: 502, body: "<html>Bad Gateway</html>", kind: "unusable" },
  { what: "a proxy's refusal", status: 403, body: "<html>Forbidden</html>", kind: "unusable" },
  { what: "cut JSON", status: 200, body: '{"header":{"clus', kind: "unusable" },
  { what: "a stranger", status: 200, body: {}, kind: "unusable" },
  { what: "nothing", status: 200, body: "", kind: "unusable" },
  {
    what: "an error in a stream",
    status: 200,
    body: { error: { grpc_code: 14, message: "etcdserver: no leader" } },
    kind: "unusable",
  },
  {
    what: "a lost lease in a stream",
    status: 200,
    body: { error: { grpc_code: 5, message: "etcdserver: requested lease not found" } },
    kind: "refused",
  },
];

for (const { what, status, body, kind } of CASES) {
  Deno.test(`classify() takes "${what}" as ${kind}`, () => {
    strictEqual(
      classify(status, typeof body === "string" ? body : JSON.stringify(body)).kind,
      kind,
    );
  });
}

Deno.test("classify() reads the first message of a stream", () => {
  const first = JSON.stringify({ result: { header: HEADER, TTL: "30" } });
  const got = classify(200, `${first}\n{"error":{"grpc_code":14}}\n`);
  strictEqual(got.kind === "good" && got.body["TTL"], "30");
});

Deno.test("A3 TermGuard discards an older term of the same cluster only", () => {
  const guard = new TermGuard();
  const from = (cluster_id: string, raft_term: string): boolean =>
    guard.accepts({ header: { cluster_id, raft_term } });
  deepStrictEqual([from("1", "7"), from("1", "6"), from("1", "8"), from("1", "7")], [
    true,
    false,
    true,
    false,
  ]);
  deepStrictEqual([from("2", "1"), from("2", "1")], [true, true]);
});

const LEASE = "7587848390842342001";
const failedCompare = good({ responses: [{ response_range: { kvs: [] } }] });

const WRITES: readonly { what: string; reply: Reply; kind: string }[] = [
  { what: "success", reply: good({ succeeded: true }), kind: "done" },
  { what: "a failed compare (succeeded left out)", reply: failedCompare, kind: "refused" },
  {
    what: "an unknown lease",
    reply: refusal(404, 5, "etcdserver: requested lease not found"),
    kind: "refused",
  },
  {
    what: "a missing permission",
    reply: refusal(403, 7, "etcdserver: permission denied"),
    kind: "refused",
  },
  {
    what: "a demand for a login",
    reply: refusal(400, 3, "etcdserver: user name is empty"),
    kind: "refused",
  },
  { what: "no leader", reply: refusal(503, 14, "etcdserver: no leader"), kind: "unknown" },
  { what: "no quorum", reply: refusal(500, 2, "context deadline exceeded"), kind: "unknown" },
  { what: "a proxy's page", reply: answer(502, "<html>"), kind: "unknown" },
  { what: "cut JSON", reply: answer(200, '{"header":{'), kind: "unknown" },
  { what: "a redirect", reply: answer(307, ""), kind: "unknown" },
  { what: "a broken connection", reply: CUT, kind: "unknown" },
  { what: "silence", reply: HANG, kind: "unknown" },
];

for (const { what, reply, kind } of WRITES) {
  Deno.test(`takeLock() is ${kind} after ${what}`, async () => {
    await using fake = startFake(() => reply);
    const signal = kind === "unknown" ? brief() : ample();
    strictEqual((await dcsOf([fake]).takeLock("a", LEASE, signal)).kind, kind);
  });
}

const RENEWALS: readonly { what: string; keepAlive?: Reply; txn?: Reply; kind: string }[] = [
  { what: "a keep-alive without TTL", keepAlive: good({ ID: LEASE }), kind: "lease-gone" },
  { what: "a keep-alive with TTL 0", keepAlive: good({ TTL: "0" }), kind: "lease-gone" },
  { what: "a keep-alive that is denied", keepAlive: refusal(403, 7, "denied"), kind: "unknown" },
  { what: "a failed compare", txn: failedCompare, kind: "refused" },
  { what: "a transaction that is denied", txn: refusal(403, 7, "denied"), kind: "unknown" },
  { what: "no leader", txn: refusal(503, 14, "etcdserver: no leader"), kind: "unknown" },
  {
    what: "a stopped server",
    txn: refusal(503, 14, "etcdserver: server stopped"),
    kind: "unknown",
  },
  { what: "an unknown error", txn: refusal(500, 2, "etcdserver: unknown"), kind: "unknown" },
  { what: "a proxy's page", txn: answer(502, "<html>"), kind: "unknown" },
  {
    what: "a keep-alive that meets a proxy's page",
    keepAlive: answer(502, "<html>"),
    kind: "unknown",
  },
  { what: "cut JSON", txn: answer(200, '{"header":{'), kind: "unknown" },
  { what: "a keep-alive of cut JSON", keepAlive: answer(200, '{"result":{'), kind: "unknown" },
  { what: "a hanging keep-alive", keepAlive: HANG, kind: "unknown" },
  { what: "a hanging transaction", txn: HANG, kind: "unknown" },
  { what: "a transaction without header", txn: answer(200, { succeeded: true }), kind: "unknown" },
  {
    what: "success",
    txn: good({ succeeded: true, responses: [{ response_range: {} }] }),
    kind: "held",
  },
];

for (const { what, keepAlive = good({ TTL: "30" }), txn = HANG, kind } of RENEWALS) {
  Deno.test(`A11 renewLock() is ${kind} after ${what}`, async () => {
    await using fake = startFake(({ path }) => path === "/v3/lease/keepalive" ? keepAlive : txn);
    const signal = kind === "unknown" ? brief() : ample();
    strictEqual((await dcsOf([fake]).renewLock("a", LEASE, signal)).kind, kind);
  });
}

Deno.test("A11 read() throws DcsUnreachable for a refusal too: it says nothing about the cluster", async () => {
  await using fake = startFake(() => refusal(403, 7, "etcdserver: permission denied"));
  await rejects(dcsOf([fake]).read(ample()), DcsUnreachable);
  strictEqual(fake.seen.length, 1);
});

Deno.test("grantLease() keeps all 64 bits of the id", async () => {
  await using fake = startFake(() => good({ ID: "9223372036854775807", TTL: "30" }));
  strictEqual(await dcsOf([fake]).grantLease(30, ample()), "9223372036854775807");
});

Deno.test("read() tells an endpoint that refuses connections in few words", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  const failure = dcsOf([], { endpoints: [url] }).read(brief());
  await rejects(failure, (error: Error) => {
    strictEqual(
      error.message,
      `Cannot reach etcd: ${url}: tcp connect error: Connection refused (os error 111)`,
    );
    return true;
  });
});
