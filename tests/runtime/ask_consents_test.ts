import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { askConsents, decodePeer } from "../../lib/runtime/peers.ts";
import type { ConsentAnswer, ConsentRequest } from "../../lib/runtime/peers.ts";
import { lsn, self } from "../core/builders.ts";

const options = {
  login: { username: "u", password: "p" },
  userAgent: "Patroni/4.1.4 agent",
  fetch,
};

function request(members: Record<string, string>): ConsentRequest {
  const sender = self();
  return { members, sender, slots: { a: lsn(7) }, ttlMs: 29_500, tryMs: 500 };
}

/** What "b" is said to have answered when its server handles the request so. */
async function ask(handler: Deno.ServeHandler): Promise<ConsentAnswer | undefined> {
  const listen = { port: 0, hostname: "127.0.0.1", onListen(): void {} };
  const server = Deno.serve(listen, handler);
  const apiUrl = `http://127.0.0.1:${server.addr.port}/patroni`;
  const answers = await askConsents(request({ b: apiUrl }), options, AbortSignal.timeout(5000));
  await server.shutdown();
  strictEqual(answers.length, 1);
  return answers[0];
}

Deno.test("askConsents() posts what Patroni's members understand, and ours need", async () => {
  const seen: unknown[] = [];
  const answer = await ask(async (call) => {
    const { headers } = call;
    const names = ["authorization", "x-consent-of", "x-consent-seconds", "content-length"];
    const body = await call.text();
    seen.push(call.method, new URL(call.url).pathname, JSON.parse(body));
    seen.push(...names.map((name) => headers.get(name)), body.length);
    return new Response("Accepted", { headers: { lsn: "123456789012" } });
  });
  deepStrictEqual(answer, { kind: "consented", name: "b", lsn: lsn(123456789012n) });
  const { name, connUrl, apiUrl } = self();
  const body = { name, conn_url: connUrl, api_url: apiUrl, slots: { a: 7 } };
  const [length] = seen.slice(-1);
  deepStrictEqual(seen, [
    "POST",
    "/failsafe",
    body,
    `Basic ${btoa("u:p")}`,
    "b",
    "30",
    String(length),
    length,
  ]);
});

const NO_CONSENT: readonly (readonly [string, () => Response])[] = [
  ["500 Running as a leader", () => new Response("Running as a leader", { status: 500 })],
  ["502 off", () => new Response("off", { status: 502 })],
  ["200 Accepted!", () => new Response("Accepted!")],
  ["200 ", () => new Response("")],
  ["201 Accepted", () => new Response("Accepted", { status: 201 })],
];

for (const [why, reply] of NO_CONSENT) {
  Deno.test(`askConsents() takes "${why}" for no consent, and asks once`, async () => {
    let calls = 0;
    const answer = await ask(() => (calls++, reply()));
    deepStrictEqual([answer, calls], [{ kind: "refused", name: "b", why }, 1]);
  });
}

Deno.test("askConsents() asks a member a second time that did not answer", async () => {
  let calls = 0;
  const answer = await ask(async () => {
    calls += 1;
    if (calls === 1) await new Promise((resolve) => setTimeout(resolve, 700));
    return new Response("Accepted");
  });
  deepStrictEqual([answer, calls], [{ kind: "consented", name: "b", lsn: null }, 2]);
});

Deno.test("askConsents() gives no consent in the name of the silent, the unreachable and the unaddressed", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const members = {
    b: `http://127.0.0.1:${listener.addr.port}/`,
    c: "http://127.0.0.1:1/",
    d: "x",
  };
  const startedMs = performance.now();
  const answers = await askConsents(request(members), options, AbortSignal.timeout(5000));
  listener.close();
  deepStrictEqual(answers.map(({ kind, name }) => [kind, name]), [
    ["refused", "b"],
    ["refused", "c"],
    ["refused", "d"],
  ]);
  strictEqual(performance.now() - startedMs < 2000, true);
});

Deno.test("decodePeer() takes the word of an agent that it has neither a writable server nor a lease", () => {
  const idle = (role: string, kind: string | null): boolean | undefined => {
    const agent = kind === null ? {} : { agent: { lease: { kind } } };
    const report = decodePeer("b", { role, state: "stopped", ...agent });
    return report.kind === "silent" ? report.idle : undefined;
  };
  deepStrictEqual(["demoted", "replica"].map((role) => idle(role, "none")), [true, true]);
  strictEqual(idle("demoted", "lost"), true);
  for (
    const [role, kind] of [["primary", "none"], ["demoted", "held"], ["demoted", null]] as const
  ) {
    strictEqual(idle(role, kind), undefined);
  }
});
