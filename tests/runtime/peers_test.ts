import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { JsonObject } from "../../lib/base/json.ts";
import { askPeers, decodePeer } from "../../lib/runtime/peers.ts";
import { lsn, member } from "../core/builders.ts";

const options = {
  login: { username: "u", password: "p" },
  userAgent: "Patroni/4.1.4 agent",
  fetch,
};

/** The report of a document, as kind, role and position. */
function read(document: JsonObject): readonly unknown[] {
  const report = decodePeer("b", document);
  return report.kind === "silent" ? ["silent"] : [report.isPrimary, report.lsn];
}

Deno.test("decodePeer() takes the further of the positions of a replica", () => {
  const xlog = { received_location: 30, replayed_location: 40 };
  deepStrictEqual(read({ role: "replica", xlog }), [false, lsn(40)]);
});

Deno.test("decodePeer() gives a server out of recovery no position to vote with", () => {
  deepStrictEqual(read({ role: "primary", xlog: { location: 50 } }), [true, lsn(0)]);
  deepStrictEqual(read({ role: "master", wal: { location: 0 } }), [true, lsn(0)]);
  deepStrictEqual(read({ role: "replica", xlog: { location: 50 } }), [true, lsn(0)]);
});

Deno.test("B12 decodePeer() counts a server that is down and garbage as silent", () => {
  deepStrictEqual(read({ role: "replica", state: "stopped" }), ["silent"]);
  deepStrictEqual(read({ role: "replica", xlog: { received_location: "x" } }), ["silent"]);
  deepStrictEqual(read({ role: "replica", xlog: [] }), ["silent"]);
});

Deno.test("decodePeer() reads tags, timeline and the watchdog's fault", () => {
  const report = decodePeer("b", {
    xlog: {},
    timeline: 7,
    tags: { nofailover: true },
    watchdog_failed: true,
  });
  if (report.kind === "silent") throw new TypeError(report.why);
  deepStrictEqual(
    [report.timeline, report.tags.nofailover, report.watchdogFailed],
    [7, true, true],
  );
});

Deno.test("B12 askPeers() asks the published address with credentials, whatever the status", async () => {
  const seen: (string | null)[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen(): void {} }, (request) => {
    seen.push(new URL(request.url).pathname, request.headers.get("authorization"));
    return Response.json({ role: "replica", xlog: { replayed_location: 9 } }, { status: 503 });
  });
  const apiUrl = `http://127.0.0.1:${server.addr.port}/patroni`;
  const members = [member("b", { apiUrl }), member("c", { apiUrl: null })];
  const reports = await askPeers(members, options, AbortSignal.timeout(5000));
  await server.shutdown();
  deepStrictEqual(reports.map(({ kind }) => kind), ["answered", "silent"]);
  deepStrictEqual(seen, ["/patroni", `Basic ${btoa("u:p")}`]);
});

Deno.test("B12 askPeers() counts a page that is no JSON as silent", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen(): void {} },
    () => new Response("<html>"),
  );
  const apiUrl = `http://127.0.0.1:${server.addr.port}/patroni`;
  const reports = await askPeers([member("b", { apiUrl })], options, AbortSignal.timeout(5000));
  await server.shutdown();
  strictEqual(reports[0]?.kind, "silent");
});

Deno.test("B13 askPeers() decides in time about a peer that takes the connection and never answers", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const held: Deno.Conn[] = [];
  const holding = (async () => {
    for await (const connection of listener) held.push(connection);
  })();
  const apiUrl = `http://127.0.0.1:${listener.addr.port}/patroni`;
  const members = [member("b", { apiUrl }), member("c", { apiUrl })];
  const reports = await askPeers(members, options, AbortSignal.timeout(300));
  deepStrictEqual(reports.map(({ kind }) => kind), ["silent", "silent"]);
  for (const connection of held) connection.close();
  listener.close();
  await holding;
});
