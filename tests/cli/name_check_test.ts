import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { isNameInUse, namePatienceMs } from "../../lib/cli/name_check.ts";
import { cluster, member } from "../core/builders.ts";

function named(apiUrl: string | null): ReturnType<typeof cluster> {
  return cluster({ members: [member("a", { apiUrl }), member("b")] });
}

Deno.test("B4 isNameInUse() takes any HTTP answer for a yes, whatever it says", async () => {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen(): void {} }, () => {
    return new Response("no", { status: 503 });
  });
  const apiUrl = `http://127.0.0.1:${server.addr.port}/patroni`;
  strictEqual(await isNameInUse(named(apiUrl), "a", fetch), true);
  strictEqual(await isNameInUse(named(apiUrl), "c", fetch), false);
  await server.shutdown();
  strictEqual(await isNameInUse(named(apiUrl), "a", fetch), false);
  strictEqual(await isNameInUse(named(null), "a", fetch), false);
});

Deno.test("B4 isNameInUse() does not take an open port for an agent", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const closing = (async () => {
    for await (const connection of listener) connection.close();
  })();
  const apiUrl = `http://127.0.0.1:${listener.addr.port}/patroni`;
  strictEqual(await isNameInUse(named(apiUrl), "a", fetch), false);
  listener.close();
  await closing;
});

Deno.test("isNameInUse() ends when its time is over", async () => {
  const silent: typeof fetch = (_, init) =>
    new Promise((_, reject) => {
      init?.signal?.addEventListener("abort", () => reject(new Error("late")));
    });
  strictEqual(await isNameInUse(named("http://a:1/patroni"), "a", silent, 20), false);
});

Deno.test("namePatienceMs() leaves a renewal and the stop of a lock that was taken up", () => {
  const of = (stopAtMs: number | null): number =>
    namePatienceMs({ stopAtMs, nowMs: 1000, renewalMs: 2500 });
  deepStrictEqual([null, 4500, 60_000, 3000].map(of), [3000, 1000, 3000, 100]);
});
