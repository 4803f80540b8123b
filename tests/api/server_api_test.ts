import { OPEN_ACCESS } from "../../lib/api/access.ts";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { isJsonObject } from "../../lib/base/json.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { NodeView, RestartWish } from "../../lib/core/node_view.ts";
import { cluster, nodeView, raceView, replicaView } from "../core/builders.ts";
import { TestApi } from "./fakes.ts";

const SOON = "2030-05-01T02:00:00+00:00";

async function answer(reply: Promise<Response>): Promise<readonly [number, string]> {
  const found = await reply;
  return [found.status, await found.text()];
}

async function documentOf(reply: Promise<Response>): Promise<JsonObject> {
  const value: unknown = await (await reply).json();
  ok(isJsonObject(value));
  return value;
}

/** Resolves with the order when the handler has posted it. */
async function posted(api: TestApi): Promise<RestartWish> {
  for (let tries = 0; api.wishes.size === 0 && tries < 1000; tries++) await Promise.resolve();
  const [wish] = api.wishes;
  ok(wish?.kind === "restart" || wish?.kind === "scheduled-restart");
  return wish;
}

/** The loop's end of an order. */
function settle(api: TestApi, id: string, state: "done" | "refused", text: string): void {
  const reply = { status: state === "done" ? 200 : 503, text };
  api.context.mailbox.withdraw(id);
  api.board.settle(id, { state, why: text, reply }, 0);
}

Deno.test("POST /restart posts the order and answers with its end and its id", async () => {
  const api = new TestApi();
  const reply = api.post("/restart", { role: "primary", timeout: "2min" });
  const wish = await posted(api);
  settle(api, wish.id, "done", "restarted successfully");

  const found = await reply;
  deepStrictEqual([found.status, await found.text()], [200, "restarted successfully"]);
  strictEqual(found.headers.get("x-operation-id"), wish.id);
  deepStrictEqual([wish.conditions.role, wish.timeoutS], ["primary", 120]);
});

Deno.test("POST /restart takes no body and an empty one, and refuses a bad one", async () => {
  for (const body of [undefined, "{}"]) {
    const api = new TestApi();
    const length: Record<string, string> = body === undefined ? {} : { "content-length": "2" };
    const reply = answer(
      api.send("/restart", { method: "POST", headers: length, ...(body ? { body } : {}) }),
    );
    settle(api, (await posted(api)).id, "refused", "restart conditions are not satisfied");
    deepStrictEqual(await reply, [503, "restart conditions are not satisfied"]);
  }
  const api = new TestApi();
  strictEqual((await answer(api.post("/restart", { role: "boss" })))[0], 400);
  deepStrictEqual([api.wishes.size, api.board.state().operations.length], [0, 0]);
});

Deno.test("POST /restart a second time while the first is in work is refused", async () => {
  const api = new TestApi();
  const first = answer(api.post("/restart", { timeout: 5 }));
  const wish = await posted(api);

  deepStrictEqual(await answer(api.post("/restart", { timeout: 5 })), [
    503,
    "restart already in progress",
  ]);
  settle(api, wish.id, "done", "restarted successfully");
  strictEqual((await first)[0], 200);
});

Deno.test("F10 POST /restart that lasts is not failed: it is running, with its progress", async () => {
  const api = new TestApi();
  const accepted = await api.post("/restart", { timeout: 5 }, { prefer: "respond-async" });
  strictEqual(accepted.status, 202);
  const { id } = await posted(api);
  strictEqual(accepted.headers.get("location"), `/operations/${id}`);
  strictEqual(accepted.headers.get("x-operation-id"), id);

  api.publish(stopping(id));
  const seen = await documentOf(api.send(`/operations/${id}`));
  deepStrictEqual([seen["state"], seen["why"], seen["ended_at"]], [
    "running",
    "stop has been running for 1000 s",
    null,
  ]);
  settle(api, id, "done", "restarted successfully");
  const end = await documentOf(api.send(`/operations/${id}`));
  deepStrictEqual([end["state"], end["status"], end["text"]], [
    "done",
    200,
    "restarted successfully",
  ]);
});

function stopping(id: string): NodeView {
  const escalation = { immediateAtMs: null, killAtMs: null };
  const errand = { kind: "restart", id } as const;
  const stop = { kind: "stop", how: "fast", checkpointFirst: true, escalation, why: "" } as const;
  const task = { ...stop, errand };
  return nodeView({
    task: { kind: "running", task, sinceMs: 0, cancellable: false, progress: null },
  });
}

Deno.test("POST /restart with a schedule is planned once, shown, and deleted", async () => {
  const api = new TestApi();
  deepStrictEqual(await answer(api.post("/restart", { schedule: SOON, role: "primary" })), [
    202,
    "Restart scheduled",
  ]);
  const wish = await posted(api);
  strictEqual(wish.schedule?.atMs, Date.parse(SOON));
  strictEqual(wish.schedule.startTime, "2026-01-01 10:00:00.123456+00:00");
  deepStrictEqual(await answer(api.post("/restart", { schedule: SOON })), [
    409,
    "Another restart is already scheduled",
  ]);

  const shown = { schedule: SOON, role: "primary" };
  deepStrictEqual((await documentOf(api.send("/patroni")))["scheduled_restart"], shown);

  deepStrictEqual(await answer(api.send("/restart", { method: "DELETE" })), [
    200,
    "scheduled restart deleted",
  ]);
  strictEqual(api.wishes.size, 0);
  strictEqual((await documentOf(api.send("/patroni")))["scheduled_restart"], undefined);
  const seen = await documentOf(api.send(`/operations/${wish.id}`));
  deepStrictEqual([seen["state"], seen["scheduled_at"]], ["refused", "2030-05-01T02:00:00.000Z"]);
  deepStrictEqual(await answer(api.send("/restart", { method: "DELETE" })), [
    404,
    "no restarts are scheduled",
  ]);
});

Deno.test("POST /restart schedules nothing in maintenance mode", async () => {
  const paused = cluster({ config: { raw: { pause: true }, revision: 1n } });
  const api = new TestApi({}, nodeView({ cluster: paused }));
  deepStrictEqual(await answer(api.post("/restart", { schedule: SOON })), [
    500,
    "Can't schedule restart in the paused state",
  ]);
});

Deno.test("POST /reinitialize answers when it has been ordered", async () => {
  const api = new TestApi({}, replicaView());
  const reply = await api.post("/reinitialize", { from_leader: true });

  deepStrictEqual([reply.status, await reply.text()], [200, "reinitialize started"]);
  const [wish] = api.wishes;
  ok(wish?.kind === "reinitialize");
  deepStrictEqual([wish.force, wish.fromLeader], [false, true]);
  strictEqual(reply.headers.get("x-operation-id"), wish.id);
});

const UNFIT: readonly (readonly [string, NodeView, string])[] = [
  ["without a leader", raceView(), "Cluster has no leader, can not reinitialize"],
  ["at the leader", nodeView(), "I am the leader, can not reinitialize"],
  ["while a task runs", replicaView({ task: stopping("o").task }), "restart already in progress"],
];

for (const [where, view, text] of UNFIT) {
  Deno.test(`POST /reinitialize is refused ${where}`, async () => {
    const api = new TestApi({}, view);
    deepStrictEqual(await answer(api.send("/reinitialize", { method: "POST" })), [503, text]);
    strictEqual(api.wishes.size, 0);
  });
}

Deno.test("POST /reinitialize a second time needs force, and then takes the place of the first", async () => {
  const api = new TestApi({}, replicaView());
  const first = (await api.send("/reinitialize", { method: "POST" })).headers.get("x-operation-id");
  deepStrictEqual(await answer(api.send("/reinitialize", { method: "POST" })), [
    503,
    "reinitialize already in progress",
  ]);
  strictEqual((await answer(api.post("/reinitialize", { force: true })))[0], 200);
  const old = await documentOf(api.send(`/operations/${first}`));
  deepStrictEqual([old["state"], old["why"]], ["failed", "another reinitialize was forced"]);
  strictEqual(api.wishes.size, 1);
});

Deno.test("POST /reload reads the files anew and tells what became of it", async () => {
  const ends = [
    [{ isTaken: true, text: "Reloaded the configuration" }, "done", 200],
    [{ isTaken: false, text: "Cannot reload the configuration: no such file" }, "failed", 500],
  ] as const;
  for (const [end, state, status] of ends) {
    const api = new TestApi({ reload: () => Promise.resolve(end) });
    const reply = await api.send("/reload", { method: "POST" });
    deepStrictEqual([reply.status, await reply.text()], [202, "reload scheduled"]);
    const id = reply.headers.get("x-operation-id");
    const seen = await documentOf(api.send(`/operations/${id}`));
    deepStrictEqual([seen["state"], seen["status"], seen["text"]], [state, status, end.text]);
  }
});

Deno.test("POST /sigterm does nothing, as Patroni's does here", async () => {
  const api = new TestApi();
  deepStrictEqual(await answer(api.send("/sigterm", { method: "POST" })), [
    202,
    "shutdown scheduled",
  ]);
  strictEqual(api.wishes.size, 0);
});

Deno.test("GET /operations lists the newest first and knows no others", async () => {
  const api = new TestApi({}, replicaView());
  await api.send("/reload", { method: "POST" });
  await api.send("/reinitialize", { method: "POST" });
  const { operations } = await documentOf(api.send("/operations"));
  ok(Array.isArray(operations));
  deepStrictEqual(operations.map((each) => Object(each)["kind"]), ["reinitialize", "reload"]);
  deepStrictEqual(await answer(api.send("/operations/none")), [404, "no such operation"]);
  match(String(Object(operations[0])["id"]), /^[0-9a-f-]{36}$/);
});

Deno.test("the unsafe methods of the server need the password when one is configured", async () => {
  const api = new TestApi({
    access: () => ({ ...OPEN_ACCESS, authentication: { username: "u", password: "p" } }),
  }, replicaView());
  for (
    const [method, path] of [
      ["POST", "/restart"],
      ["DELETE", "/restart"],
      ["POST", "/reinitialize"],
      ["POST", "/reload"],
      ["DELETE", "/switchover"],
      ["PUT", "/config"],
    ] as const
  ) {
    strictEqual((await api.send(path, { method })).status, 401, `${method} ${path}`);
  }
  strictEqual((await api.send("/operations")).status, 200);
});
