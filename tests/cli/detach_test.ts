import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { detach } from "../../lib/cli/detach.ts";
import type { RemoteAnswer } from "../../lib/cli/remote.ts";
import { world } from "./faces.ts";

function answering(text: string, status = 200): RemoteAnswer {
  return { kind: "answered", status, text };
}

Deno.test("detach() asks the own member and tells until when the next agent must run", async () => {
  const { context, sent, out } = world({ answer: answering('{"lease_seconds_left":27.4}') });

  strictEqual(await detach(context), 0);
  deepStrictEqual(sent.map(({ url }) => url), ["http://127.0.0.1:8001/detach"]);
  match(out.join(""), /within 27 s/);
});

Deno.test("detach() tells refused from unknown", async () => {
  const refused = world({ answer: answering("cannot detach: the task stop is running", 503) });
  strictEqual(await detach(refused.context), 1);
  match(refused.err.join(""), /the task stop is running/);
  strictEqual(await detach(world({ deadPorts: [8001] }).context), 1);
  strictEqual(await detach(world({ answer: { kind: "lost", why: "reset" } }).context), 3);
});
