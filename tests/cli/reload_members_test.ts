import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { CommandContext } from "../../lib/cli/command.ts";
import { flush, type FlushOptions } from "../../lib/cli/flush.ts";
import { reload } from "../../lib/cli/reload_members.ts";
import { cluster, handover, member } from "../core/builders.ts";
import { world } from "./faces.ts";

const ALL = { names: [], role: null, onlyOne: false } as const;
const RESTARTS: FlushOptions = { ...ALL, what: "restart" };
const SWITCHOVER: FlushOptions = { ...ALL, what: "switchover" };

Deno.test("reload() asks every chosen member, and tells who did not take it", async () => {
  const answer = { kind: "answered", status: 202, text: "reload scheduled" } as const;
  const { context, sent, out, err } = world({ answer, deadPorts: [8003] });

  strictEqual(await reload(context, ALL), 1);
  deepStrictEqual(sent.map(({ url }) => new URL(url).pathname), ["/reload", "/reload"]);
  deepStrictEqual(out, ["b: reload scheduled\n", "a: reload scheduled\n"]);
  match(err.join(""), /c: cannot be reached/);
});

Deno.test("reload() tells what came of it at a member that keeps operations", async () => {
  const answer = { kind: "answered", status: 202, text: '{"id":"7","state":"running"}' } as const;
  const ends = [
    [
      '{"id":"7","state":"done","status":200,"text":"Reloaded; waits: x"}',
      0,
      "a: Reloaded; waits: x",
    ],
    ['{"id":"7","state":"failed","status":500,"text":"line 3: bad"}', 1, "line 3: bad"],
  ] as const;
  for (const [page, code, said] of ends) {
    const { context, out, err } = world({ answer, page, force: true });
    strictEqual(await reload(context, { ...ALL, names: ["a"] }), code);
    match([...out, ...err].join(""), new RegExp(said));
  }
});

Deno.test("reload() finds a member that has moved its address by it", async () => {
  const answer = { kind: "answered", status: 202, text: '{"id":"7","state":"running"}' } as const;
  const moved = cluster({ members: [member("a", { apiUrl: "https://127.0.0.1:9001/patroni" })] });
  const page = '{"id":"7","state":"done","status":200,"text":"Reloaded"}';
  const { context, out } = world({ answer, page, views: [cluster(), null, moved], force: true });
  const asked: string[] = [];
  const get: CommandContext["remote"]["get"] = async (url, signal) => {
    asked.push(url);
    const isGone = url.endsWith(":8001/operations/7");
    return isGone ? { kind: "unreachable", why: "refused" } : await context.remote.get(url, signal);
  };
  const remote = { ...context.remote, get };
  strictEqual(await reload({ ...context, remote }, { ...ALL, names: ["a"] }), 0);
  deepStrictEqual([out, asked.at(-1)], [["a: Reloaded\n"], "https://127.0.0.1:9001/operations/7"]);
});

Deno.test("reload() names the missing password when a member refuses", async () => {
  const answer = { kind: "answered", status: 401, text: "no auth header received" } as const;
  const { context, err } = world({ answer, force: true });

  strictEqual(await reload(context, { ...ALL, names: ["a"] }), 1);
  match(err.join(""), /refused \(401\)[^]*ctl\.authentication/);
});

Deno.test("reload() sends nothing when it is not allowed to", async () => {
  for (const [reply, code] of [["n", 1], [null, 2]] as const) {
    const { context, sent } = world({ reply });
    strictEqual(await reload(context, ALL), code);
    deepStrictEqual(sent, []);
  }
  strictEqual(await reload(world().context, { ...ALL, names: ["x"] }), 1);
});

const DUE = cluster({
  members: [member("a"), member("b", { scheduledRestart: { schedule: "2030-05-01T02:00Z" } })],
});

Deno.test("flush() drops the restarts of members that have one", async () => {
  const { context, sent, out } = world({ views: [DUE], format: "json" });

  strictEqual(await flush(context, RESTARTS), 0);
  deepStrictEqual(sent.map(({ url }) => url), ["DELETE http://127.0.0.1:8002/restart"]);
  deepStrictEqual(JSON.parse(out.join("")), [{ member: "b", result: "done", text: "Done" }]);
});

Deno.test("flush() sends nothing to a member that hangs, and says so", async () => {
  const { context, sent, err } = world({ views: [DUE], lives: [false], force: true });

  strictEqual(await flush(context, RESTARTS), 1);
  deepStrictEqual(sent, []);
  match(err.join(""), /b: no answer within 3 s[^]*hangs/);
});

Deno.test("flush() asks another member to drop a switchover when the leader hangs", async () => {
  const { context, sent } = world({ views: [PLANNED], lives: [false, false, true] });

  strictEqual(await flush(context, SWITCHOVER), 0);
  deepStrictEqual(sent.map(({ url }) => url), ["DELETE http://127.0.0.1:8002/switchover"]);
});

Deno.test("flush() takes a restart that is gone for dropped", async () => {
  const answer = { kind: "answered", status: 404, text: "no restarts are scheduled" } as const;
  strictEqual(await flush(world({ views: [DUE], answer, force: true }).context, RESTARTS), 0);
});

Deno.test("flush() has nothing to do where nothing is scheduled", async () => {
  for (const options of [RESTARTS, SWITCHOVER]) {
    const { context, sent, err } = world();
    strictEqual(await flush(context, options), 0);
    deepStrictEqual(sent, []);
    match(err.join(""), /No .* is scheduled/);
  }
});

const PLANNED = cluster({ handover: handover({ leader: "a", scheduledAtMs: 1 }) });

Deno.test("flush() asks the leader, then the others, to drop a switchover", async () => {
  for (const [deadPorts, port] of [[[], 8001], [[8001], 8002]] as const) {
    const { context, sent, written } = world({ views: [PLANNED], deadPorts });
    strictEqual(await flush(context, SWITCHOVER), 0);
    deepStrictEqual(sent.map(({ url }) => url), [`DELETE http://127.0.0.1:${port}/switchover`]);
    deepStrictEqual(written, []);
  }
});

const DEAD = { views: [PLANNED], deadPorts: [8001, 8002, 8003], force: true };

Deno.test("flush() drops a switchover in the store when no agent answers", async () => {
  const { context, written } = world(DEAD);
  strictEqual(await flush(context, SWITCHOVER), 0);
  deepStrictEqual(written, [["handover", 9n]]);

  const changed = world({ ...DEAD, written: { kind: "refused", why: "x" } });
  strictEqual(await flush(changed.context, SWITCHOVER), 1);
  const unknown = world({ ...DEAD, written: { kind: "unknown", why: "x" } });
  strictEqual(await flush(unknown.context, SWITCHOVER), 3);
});

Deno.test("flush() believes no member that knows nothing of what the store still shows", async () => {
  const answer = { kind: "answered", status: 404, text: "no switchover is scheduled" } as const;
  const stale = world({ views: [PLANNED], answer, force: true });
  strictEqual(await flush(stale.context, SWITCHOVER), 0);
  deepStrictEqual([stale.sent.length, stale.written], [3, [["handover", 9n]]]);

  const gone = world({ views: [PLANNED, cluster()], answer, force: true });
  strictEqual(await flush(gone.context, SWITCHOVER), 0);
  deepStrictEqual([gone.sent.length, gone.written], [1, []]);
});

Deno.test("flush() does nothing when it is not allowed to", async () => {
  for (const [options, views] of [[RESTARTS, [DUE]], [SWITCHOVER, [PLANNED]]] as const) {
    const { context, sent } = world({ views, reply: "no" });
    strictEqual(await flush(context, options), 1);
    deepStrictEqual(sent, []);
  }
});
