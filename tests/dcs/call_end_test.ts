import { deepStrictEqual, ok } from "node:assert/strict";
import type { CallEnd } from "../../lib/dcs/etcd/call_end.ts";
import { ample, brief, dcsOf, ENDPOINT_MS } from "./dcs_of.ts";
import { answer, CUT, good, HANG, HEADER, refusal, startFake } from "./fake_gateway.ts";
import type { Reply } from "./fake_gateway.ts";

/** How the first requests ended at an endpoint that replies with these in turn, and then well. */
async function endsOf(replies: readonly Reply[], signal = ample()): Promise<readonly CallEnd[]> {
  const ends: CallEnd[] = [];
  await using fake = startFake((_, index) => replies[index] ?? good());
  const login = { username: "agent", password: "secret" };
  const dcs = dcsOf([fake], { ...login, onCallEnd: (end) => void ends.push(end) });
  await dcs.read(signal).catch(() => undefined);
  return ends;
}

Deno.test("EtcdDcs tells of each request to an endpoint how it ended", async () => {
  const old = { ...HEADER, raft_term: "6" };
  const ends = await endsOf([
    good({ token: "t" }),
    answer(502, "<html>"),
    CUT,
    refusal(401, 16, "etcdserver: invalid auth token"),
    good({ token: "t" }),
    good({}, old),
    refusal(503, 14, "etcdserver: no leader"),
  ]);
  deepStrictEqual(ends.map(({ fault }) => fault), [
    ...[null, "answer", "network", "login", null, "outdated", "answer", null],
  ]);
  ok(ends.every(({ tookMs }) => tookMs >= 0 && tookMs < 5000));
});

Deno.test("EtcdDcs counts an endpoint that hangs as a timeout, and a refusal as refused", async () => {
  const [hung] = await endsOf([HANG], brief());
  deepStrictEqual(hung?.fault, "timeout");
  ok((hung?.tookMs ?? 0) >= ENDPOINT_MS - 20);
  const [, refused] = await endsOf([good({ token: "t" }), refusal(403, 7, "permission denied")]);
  deepStrictEqual(refused?.fault, "refused");
});

Deno.test("EtcdDcs tells of nobody at the other end as a fault of the network", async () => {
  const ends: CallEnd[] = [];
  const fake = startFake(() => good());
  await fake[Symbol.asyncDispose]();
  await dcsOf([fake], { onCallEnd: (end) => void ends.push(end) }).read(brief())
    .catch(() => undefined);
  deepStrictEqual(ends[0]?.fault, "network");
});
