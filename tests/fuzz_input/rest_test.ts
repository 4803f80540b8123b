import { OPEN_ACCESS } from "../../lib/api/access.ts";
import { ok } from "node:assert/strict";
import fc from "fast-check";
import { createApp } from "../../lib/api/app.ts";
import { within } from "../../lib/base/deadline.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { NEIGHBOUR, TestApi } from "../api/fakes.ts";
import { anyJson, anyText, casesOf, nearlyRight, SECRET } from "./cases.ts";

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

const login = fc.oneof(
  { weight: 8, arbitrary: fc.constant(`Basic ${btoa(`u:${SECRET}`)}`) },
  fc.constantFrom("Basic !!!", "Bearer x", ""),
);

const headers = fc.tuple(
  fc.array(fc.tuple(fc.constantFrom(...HEADERS), anyText), { maxLength: 3 }),
  login,
  fc.boolean(),
);

/** Any path with anything in it. */
const wild = fc.record({ path, method: fc.constantFrom(...METHODS), headers, body: anyJson });

const AT = "2099-05-01T02:00:00+00:00";
const ROLES = ["primary", "replica", "standby_leader"] as const;
const HANDOVER = { leader: "a", candidate: "b", scheduled_at: AT };
const SETTINGS = {
  ttl: 30,
  loop_wait: 10,
  retry_timeout: 10,
  pause: true,
  synchronous_mode: false,
  postgresql: { parameters: { work_mem: "8MB" } },
};
const RESTART = { timeout: "5min", postgres_version: "15.4", restart_pending: true, schedule: AT };

const ORDERS: readonly (readonly [string, string, JsonObject])[] = [
  ...ROLES.map((role) => ["/restart", "POST", { ...RESTART, role }] as const),
  ["/switchover", "POST", HANDOVER],
  ["/failover", "POST", { candidate: "b", member: "b" }],
  ["/reinitialize", "POST", { force: true, from_leader: true }],
  ["/config", "PATCH", SETTINGS],
  ["/config", "PUT", SETTINGS],
];

/** An order that is right but for one value in it. */
const orders = ORDERS.map(([path, method, right]) =>
  fc.record({
    path: fc.constant(path),
    method: fc.constant(method),
    headers: fc.tuple(fc.constant([]), login, fc.boolean()),
    body: nearlyRight(right),
  })
);

const request = fc.oneof(wild, ...orders);

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
  await fc.assert(
    fc.asyncProperty(request, async (wanted) => {
      const sent = requestOf(wanted);
      if (sent === null) return;
      const app = createApp(
        new TestApi({
          access: () => ({ ...OPEN_ACCESS, authentication }),
          handoverLimitS: 0.001,
        }).context,
      );
      using closing = within(REPLY_MS);
      const reply = await app(sent, closing.signal, NEIGHBOUR);
      const text = await new Response(reply.body).text();
      ok(reply.status >= 200 && reply.status < 600, `status ${reply.status}`);
      ok(!/internal error/.test(text), `${reply.status} ${text}`);
      ok(!text.includes(SECRET), "shows a password");
    }),
    { numRuns: casesOf(0.3) },
  );
});
