import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { DcsUnreachable } from "../../lib/base/errors.ts";
import { HEALTH_CHECKS } from "../../lib/core/health.ts";
import { lsn, nodeView, primary, replica, replicaView, unreachable } from "../core/builders.ts";
import { TestApi } from "./fakes.ts";

async function statusOf(api: TestApi, path: string, method = "GET"): Promise<number> {
  const reply = await api.send(path, { method });
  await reply.body?.cancel();
  return reply.status;
}

for (const name of Object.keys(HEALTH_CHECKS)) {
  Deno.test(`GET, HEAD and OPTIONS of /${name} give the same status`, async () => {
    for (const api of [new TestApi(), new TestApi({}, replicaView())]) {
      const get = await statusOf(api, `/${name}`);
      deepStrictEqual(
        [await statusOf(api, `/${name}`, "HEAD"), await statusOf(api, `/${name}`, "OPTIONS")],
        [get, get],
      );
    }
  });
}

const STATUSES: readonly (readonly [string, string, number, number])[] = [
  // path, method, leader, replica
  ["/", "GET", 200, 503],
  ["/?x=1", "GET", 200, 503],
  ["/primary/", "GET", 200, 503],
  ["/replica?lag=1MB", "GET", 503, 200],
  ["/slave", "OPTIONS", 503, 200],
  ["/health", "GET", 200, 200],
  ["/standby-leader", "GET", 503, 503],
  ["/primaryx", "GET", 404, 404],
  ["/x/primary", "GET", 404, 404],
  ["//primary", "GET", 404, 404],
  ["/Primary", "GET", 404, 404],
  ["/toString", "GET", 404, 404],
  ["/nothing", "POST", 404, 404],
  ["/primary", "POST", 405, 405],
  ["/config", "DELETE", 405, 405],
  ["/switchover", "GET", 405, 405],
  ["/patroni", "HEAD", 200, 200],
  ["/patroni/x", "GET", 200, 200],
  ["/cluster", "OPTIONS", 200, 200],
];

for (const [path, method, onLeader, onReplica] of STATUSES) {
  Deno.test(`${method} ${path} is ${onLeader} on a leader, ${onReplica} on a replica`, async () => {
    strictEqual(await statusOf(new TestApi(), path, method), onLeader);
    strictEqual(await statusOf(new TestApi({}, replicaView()), path, method), onReplica);
  });
}

Deno.test("GET of a health check carries the status document, also with 503", async () => {
  const reply = await new TestApi().send("/replica");

  strictEqual(reply.status, 503);
  strictEqual(reply.headers.get("content-type"), "application/json");
  strictEqual((await reply.json()).role, "primary");
});

Deno.test("GET /liveness and /readiness carry no body", async () => {
  strictEqual(await (await new TestApi().send("/liveness")).text(), "");
  strictEqual(await (await new TestApi().send("/readiness")).text(), "");
});

Deno.test("GET /patroni shows a fresh look at the server", async () => {
  const probe = () => Promise.resolve(replica({ receivedLsn: lsn(5000) }));
  const found = await (await new TestApi({ probe }, replicaView()).send("/patroni")).json();

  strictEqual(found.xlog.received_location, 5000);
});

Deno.test("GET /patroni falls back to the board when the server cannot be asked", async () => {
  const probe = () => Promise.reject(new TypeError("broken"));
  const found = await (await new TestApi({ probe }).send("/patroni")).json();

  strictEqual(found.xlog.location, 1000);
});

Deno.test("GET /cluster reads the store afresh, and is 503 with JSON without it", async () => {
  const api = new TestApi();
  const found = await (await api.send("/cluster")).json();
  api.dcs.view = "unreachable";
  const reply = await api.send("/cluster");

  deepStrictEqual(found.members.map((one: { role: string }) => one.role), [
    "leader",
    "replica",
    "replica",
  ]);
  strictEqual(reply.status, 503);
  strictEqual(typeof (await reply.json()).error, "string");
});

Deno.test("GET /config and /history answer from the last look", async () => {
  const api = new TestApi();
  api.dcs.view = "unreachable";

  deepStrictEqual(await (await api.send("/config")).json(), {});
  deepStrictEqual(await (await api.send("/history")).json(), []);
});

Deno.test("GET /config is 502 without the key and 503 without a store", async () => {
  const api = new TestApi();
  api.see({ config: null });
  strictEqual(await statusOf(api, "/config"), 502);

  const cut = new TestApi({}, nodeView({ cluster: unreachable() }));
  strictEqual(await statusOf(cut, "/config"), 503);
});

Deno.test("a fault in a handler is a 500 for its caller only", async () => {
  const probe = null;
  const api = new TestApi({ probe });
  api.dcs.read = () => Promise.reject(new TypeError("broken"));

  strictEqual(await statusOf(api, "/cluster"), 500);
  strictEqual(await statusOf(api, "/cluster", "HEAD"), 500);
  api.dcs.read = () => Promise.reject(new DcsUnreachable("gone"));
  strictEqual(await statusOf(api, "/cluster"), 503);
});

Deno.test("GET /primary follows the lease keeper ahead of the loop", async () => {
  const api = new TestApi({}, nodeView({ postgres: primary() }));
  api.board.lease = () => ({ kind: "lost", why: "refused" });

  strictEqual(await statusOf(api, "/primary"), 503);
});
