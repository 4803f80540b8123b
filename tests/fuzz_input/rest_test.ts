import { ok } from "node:assert/strict";
import fc from "fast-check";
import { createApp } from "../../lib/api/app.ts";
import { within } from "../../lib/base/deadline.ts";
import { TestApi } from "../api/fakes.ts";
import { anyJson, anyText, casesOf, garbled, SECRET } from "./cases.ts";

const PATHS = [
  ...["", "patroni", "cluster", "config", "history", "metrics", "primary", "replica", "health"],
  ...["liveness", "readiness", "async", "restart", "reinitialize", "reload", "switchover"],
  ...["failover", "detach", "operations", "operations/x", "read-only", "failsafe", "sigterm"],
];

const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "BREW"];

const HEADERS = [
  ...["authorization", "content-type", "content-length", "prefer", "x-operation-id", "host"],
  ...["accept", "transfer-encoding", "expect", "origin"],
];

const path = fc.tuple(
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...PATHS) }, anyText),
  fc.oneof(
    fc.constant(""),
    fc.tuple(fc.constantFrom("lag", "tag_x", "mode", "replication_state", "x"), anyText)
      .map(([key, value]) => `?${key}=${encodeURI(value.toWellFormed())}`),
    anyText.map((query) => `?${query}`),
  ),
).map(([first, query]) => `/${first}${query}`);

const body = fc.oneof(
  anyJson,
  garbled([
    ...["leader", "candidate", "member", "scheduled_at", "schedule", "role", "timeout", "force"],
    ...["postgres_version", "restart_pending", "from_leader", "pause", "ttl", "postgresql"],
  ]),
  garbled(["leader"]).map((text) => text.replace(/"leader":.*/, '"leader":"a"}')),
);

const authorization = fc.constantFrom(
  `Basic ${btoa(`u:${SECRET}`)}`,
  "Basic !!!",
  "Bearer x",
  "",
);

const headers = fc.tuple(
  fc.array(fc.tuple(fc.constantFrom(...HEADERS), anyText), { maxLength: 3 }),
  authorization,
  fc.boolean(),
);

const request = fc.record({ path, method: fc.constantFrom(...METHODS), headers, body });

/** A request as far as the platform lets one be made. */
function requestOf({ path, method, headers: [pairs, login, isAsync], body }: {
  readonly path: string;
  readonly method: string;
  readonly headers: readonly [readonly (readonly [string, string])[], string, boolean];
  readonly body: string;
}): Request | null {
  const url = `http://localhost${path}`;
  if (!URL.canParse(url)) return null;
  const given = new Headers({ "content-length": String(new TextEncoder().encode(body).length) });
  for (const [name, value] of pairs) {
    // A value that no socket can bring.
    if (/^[\t\x20-\x7e]*$/.test(value)) given.set(name, value);
  }
  if (login !== "") given.set("authorization", login);
  if (isAsync) given.set("prefer", "respond-async");
  const isBodiless = method === "GET" || method === "HEAD";
  return new Request(url, { method, headers: given, ...(isBodiless ? {} : { body }) });
}

const REPLY_MS = 5;

Deno.test("no request crashes the REST API, hangs it or makes it show a password", async () => {
  const authentication = { username: "u", password: SECRET };
  const api = new TestApi({ authentication, handoverLimitS: 0.001 });
  const app = createApp(api.context);
  await fc.assert(
    fc.asyncProperty(request, async (wanted) => {
      const sent = requestOf(wanted);
      if (sent === null) return;
      using closing = within(REPLY_MS);
      const reply = await app(sent, closing.signal);
      const text = await new Response(reply.body).text();
      ok(reply.status >= 200 && reply.status < 600, `status ${reply.status}`);
      ok(!/internal error/.test(text), `${reply.status} ${text}`);
      ok(!text.includes(SECRET), "shows a password");
    }),
    { numRuns: casesOf(0.3) },
  );
});
