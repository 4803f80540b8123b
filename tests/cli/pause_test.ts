import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { pause, whyUnsafe } from "../../lib/cli/pause.ts";
import type { ClusterView } from "../../lib/core/cluster_view.ts";
import { cluster, member } from "../core/builders.ts";
import { world, type WorldOptions } from "./faces.ts";

const ON = { on: true, wait: false };
const OFF = { on: false, wait: false };

function shown(
  isOn: boolean,
  confirmed: readonly string[],
  lock: string | null = "a",
): ClusterView {
  const members = ["a", "b", "c"].map((name) =>
    member(name, { role: name === "a" ? "primary" : "replica", pause: confirmed.includes(name) })
  );
  return cluster({ members, lock, config: { raw: { pause: isOn }, revision: 3n } });
}

Deno.test("pause() asks the leader first, then the others until one answers", async () => {
  for (const [deadPorts, port] of [[[], 8001], [[8001], 8002], [[8001, 8002], 8003]] as const) {
    const { context, sent } = world({ deadPorts });
    strictEqual(await pause(context, ON), 0);
    deepStrictEqual(sent, [
      { url: `http://127.0.0.1:${port}/config`, body: { pause: true } },
    ]);
  }
});

Deno.test("pause() passes over a member that hangs, and says so", async () => {
  const { context, sent, err } = world({ lives: [false, false, true] });

  strictEqual(await pause(context, ON), 0);
  deepStrictEqual(sent.map(({ url }) => url), ["http://127.0.0.1:8002/config"]);
  match(err.join(""), /a: no answer within 3 s/);

  const frozen = world({ lives: [false] });
  strictEqual(await pause(frozen.context, ON), 1);
  deepStrictEqual(frozen.sent, []);
  match(frozen.err.join(""), /hangs\n.*Nothing was changed/);
});

Deno.test("pause() does nothing when the mode is as wished", async () => {
  const { context, sent } = world({ views: [shown(true, ["a", "b", "c"])] });

  strictEqual(await pause(context, ON), 1);
  deepStrictEqual(sent, []);
});

Deno.test("pause() waits until every member has confirmed, and names those that did not", async () => {
  const before = shown(false, []);
  const done = world({ views: [before, shown(true, ["a"]), shown(true, ["a", "b", "c"])] });
  strictEqual(await pause(done.context, { on: true, wait: true }), 0);
  match(done.out.join(""), /confirmed/);

  const late = world({ views: [before, shown(true, ["a", "c"])] });
  strictEqual(await pause(late.context, { on: true, wait: true }), 3);
  match(late.err.join(""), /\bb\b/);
});

Deno.test("pause() does not know the end of a request without an answer", async () => {
  const { context } = world({ answer: { kind: "lost", why: "reset" } });
  strictEqual(await pause(context, ON), 3);
});

Deno.test("pause() finds in the store that a request without an answer was carried out", async () => {
  const views = [shown(false, []), shown(true, [])];
  const { context, out } = world({ answer: { kind: "lost", why: "reset" }, views });
  strictEqual(await pause(context, ON), 0);
  match(out.join(""), /is on/);
});

Deno.test("pause() is refused when a member refuses", async () => {
  const { context, sent } = world({ answer: { kind: "answered", status: 401, text: "no" } });
  strictEqual(await pause(context, ON), 1);
  strictEqual(sent.length, 1);
});

Deno.test("pause() resumes without a question only when no second primary can be there", async () => {
  const calm = world({ views: [shown(true, ["a", "b", "c"])], reply: "n" });
  strictEqual(await pause(calm.context, OFF), 0);
  deepStrictEqual(calm.sent[0]?.body, { pause: null });

  const leaderless = { views: [shown(true, [], null)] };
  strictEqual(await pause(world({ ...leaderless, reply: "n" }).context, OFF), 1);
  strictEqual(await pause(world({ ...leaderless, reply: null }).context, OFF), 2);
  strictEqual(await pause(world({ ...leaderless, force: true }).context, OFF), 0);
});

Deno.test("whyUnsafe() names a primary without the lock", () => {
  const members = [member("a", { role: "primary" }), member("b", { role: "primary" })];
  match(whyUnsafe(cluster({ members })).join(), /^b runs/);
  deepStrictEqual(whyUnsafe(cluster()), []);
});

const ALL = ["a", "b", "c"];
const VANISHED = { lsn: null, slots: {}, retainSlots: ["a", "lost"] };

const DOUBTS: readonly (readonly [string, WorldOptions, RegExp])[] = [
  ["does not answer", { deadPorts: [8003] }, /c cannot be asked/],
  ["answers garbage", { page: "<html>" }, /a cannot be asked/],
  ["has not confirmed the mode", { views: [shown(true, ["a", "b"])] }, /c has not confirmed/],
  [
    "has vanished",
    { views: [{ ...shown(true, ALL), status: VANISHED }] },
    /slot lost cannot be seen/,
  ],
];

for (const [title, options, text] of DOUBTS) {
  Deno.test(`pause() names a member that ${title} before it resumes, and asks`, async () => {
    const given = { views: [shown(true, ALL)], reply: "n", ...options };
    const { context, sent, err } = world(given);
    strictEqual(await pause(context, OFF), 1);
    match(err.join(""), text);
    strictEqual(sent.length, 0);
    strictEqual(await pause(world({ ...given, force: true }).context, OFF), 0);
  });
}
