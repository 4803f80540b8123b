import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { reinit } from "../../lib/cli/reinit.ts";
import type { ReinitOptions } from "../../lib/cli/reinit_copy.ts";
import type { RemoteAnswer } from "../../lib/cli/remote.ts";
import { cluster } from "../core/builders.ts";
import { DEAD, world, type WorldOptions } from "./faces.ts";

const B: ReinitOptions = { names: ["b"], fromLeader: false, wait: false };
const URL_B = "http://127.0.0.1:8002/reinitialize";

function answered(status: number, text: string): RemoteAnswer {
  return { kind: "answered", status, text };
}

Deno.test("reinit() asks and sends what Patroni's tool sends", async () => {
  const { context, sent, questions } = world({ answer: answered(200, "reinitialize started") });

  strictEqual(await reinit(context, { ...B, names: ["demo", "b"], fromLeader: true }), 0);
  deepStrictEqual(sent, [{ url: URL_B, body: { force: false, from_leader: true } }]);
  deepStrictEqual(questions, ["Remove the data of b and copy it anew? [y/N] "]);
});

const REFUSED:
  readonly (readonly [string, number, Partial<ReinitOptions>, WorldOptions, RegExp])[] = [
    ["only the cluster is named", 2, { names: ["demo"] }, {}, /Name the members/],
    ["the leader is named", 1, { names: ["b", "a"] }, {}, /it is the leader/],
    ["a member is unknown", 1, { names: ["z"] }, {}, /no member is named "z"/],
    ["nobody leads", 1, {}, { views: [cluster({ lock: null })] }, /no leader/],
    ["the operator says no", 1, {}, { reply: "" }, /nothing was done/],
    ["nobody can be asked", 2, {}, { reply: null }, /add --force/],
  ];

for (const [when, code, options, given, said] of REFUSED) {
  Deno.test(`reinit() sends nothing and ends with ${code} when ${when}`, async () => {
    const { context, sent, err } = world(given);

    strictEqual(await reinit(context, { ...B, ...options }), code);
    deepStrictEqual(sent, []);
    match(err.join(""), said);
  });
}

Deno.test("reinit() offers to cancel what runs, and does so only on yes", async () => {
  const busy = answered(503, "restart already in progress");
  const no = world({ answer: busy, reply: ["y", "n"] });
  strictEqual(await reinit(no.context, B), 1);
  strictEqual(no.sent.length, 1);

  const yes = world({ answer: busy, reply: ["y", "y"] });
  await reinit(yes.context, B);
  deepStrictEqual(yes.sent.map(({ body }) => body["force"]), [false, true]);

  const forced = world({ answer: busy, force: true });
  await reinit(forced.context, B);
  deepStrictEqual(forced.sent.map(({ body }) => body["force"]), [true]);
});

Deno.test("reinit() with wait shows the progress of an operation once each", async () => {
  const page = [
    '{"id":"7","state":"running","progress":{"text":"copied 1 of 4 MB"}}',
    '{"id":"7","state":"running","progress":{"text":"copied 1 of 4 MB"}}',
    '{"id":"7","state":"running","progress":{"text":"copied 3 of 4 MB"}}',
    '{"id":"7","state":"done","status":200,"text":"copied"}',
  ];
  const answer = answered(202, '{"id":"7","state":"queued"}');
  const { context, err, out } = world({ answer, page, force: true });

  strictEqual(await reinit(context, { ...B, wait: true }), 0);
  deepStrictEqual(err, ["b: copied 1 of 4 MB\n", "b: copied 3 of 4 MB\n"]);
  deepStrictEqual(out, ["b: copied\n"]);
});

Deno.test("reinit() with wait looks at the state of a member that keeps no operations", async () => {
  const answer = answered(200, "reinitialize started");
  const copying = '{"state":"creating replica"}';
  const good = world({ answer, page: [copying, "", copying, '{"state":"running"}'], force: true });
  strictEqual(await reinit(good.context, { ...B, wait: true }), 0);
  match(good.out.join(""), /its server is running/);

  const bad = world({ answer, page: [copying, '{"state":"start failed"}'], force: true });
  strictEqual(await reinit(bad.context, { ...B, wait: true }), 1);

  const gone = world({ answer, page: [copying, DEAD], force: true });
  strictEqual(await reinit(gone.context, { ...B, wait: true }), 3);
  match(gone.err.join(""), /answers nothing since 60 s/);
});

Deno.test("reinit() tells a silent member from one that took the order", async () => {
  strictEqual(await reinit(world({ deadPorts: [8002], force: true }).context, B), 1);
  const frozen = world({ lives: [false], force: true });
  strictEqual(await reinit(frozen.context, B), 1);
  deepStrictEqual(frozen.sent, []);
  strictEqual(
    await reinit(world({ answer: { kind: "lost", why: "reset" }, force: true }).context, B),
    3,
  );
});
