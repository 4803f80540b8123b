import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { cluster, nodeView } from "../core/builders.ts";
import { TestApi } from "./fakes.ts";

const RAW = { ttl: 30, postgresql: { parameters: { work_mem: "4MB", port: 1 } } };

function withConfig(): TestApi {
  const config = { raw: RAW, revision: 3n };
  return new TestApi({}, nodeView({ cluster: cluster({ config }) }));
}

Deno.test("PATCH /config merges objects, deletes what is null, writes and wakes the loop", async () => {
  const api = withConfig();
  const patch = { pause: true, postgresql: { parameters: { port: null } } };

  const reply = await api.patch("/config", patch);

  const wanted = { ttl: 30, postgresql: { parameters: { work_mem: "4MB" } }, pause: true };
  strictEqual(reply.status, 200);
  deepStrictEqual(await reply.json(), wanted);
  deepStrictEqual(api.dcs.view === "unreachable" ? null : api.dcs.view.config?.raw, wanted);
  strictEqual(api.wakes.length, 1);
});

Deno.test("PATCH /config writes nothing when nothing changes, and wakes the loop all the same", async () => {
  const api = withConfig();
  api.dcs.writeAnswer = { kind: "refused", why: "there must be no write" };

  strictEqual((await api.patch("/config", { ttl: 30, pause: null })).status, 200);
  strictEqual(api.wakes.length, 1);
});

Deno.test("PATCH /config refuses what it cannot do", async () => {
  const none = new TestApi({}, nodeView({ cluster: cluster({ config: null }) }));
  strictEqual((await none.patch("/config", { pause: true })).status, 503);
  const api = withConfig();
  strictEqual((await api.patch("/config", { ttl: "soon" })).status, 400);
  strictEqual((await api.patch("/config", {})).status, 400);
  strictEqual((await api.send("/config", { method: "PATCH" })).status, 411);
  api.dcs.writeAnswer = { kind: "refused", why: "it changed" };
  strictEqual((await api.patch("/config", { pause: true })).status, 409);
  api.dcs.writeAnswer = { kind: "unknown", why: "no answer" };
  strictEqual((await api.patch("/config", { pause: true })).status, 503);
});

Deno.test("PUT /config replaces the configuration, and makes one that is lost", async () => {
  const api = new TestApi();
  const next = { ttl: 20, postgresql: { parameters: { work_mem: "8MB" } } };
  const reply = await api.put("/config", next);

  deepStrictEqual([reply.status, await reply.json()], [200, next]);
  ok(api.dcs.view !== "unreachable");
  deepStrictEqual(api.dcs.view.config?.raw, next);
  strictEqual(api.wakes.length, 1);

  const lost = new TestApi({}, nodeView({ cluster: cluster({ config: null }) }));
  strictEqual((await lost.put("/config", next)).status, 200);
  ok(lost.dcs.view !== "unreachable");
  deepStrictEqual(lost.dcs.view.config?.raw, next);
});

Deno.test("PUT /config writes nothing for what no member could use", async () => {
  const bad = [
    [{ ttl: "soon" }, /ttl/],
    [{ ttl: null }, /^ttl is null/],
    [{ postgresql: { parameters: { work_mem: null } } }, /^postgresql.parameters.work_mem is null/],
  ] as const;
  for (const [body, text] of bad) {
    const api = new TestApi();
    const reply = await api.put("/config", body);
    strictEqual(reply.status, 400);
    match(await reply.text(), text);
    ok(api.dcs.view !== "unreachable");
    strictEqual(api.dcs.view.revision, 100n);
  }
  const api = new TestApi();
  strictEqual((await api.send("/config", { method: "PUT" })).status, 411);
});

Deno.test("PUT and PATCH /config answer 409 when the key has another revision than was read", async () => {
  const api = new TestApi();
  const etag = (await api.send("/config")).headers.get("etag") ?? "";
  strictEqual(etag, '"3"');
  strictEqual((await api.put("/config", { ttl: 40 }, { "if-match": etag })).status, 200);
  strictEqual((await api.put("/config", { ttl: 50 }, { "if-match": etag })).status, 409);
  api.dcs.writeAnswer = { kind: "refused", why: "it changed" };
  strictEqual((await api.put("/config", { ttl: 50 })).status, 409);
  api.dcs.writeAnswer = { kind: "unknown", why: "no answer" };
  strictEqual((await api.put("/config", { ttl: 50 })).status, 503);
});
