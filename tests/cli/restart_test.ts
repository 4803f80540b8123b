import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import type { RemoteAnswer } from "../../lib/cli/remote.ts";
import { restart } from "../../lib/cli/restart.ts";
import type { RestartOptions } from "../../lib/cli/restart_options.ts";
import { cluster, member } from "../core/builders.ts";
import { DEAD, NOT_FOUND, world, type WorldOptions } from "./faces.ts";

const ALL: RestartOptions = {
  names: [],
  role: null,
  onlyOne: false,
  pending: false,
  pgVersion: null,
  timeout: null,
  scheduled: null,
  wait: false,
};
const LATER = "2030-05-01T02:00+01:00";
const RESTARTS = ["8002", "8003", "8001"].map((port) => `http://127.0.0.1:${port}/restart`);

Deno.test("restart() restarts every member after one question, the leader last", async () => {
  const { context, sent, questions, out } = world();

  strictEqual(await restart(context, ALL), 0);
  deepStrictEqual(sent.map(({ url }) => url), RESTARTS);
  deepStrictEqual(questions, ["Restart b, c, a (the leader)? [y/N] "]);
  deepStrictEqual(out, ["b: Done\n", "c: Done\n", "a: Done\n"]);
});

const CHOSEN: readonly (readonly [string, Partial<RestartOptions>, readonly string[]])[] = [
  ["names", { names: ["a", "c"] }, ["8003", "8001"]],
  ["the name of the cluster in front", { names: ["demo", "b"] }, ["8002"]],
  ["a role", { role: "replica" }, ["8002", "8003"]],
  ["the role primary", { role: "primary" }, ["8001"]],
  ["any one", { onlyOne: true }, ["8002"]],
  ["any one of a role", { role: "leader", onlyOne: true }, ["8001"]],
  ["those that wait", { pending: true }, ["8003"]],
];
const PENDING = cluster({
  members: [member("a", { role: "primary" }), member("b"), member("c", { pendingRestart: true })],
});

for (const [what, options, ports] of CHOSEN) {
  Deno.test(`restart() takes ${what}`, async () => {
    const { context, sent } = world({ views: [PENDING], force: true });

    strictEqual(await restart(context, { ...ALL, ...options }), 0);
    deepStrictEqual(sent.map(({ url }) => new URL(url).port), ports);
  });
}

Deno.test("restart() sends its conditions as Patroni's tool does", async () => {
  const { context, sent } = world({ views: [PENDING] });
  const options = { ...ALL, pending: true, pgVersion: "15.4", timeout: "5min" };

  strictEqual(await restart(context, { ...options, scheduled: LATER }), 0);
  deepStrictEqual(sent[0]?.body, {
    restart_pending: true,
    postgres_version: "15.4",
    schedule: "2030-05-01T01:00:00+00:00",
    timeout: "5min",
  });
});

Deno.test("restart() ends at a member that does not come back and leaves the others alone", async () => {
  const answer = { kind: "answered", status: 503, text: "restart failed" } as const;
  const { context, sent, out, err } = world({ answer, format: "json", force: true });

  strictEqual(await restart(context, ALL), 1);
  strictEqual(sent.length, 1);
  match(err.join(""), /b: refused \(503\): restart failed/);
  deepStrictEqual(JSON.parse(out.join("")).map((one: { result: string }) => one.result), [
    "refused",
    "skipped",
    "skipped",
  ]);
});

Deno.test("restart() goes on after a member that the conditions leave out", async () => {
  const text = "restart conditions are not satisfied";
  const { context, sent } = world({ answer: { kind: "answered", status: 503, text }, force: true });

  strictEqual(await restart(context, { ...ALL, pgVersion: "15.4" }), 0);
  strictEqual(sent.length, 3);
  strictEqual(await restart(context, ALL), 1);
});

const REFUSED: readonly (readonly [
  string,
  number,
  Partial<RestartOptions>,
  WorldOptions,
  RegExp,
])[] = [
  ["a member is unknown", 1, { names: ["aa"] }, {}, /Did you mean a\?/],
  ["nobody has the role", 1, { role: "standby-leader" }, {}, /no member has the role/],
  ["the timeout is no time", 2, { timeout: "soon" }, {}, /no positive time/],
  ["the timeout is endless", 2, { timeout: "99d" }, {}, /at most a day/],
  ["the timeout is zero", 2, { timeout: "0" }, {}, /no positive time/],
  ["the version is none", 2, { pgVersion: "15" }, {}, /no version of PostgreSQL/],
  ["the time is past", 2, { scheduled: "1969-05-01T02:00Z" }, {}, /in the past/],
  ["maintenance mode is on", 1, { scheduled: LATER }, {
    views: [cluster({ config: { raw: { pause: true }, revision: 3n } })],
  }, /maintenance mode/],
  ["one is scheduled already", 1, { scheduled: LATER }, {
    views: [cluster({ members: [member("a", { scheduledRestart: { schedule: LATER } })] })],
  }, /agent flush restart a/],
  ["the operator says no", 1, {}, { reply: "n" }, /nothing was done/],
  ["nobody can be asked", 2, {}, { reply: null }, /add --force/],
  ["the cluster is empty", 1, {}, { views: [cluster({ members: [] })] }, /no members/],
];

for (const [when, code, options, given, said] of REFUSED) {
  Deno.test(`restart() sends nothing and ends with ${code} when ${when}`, async () => {
    const { context, sent, err } = world(given);

    strictEqual(await restart(context, { ...ALL, ...options }), code);
    deepStrictEqual(sent, []);
    match(err.join(""), said);
  });
}

Deno.test("restart() by force drops what is scheduled before it schedules anew", async () => {
  const members = [member("a", { scheduledRestart: { schedule: LATER } })];
  const { context, sent } = world({ views: [cluster({ members })], force: true });

  strictEqual(await restart(context, { ...ALL, scheduled: LATER }), 0);
  deepStrictEqual(sent.map(({ url }) => url), [
    "DELETE http://127.0.0.1:8001/restart",
    "http://127.0.0.1:8001/restart",
  ]);
});

Deno.test("restart() does nothing when nobody waits for one", async () => {
  const { context, sent, err } = world();

  strictEqual(await restart(context, { ...ALL, pending: true }), 0);
  deepStrictEqual(sent, []);
  match(err.join(""), /No member waits/);
});

Deno.test("restart() tells a silent member from one that took the order", async () => {
  const silent = world({ deadPorts: [8002], force: true });
  strictEqual(await restart(silent.context, ALL), 1);
  match(silent.err.join(""), /b: cannot be reached[^]*Nothing was sent/);

  const lost = world({ answer: { kind: "lost", why: "reset" }, force: true });
  strictEqual(await restart(lost.context, ALL), 3);
  match(lost.err.join(""), /b: status unknown: reset[^]*before you repeat/);

  const nameless = cluster({ members: [member("a", { apiUrl: "ftp://x" })] });
  const { context, sent } = world({ views: [nameless], force: true });
  strictEqual(await restart(context, ALL), 1);
  deepStrictEqual(sent, []);
});

const BEGUN = { kind: "answered", status: 202, text: '{"id":"7","state":"queued"}' } as const;
const ENDED = '{"id":"7","state":"done","status":200,"text":"restarted"}';
const ENDS: readonly (readonly [string, number, readonly string[], RegExp])[] = [
  ["done", 0, [ENDED], /b: restarted/],
  ["failed", 1, ['{"id":"7","state":"failed","status":503,"text":"restart failed"}'], /503/],
  ["refused", 1, ['{"id":"7","state":"refused","why":"a task runs"}'], /a task runs/],
  ["unknown", 3, ['{"id":"7","state":"unknown","why":"who knows"}'], /who knows/],
  ["forgotten", 3, [NOT_FOUND], /does not know operation 7/],
  ["endless", 3, ['{"id":"7","state":"running"}'], /still under way/],
  ["garbage that never ends", 3, ["<html>", "{}", "[1]", '{"id":7}'], /answers nothing/],
  ["silence", 3, [DEAD], /no answer for 10 s[^]*nothing since 60 s[^]*operation 7/],
  ["silence for a while", 0, [...Array(50).fill(DEAD), ENDED], /b: restarted/],
];

for (const [end, code, page, said] of ENDS) {
  Deno.test(`restart() follows an operation to its end: ${end}`, async () => {
    const { context, out, err } = world({ answer: BEGUN, page, force: true });

    strictEqual(await restart(context, { ...ALL, names: ["b"] }), code);
    match([...out, ...err].join(""), said);
  });
}

Deno.test("restart() sends nothing to a member that hangs, says what it waits for, and ends soon", async () => {
  const frozen = world({ lives: [false], force: true });
  strictEqual(await restart(frozen.context, ALL), 1);
  deepStrictEqual(frozen.sent, []);
  match(frozen.err.join(""), /b: no answer within 3 s[^]*b: cannot be reached: .*hangs[^]*Nothing/);

  const slow = world({ lives: [false, true], force: true });
  strictEqual(await restart(slow.context, { ...ALL, names: ["b"] }), 0);
  match(slow.err.join(""), /b: no answer within 3 s/);
});

Deno.test("restart() says why a connection breaks, and nothing of a member that hangs", async () => {
  const { context, sent, err } = world({ force: true });
  const get = (): Promise<RemoteAnswer> => Promise.resolve({ kind: "lost", why: "reset" });
  const remote = { ...context.remote, get };
  strictEqual(await restart({ ...context, remote }, { ...ALL, names: ["b"] }), 1);
  deepStrictEqual(sent, []);
  match(err.join(""), /^agent: b: cannot be reached: reset\n/);
});

Deno.test("restart() waits for no member that falls silent after the order", async () => {
  const fallen = world({ lives: [true, true, false], hangs: true, force: true });
  strictEqual(await restart(fallen.context, ALL), 3);
  strictEqual(fallen.sent.length, 1);
  match(fallen.err.join(""), /b: no answer for 10 s[^]*b: status unknown: b answers nothing/);
  ok(fallen.context.clock.bootMs() < 90_000);
});

Deno.test("restart() with wait goes on when the member streams again", async () => {
  const shown = (replicationState: string | null) =>
    cluster({
      members: [member("a", { role: "primary" }), member("b", { replicationState })],
    });
  const options = { ...ALL, names: ["b"], wait: true };
  const back = world({ views: [shown(null), shown(null), null, shown("streaming")], force: true });
  strictEqual(await restart(back.context, options), 0);

  const late = world({ views: [shown(null)], force: true });
  strictEqual(await restart(late.context, options), 3);
  match(late.err.join(""), /not running in time/);
});

Deno.test("restart() rejects when the store does not answer, with nothing sent", async () => {
  const { context, sent } = world({ views: [null] });

  await rejects(restart(context, ALL), DcsUnreachable);
  deepStrictEqual(sent, []);
});

Deno.test("restart() lets no control character of a member through", async () => {
  const answer = { kind: "answered", status: 503, text: "\x1b[2Jbad\nline\u009b" } as const;
  const { context, err } = world({ answer, force: true });
  await restart(context, ALL);

  // deno-lint-ignore no-control-regex -- control characters are what must not be there
  strictEqual(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(err.join("")), false);
});
