import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { handover } from "../../lib/cli/handover.ts";
import type { HandoverOptions } from "../../lib/cli/handover_plan.ts";
import { cluster, member } from "../core/builders.ts";
import { world, type WorldOptions } from "./faces.ts";

// The builders give a's REST API port 8001, b's 8002, c's 8003.
const FAILOVER: HandoverOptions = {
  command: "failover",
  leader: "a",
  candidate: "b",
  scheduled: null,
};
const SWITCHOVER: HandoverOptions = {
  command: "switchover",
  leader: null,
  candidate: null,
  scheduled: null,
};

const LATER = "2030-05-01T02:00+01:00";

/** Exit code of a command in a world. */
function codeOf(wish: HandoverOptions, options: WorldOptions = {}): Promise<number> {
  return handover(world(options).context, wish);
}

Deno.test("handover() asks the living leader for a failover that names it", async () => {
  const { context, sent, questions } = world();

  strictEqual(await handover(context, FAILOVER), 0);
  strictEqual(questions.length, 1);
  deepStrictEqual(sent, [{
    url: "http://127.0.0.1:8001/failover",
    body: { leader: "a", candidate: "b" },
  }]);
});

Deno.test("handover() asks once and then the candidate when the leader does not answer", async () => {
  const { context, sent, questions } = world({ deadPorts: [8001] });

  strictEqual(await handover(context, FAILOVER), 0);
  strictEqual(questions.length, 1);
  deepStrictEqual(sent, [{ url: "http://127.0.0.1:8002/failover", body: { candidate: "b" } }]);
});

Deno.test("handover() asks the candidate when nobody leads", async () => {
  const { context, sent } = world({ views: [cluster({ lock: null })], force: true });

  strictEqual(await handover(context, FAILOVER), 0);
  strictEqual(sent[0]?.url, "http://127.0.0.1:8002/failover");
});

Deno.test("handover() takes the lock holder as leader of a switchover", async () => {
  const { context, sent } = world({ force: true });

  strictEqual(await handover(context, SWITCHOVER), 0);
  deepStrictEqual(sent, [{
    url: "http://127.0.0.1:8001/switchover",
    body: { leader: "a", candidate: null },
  }]);
});

Deno.test("handover() sends a failover without leader to the leader", async () => {
  const { context, sent } = world({ force: true });

  strictEqual(await handover(context, { ...FAILOVER, leader: null }), 0);
  deepStrictEqual(sent, [{ url: "http://127.0.0.1:8001/failover", body: { candidate: "b" } }]);
});

const REFUSED: readonly (readonly [string, number, HandoverOptions, WorldOptions])[] = [
  ["a failover names nobody", 2, { ...SWITCHOVER, command: "failover" }, {}],
  ["leader and candidate are the same", 2, { ...FAILOVER, candidate: "a" }, {}],
  ["another member leads", 1, { ...FAILOVER, leader: "c" }, {}],
  ["the candidate leads already", 1, { ...FAILOVER, leader: null, candidate: "a" }, {}],
  ["the candidate is unknown", 1, { ...FAILOVER, candidate: "z" }, {}],
  ["a switchover finds no leader", 1, SWITCHOVER, { views: [cluster({ lock: null })] }],
  ["a switchover finds the leader dead", 1, SWITCHOVER, { deadPorts: [8001] }],
  ["the candidate publishes a broken address", 1, FAILOVER, {
    views: [cluster({ members: [member("a"), member("b", { apiUrl: "http://h:1b/patroni" })] })],
  }],
  ["the store has lost the cluster's identity", 1, { ...FAILOVER, leader: null }, {
    views: [cluster({ lock: null, systemId: null })],
  }],
  ["a failover is scheduled", 2, { ...FAILOVER, scheduled: LATER }, {}],
  ["the time is in the past", 2, { ...SWITCHOVER, scheduled: "1969-01-01T00:00Z" }, {}],
  ["the time is no time", 2, { ...SWITCHOVER, scheduled: "tomorrow" }, {}],
  ["a switchover is scheduled in maintenance mode", 1, { ...SWITCHOVER, scheduled: LATER }, {
    views: [cluster({ config: { raw: { pause: true }, revision: 3n } })],
  }],
  ["the operator says no", 1, FAILOVER, { reply: "n" }],
  ["the operator just presses return", 1, FAILOVER, { reply: "" }],
  ["nobody can be asked", 2, FAILOVER, { reply: null }],
];

for (const [when, code, wish, options] of REFUSED) {
  Deno.test(`handover() sends nothing and ends with ${code} when ${when}`, async () => {
    const { context, sent, err } = world(options);

    strictEqual(await handover(context, wish), code);
    deepStrictEqual(sent, []);
    match(err.at(-1) ?? "", /^agent: /);
  });
}

Deno.test("handover() does not ask when forced", async () => {
  const { context, questions } = world({ force: true, reply: null });

  strictEqual(await handover(context, FAILOVER), 0);
  deepStrictEqual(questions, []);
});

Deno.test("handover() ends with 1 when the member refuses or cannot be reached", async () => {
  const answer = { kind: "answered", status: 412, text: "candidate does not exists" } as const;

  strictEqual(await codeOf(FAILOVER, { answer }), 1);
  strictEqual(await codeOf(FAILOVER, { answer: { kind: "unreachable", why: "x" } }), 1);
});

const UNKNOWN = {
  kind: "answered",
  status: 503,
  text: "Failover status unknown after 20 seconds; operation may still be in progress",
} as const;

Deno.test("handover() ends with 3 when the end stays unknown", async () => {
  strictEqual(await codeOf(FAILOVER, { answer: UNKNOWN }), 3);
  strictEqual(await codeOf(FAILOVER, { answer: { kind: "lost", why: "reset" } }), 3);
});

Deno.test("handover() looks into the store when the end is unknown, also past an outage of it", async () => {
  const views = [cluster(), cluster(), null, cluster({ lock: "b" })];

  strictEqual(await codeOf(FAILOVER, { answer: UNKNOWN, views }), 0);
});

Deno.test("handover() does not take another winner for the wished one", async () => {
  strictEqual(
    await codeOf(FAILOVER, { answer: UNKNOWN, views: [cluster(), cluster({ lock: "c" })] }),
    3,
  );
});

Deno.test("handover() shows the members before it asks and after it is done", async () => {
  const { context, out, err } = world();
  await handover(context, FAILOVER);

  match(err.join(""), /Cluster: demo/);
  match(out.join(""), /Done\nCluster: demo/);
});

Deno.test("handover() leaves stdout to the members in a form for programs", async () => {
  const { context, out, err } = world({ format: "json", force: true });
  strictEqual(await handover(context, FAILOVER), 0);

  strictEqual(JSON.parse(out.join("")).length, 3);
  strictEqual(err.at(-1), "Done\n");
});

Deno.test("handover() that was carried out is done, also when the store is silent afterwards", async () => {
  strictEqual(await codeOf(FAILOVER, { views: [cluster(), null] }), 0);
});

Deno.test("handover() rejects when the store does not answer, with nothing sent", async () => {
  const { context, sent } = world({ views: [null] });

  await rejects(handover(context, FAILOVER), DcsUnreachable);
  deepStrictEqual(sent, []);
});

Deno.test("handover() sends the time of a scheduled switchover and tells that it was taken", async () => {
  const answer = {
    kind: "answered",
    status: 202,
    text: JSON.stringify({ id: "1", state: "queued", scheduled_at: "2030-05-01T01:00:00Z" }),
  } as const;
  const { context, sent, questions, out } = world({ answer });

  strictEqual(await handover(context, { ...SWITCHOVER, scheduled: LATER }), 0);
  deepStrictEqual(sent[0]?.body, {
    leader: "a",
    candidate: null,
    scheduled_at: "2030-05-01T01:00:00+00:00",
  });
  match(questions.join(), /at 2030-05-01T01:00:00\+00:00\?/);
  match(out.join(""), /scheduled at 2030-05-01T01:00:00Z/);
});

Deno.test("F10 handover() tells what a slow leader does, and its end", async () => {
  const operation = (state: string, more: object): string =>
    JSON.stringify({ id: "1", state, ...more });
  const begun = { kind: "answered", status: 202, text: operation("queued", {}) } as const;
  const page = [
    "{}",
    ...Array(300).fill(operation("running", { why: "the server of a stops" })),
    operation("done", { status: 200, text: 'Successfully switched over to "b"' }),
  ];
  const { context, err, out } = world({ answer: begun, page });

  strictEqual(await handover(context, SWITCHOVER), 0);
  strictEqual(err.filter((text) => text === "a: the server of a stops\n").length, 1);
  match(out.join(""), /Successfully switched over to "b"/);
});
