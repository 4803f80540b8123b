import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { cluster, lockOf, nodeView, silentPeer } from "../core/builders.ts";
import { silentLog } from "../../lib/base/log.ts";
import { OPEN_ACCESS } from "../../lib/api/access.ts";
import { TestApi } from "./fakes.ts";

async function answer(reply: Promise<Response>): Promise<readonly [number, string]> {
  const { status, ...rest } = await reply.then(async (found) => ({
    status: found.status,
    text: await found.text(),
  }));
  return [status, rest.text];
}

/** Resolves when the handler has woken the loop: then the request is in the store. */
async function written(api: TestApi): Promise<void> {
  for (let tries = 0; api.wakes.length === 0 && tries < 1000; tries++) await Promise.resolve();
  strictEqual(api.wakes.length, 1);
}

Deno.test("POST /switchover writes the request, wakes the loop and waits for the new leader", async () => {
  const api = new TestApi();
  const reply = answer(api.post("/switchover", { leader: "a", candidate: "b" }));
  await written(api);
  api.see({ lock: null, handover: pending(api) });
  api.see({ lock: lockOf("b"), handover: pending(api) });

  deepStrictEqual(await reply, [200, 'Successfully switched over to "b"']);
  deepStrictEqual(api.dcs.writes, [{ leader: "a", candidate: "b", scheduledAt: null }]);
});

function pending(api: TestApi): ReturnType<typeof cluster>["handover"] {
  return api.dcs.view === "unreachable" ? null : api.dcs.view.handover;
}

Deno.test("POST /failover without a leader waits for whoever wins", async () => {
  const api = new TestApi({}, nodeView({ cluster: cluster({ lock: null }) }));
  const reply = answer(api.post("/failover", { member: "b" }));
  await written(api);
  api.see({ lock: "c" });

  deepStrictEqual(await reply, [200, 'Failed over to "c" instead of "b"']);
});

Deno.test("POST /switchover fails when the request is withdrawn and the leader stays", async () => {
  const api = new TestApi();
  const reply = answer(api.post("/switchover", { leader: "a" }));
  await written(api);
  api.see({ handover: null });

  deepStrictEqual(await reply, [503, "Switchover failed"]);
});

Deno.test("POST /switchover is unknown when the time is over", async () => {
  const api = new TestApi({ handoverLimitS: 0.01 });

  const [status, text] = await answer(api.post("/switchover", { leader: "a" }));

  strictEqual(status, 503);
  match(text, /status unknown/);
});

Deno.test("POST /switchover goes on waiting when the write got no answer", async () => {
  const api = new TestApi();
  api.dcs.writeAnswer = { kind: "unknown", why: "no answer" };
  const reply = answer(api.post("/switchover", { leader: "a" }));
  await written(api);
  api.see({ handover: null });
  api.see({ lock: "b" });

  deepStrictEqual(await reply, [200, 'Successfully switched over to "b"']);
});

Deno.test("F14 POST /switchover twice at once: one is written, the other is told so", async () => {
  const api = new TestApi();
  const first = answer(api.post("/switchover", { leader: "a", candidate: "b" }));
  const second = await answer(api.post("/switchover", { leader: "a", candidate: "c" }));
  api.see({ lock: "b", handover: pending(api) });

  strictEqual((await first)[0], 200);
  deepStrictEqual(second, [503, "failed to write failover key into DCS"]);
  strictEqual(api.dcs.writes.length, 1);
});

Deno.test("POST /switchover a second time while the first is in work is refused", async () => {
  const api = new TestApi({ handoverLimitS: 0 });
  await answer(api.post("/switchover", { leader: "a" }));

  strictEqual((await answer(api.post("/switchover", { leader: "a" })))[0], 409);
});

Deno.test("POST /failover asks only the members that are meant, and refuses without a good one", async () => {
  const asked: string[][] = [];
  const api = new TestApi({
    askPeers: (members) => {
      asked.push(members.map(({ name }) => name));
      return Promise.resolve(members.map(({ name }) => silentPeer(name)));
    },
  });
  const [status] = await answer(api.post("/failover", { candidate: "b" }));

  deepStrictEqual([status, asked, api.dcs.writes, api.wakes], [412, [["b"]], [], []]);
});

Deno.test("POST /switchover is 503 when the store cannot be read", async () => {
  const api = new TestApi();
  api.dcs.view = "unreachable";

  strictEqual((await answer(api.post("/switchover", { leader: "a" })))[0], 503);
});

Deno.test("POST /failover needs the password when one is configured", async () => {
  const api = new TestApi({
    access: () => ({ ...OPEN_ACCESS, authentication: { username: "u", password: "p" } }),
    handoverLimitS: 0,
  });
  const authorization = `Basic ${btoa("u:p")}`;

  strictEqual((await answer(api.post("/failover", { candidate: "b" })))[0], 401);
  strictEqual((await answer(api.post("/failover", { candidate: "b" }, { authorization })))[0], 503);
  strictEqual(api.dcs.writes.length, 1);
});

const SOON = "2030-05-01T02:00:00+00:00";

Deno.test("POST /switchover with a schedule is written and answered at once, then deleted", async () => {
  const api = new TestApi();
  const body = { leader: "a", candidate: "b", scheduled_at: "2030-05-01T04:00:00+02:00" };
  const reply = await api.post("/switchover", body);
  deepStrictEqual([reply.status, await reply.text()], [202, "Switchover scheduled"]);
  deepStrictEqual(api.dcs.writes, [{ leader: "a", candidate: "b", scheduledAt: SOON }]);
  const shown = await (await api.send("/cluster")).json();
  deepStrictEqual(Object(shown)["scheduled_switchover"], { at: SOON, from: "a", to: "b" });

  const id = reply.headers.get("x-operation-id");
  strictEqual(Object(await (await api.send(`/operations/${id}`)).json())["state"], "queued");
  const remove = { method: "DELETE" };
  deepStrictEqual(await answer(api.send("/switchover", remove)), [
    200,
    "scheduled switchover deleted",
  ]);
  strictEqual(Object(await (await api.send(`/operations/${id}`)).json())["state"], "refused");
  deepStrictEqual(await answer(api.send("/switchover", remove)), [
    404,
    "no switchover is scheduled",
  ]);
});

Deno.test("an order is logged when it comes, not when it has ended", async () => {
  const lines: string[] = [];
  const log = { ...silentLog, info: (line: string): void => void lines.push(line) };
  const api = new TestApi({ log });
  const reply = answer(api.post("/switchover", { leader: "a" }));
  await written(api);
  deepStrictEqual(lines, ["The operator orders: switchover"]);
  api.see({ handover: null });
  await reply;
  const later = { leader: "a", candidate: "b", scheduled_at: SOON };
  await new TestApi({ log }).post("/switchover", later);
  deepStrictEqual(lines.slice(1), [
    "The operator orders: switchover at 2030-05-01T02:00:00.000Z",
  ]);
});

Deno.test("DELETE /switchover leaves a request for now alone", async () => {
  const api = new TestApi({ handoverLimitS: 0 });
  await api.post("/switchover", { leader: "a" });
  strictEqual((await api.send("/switchover", { method: "DELETE" })).status, 404);
});

Deno.test("DELETE /switchover is 409 when the request changed meanwhile, 503 without an answer", async () => {
  for (const [kind, status] of [["refused", 409], ["unknown", 503]] as const) {
    const api = new TestApi();
    await api.post("/switchover", { leader: "a", scheduled_at: SOON });
    api.dcs.writeAnswer = { kind, why: "" };
    strictEqual((await api.send("/switchover", { method: "DELETE" })).status, status);
  }
});

Deno.test("F10 POST /switchover without an end in time goes on as an operation", async () => {
  const api = new TestApi({ handoverLimitS: 0 });
  const reply = await api.post("/switchover", { leader: "a", candidate: "b" });
  strictEqual(reply.status, 503);
  const path = `/operations/${reply.headers.get("x-operation-id")}`;
  strictEqual(Object(await (await api.send(path)).json())["state"], "running");
  api.see({ lock: "b", handover: null });
  const end = Object(await (await api.send(path)).json());
  deepStrictEqual([end["state"], end["text"]], ["done", 'Successfully switched over to "b"']);
});

Deno.test("POST /switchover that prefers not to wait is accepted with its operation", async () => {
  const api = new TestApi();
  const reply = await api.post("/switchover", { leader: "a" }, { prefer: "wait=5, respond-async" });
  strictEqual(reply.status, 202);
  strictEqual(Object(await reply.json())["kind"], "switchover");
});
