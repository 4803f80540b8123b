import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { nodeView, unreachable } from "../core/builders.ts";
import { TestApi } from "./fakes.ts";

Deno.test("POST /detach posts the wish, and answers with what is left of the lease when the agent leaves", async () => {
  const api = new TestApi();
  const reply = api.post("/detach", {});
  for (let tries = 0; api.wishes.size === 0 && tries < 1000; tries++) await Promise.resolve();
  deepStrictEqual([...api.wishes], [{ kind: "detach" }]);
  api.publish(nodeView(), [{ kind: "exit" }]);

  const { status } = await reply;
  strictEqual(status, 200);
  deepStrictEqual(await (await reply).json(), { detached: true, lease_seconds_left: 20 });
});

Deno.test("POST /detach takes the wish back and says why when the agent cannot leave", async () => {
  const view = nodeView({ cluster: unreachable() });
  const api = new TestApi({}, view);
  const closing = new AbortController();
  const reply = api.sendUntil("/detach", closing.signal);
  for (let tries = 0; api.wishes.size === 0 && tries < 1000; tries++) await Promise.resolve();
  closing.abort();

  strictEqual((await reply).status, 503);
  match(await (await reply).text(), /cannot detach: the lock is not proved/);
  strictEqual(api.wishes.size, 0);
});
