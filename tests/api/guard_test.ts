import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { OPEN_ACCESS } from "../../lib/api/access.ts";
import type { AccessRules, Caller } from "../../lib/api/access.ts";
import { Allowlist } from "../../lib/api/allowlist.ts";
import { guard } from "../../lib/api/guard.ts";
import type { Visit } from "../../lib/api/guard.ts";
import type { HttpReply } from "../../lib/api/reply.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { NEIGHBOUR } from "./fakes.ts";

const LOGIN: AccessRules = {
  ...OPEN_ACCESS,
  authentication: { username: "admin", password: "ä:b" },
};

function visit(parts: Partial<Visit> = {}, caller: Partial<Caller> = {}): Visit {
  return {
    method: "POST",
    path: "/switchover",
    authorization: null,
    memberUrls: [],
    caller: { ...NEIGHBOUR, ...caller },
    ...parts,
  };
}

/** Names that the lookups of a test know. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "db.example": ["10.1.1.1", "fd00::1"],
};

function reply(given: Visit, rules: AccessRules): Promise<HttpReply | null> {
  const resolve = (name: string): Promise<readonly string[]> =>
    Promise.resolve(NAMES[name] ?? Promise.reject(new Error("no such name")));
  return guard(given, rules, new Allowlist(systemClock, resolve));
}

async function status(given: Visit, rules: AccessRules): Promise<number | null> {
  return (await reply(given, rules))?.status ?? null;
}

function basic(text: string): string {
  return `Basic ${new TextEncoder().encode(text).toBase64()}`;
}

Deno.test("guard() lets the safe methods pass from everywhere", async () => {
  const rules = { ...LOGIN, allowlist: ["10.0.0.0/8"] };
  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    strictEqual(await status(visit({ method }, { certificate: "missing" }), rules), null);
  }
});

Deno.test("guard() wants the right name and password for every other method", async () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "FOO"]) {
    strictEqual(await status(visit({ method }), LOGIN), 401);
    strictEqual(await status(visit({ method, authorization: basic("admin:no") }), LOGIN), 401);
    strictEqual(await status(visit({ method, authorization: basic("admin:ä:b") }), LOGIN), null);
  }
});

for (const wrong of ["", "Basic", "Basic !", "Bearer x", basic(""), basic("admin:ä:bb")]) {
  Deno.test(`guard() refuses the header "${wrong}"`, async () => {
    strictEqual(await status(visit({ authorization: wrong }), LOGIN), 401);
  });
}

Deno.test("guard() asks for Basic authentication and tells a missing header from a wrong one", async () => {
  const missing = await reply(visit(), LOGIN);
  const wrong = await reply(visit({ authorization: "Basic x" }), LOGIN);

  strictEqual(missing?.headers.get("www-authenticate"), 'Basic realm="Patroni"');
  deepStrictEqual([await missing?.text(), await wrong?.text()], [
    "no auth header received",
    "not authenticated",
  ]);
});

Deno.test("guard() lets everything pass when nothing is configured", async () => {
  strictEqual(await status(visit(), OPEN_ACCESS), null);
});

const LISTED: readonly (readonly [string, number | null])[] = [
  ["10.1.1.1", null],
  ["10.1.1.2", 403],
  ["192.168.7.9", null],
  ["192.168.8.9", 403],
  ["127.0.0.1", null],
  ["fd00::1", null],
  ["fd00::2", 403],
  ["fe80::1234", null],
  ["", 403],
];

for (const [address, expected] of LISTED) {
  Deno.test(`guard() with an allowlist: "${address}"`, async () => {
    const allowlist = ["db.example", "gone.example", "192.168.7.0/24", "127.0.0.1", "fe80::/10"];
    strictEqual(await status(visit({}, { address }), { ...OPEN_ACCESS, allowlist }), expected);
  });
}

Deno.test("guard() judges address, certificate and login in this order", async () => {
  const rules = { ...LOGIN, allowlist: ["10.0.0.1"] };
  const tell = async (caller: Partial<Caller>): Promise<string | undefined> =>
    await (await reply(visit({}, caller), rules))?.text();
  deepStrictEqual(
    [
      await tell({ address: "10.0.0.2", certificate: "missing" }),
      await tell({ address: "10.0.0.1", certificate: "missing" }),
      await tell({ address: "10.0.0.1", certificate: "verified" }),
    ],
    ["Access is denied", "client certificate required", "no auth header received"],
  );
});

Deno.test("guard() lets members in by the addresses of their api_url", async () => {
  const rules = { ...OPEN_ACCESS, allowlistIncludeMembers: true };
  const memberUrls = ["https://db.example:8008/patroni", "http://[fd00::7]:8008/x", "garbage"];
  const from = (address: string, parts: Partial<Visit> = {}): Promise<number | null> =>
    status(visit({ memberUrls, ...parts }, { address }), rules);
  deepStrictEqual(
    [
      await from("10.1.1.1"),
      await from("fd00::7"),
      await from("10.1.1.2"),
      await from("10.1.1.1", { memberUrls: [] }),
    ],
    [null, null, 403, 403],
  );
});

Deno.test("C9 guard() leaves POST /failsafe open to members that no view names", async () => {
  const path = "/failsafe";
  const members = { ...OPEN_ACCESS, allowlistIncludeMembers: true };
  strictEqual(await status(visit({ path }), members), null);
  strictEqual(await status(visit({ path }), { ...members, allowlist: ["10.0.0.1"] }), 403);
  strictEqual(await status(visit({ path: "/failsafeless" }), members), 403);
});

Deno.test("Allowlist keeps the last addresses of a name that cannot be looked up any more", async () => {
  let nowMs = 0;
  const answers: (readonly string[] | null)[] = [["10.0.0.1"], null, ["10.0.0.2"]];
  const resolve = (): Promise<readonly string[]> => {
    const answer = answers.shift();
    return answer ? Promise.resolve(answer) : Promise.reject(new Error("no server"));
  };
  const list = new Allowlist({ ...systemClock, bootMs: () => nowMs }, resolve);
  const seen: boolean[] = [];
  for (const atMs of [0, 29_000, 31_000, 62_000]) {
    nowMs = atMs;
    seen.push(await list.has("10.0.0.1", ["db"]));
  }
  deepStrictEqual([seen, answers.length], [[true, true, true, false], 0]);
});

Deno.test("Allowlist does not wait for a name server that hangs", async () => {
  const clock = { ...systemClock, sleep: (): Promise<void> => Promise.resolve() };
  const list = new Allowlist(clock, () => new Promise(() => {}));
  strictEqual(await list.has("10.0.0.1", ["db", "10.0.0.1"]), true);
});
