import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createServer } from "node:https";
import { within } from "../../lib/base/deadline.ts";
import { silentLog } from "../../lib/base/log.ts";
import { httpRemote } from "../../lib/cli/remote.ts";
import { HttpsClient } from "../../lib/net/https_client.ts";
import { NO_TLS_FILES } from "../../lib/net/tls.ts";
import { certificates } from "../net/certificates.ts";

/** A member's REST API for one test; every request is answered by `handler`. */
function serve(
  handler: (request: Request) => Response | Promise<Response>,
): { readonly url: string; stop(): Promise<void> } {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
  return { url: `http://127.0.0.1:${server.addr.port}/`, stop: () => server.shutdown() };
}

/** A port where nobody listens. */
function freePort(): number {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  return port;
}

Deno.test("post() sends JSON and the login, UTF-8 in it, and returns status and text", async () => {
  let seen: readonly unknown[] = [];
  const server = serve(async (request) => {
    seen = [request.headers.get("authorization"), await request.json()];
    return new Response("no", { status: 412 });
  });
  using deadline = within(5000);
  const remote = httpRemote({ username: "u", password: "ß€" }, fetch);
  const answer = await remote.post(server.url, { candidate: "b" }, deadline.signal);
  await server.stop();

  deepStrictEqual(answer, { kind: "answered", status: 412, text: "no" });
  deepStrictEqual(seen, ["Basic dTrDn+KCrA==", { candidate: "b" }]);
});

Deno.test("get() carries no login", async () => {
  const server = serve((request) => new Response(request.headers.get("authorization")));
  using deadline = within(5000);
  const remote = httpRemote({ username: "u", password: "p" }, fetch);
  const answer = await remote.get(server.url, deadline.signal);
  await server.stop();

  deepStrictEqual(answer, { kind: "answered", status: 200, text: "" });
});

Deno.test("post() is unreachable when nobody listens: nothing was sent", async () => {
  using deadline = within(5000);
  const url = `http://127.0.0.1:${freePort()}/`;

  strictEqual((await httpRemote(null, fetch).post(url, {}, deadline.signal)).kind, "unreachable");
});

Deno.test("post() is lost when the member takes the request and is silent", async () => {
  const { promise: hung, resolve } = Promise.withResolvers<Response>();
  const server = serve(() => hung);
  using deadline = within(100);
  const answer = await httpRemote(null, fetch).post(server.url, {}, deadline.signal);
  resolve(new Response(""));
  await server.stop();

  deepStrictEqual([answer.kind, "isLate" in answer], ["lost", true]);
});

Deno.test("post() is lost, and not for want of time, when the connection breaks", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  using deadline = within(5000);
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  const broken = listener.accept().then(async (connection) => {
    await connection.read(new Uint8Array(1000));
    connection.close();
  });
  const answer = await httpRemote(null, fetch).post(url, {}, deadline.signal);
  await broken;

  deepStrictEqual([answer.kind, "isLate" in answer], ["lost", false]);
});

Deno.test("post() is unreachable when the member refuses our certificate: nothing was done", async () => {
  await using certs = await certificates();
  const pem = await Promise.all(["a.crt", "a.key", "ca.crt"].map((name) => certs.text(name)));
  const [cert = "", key = "", ca = ""] = pem;
  let requests = 0;
  const options = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, (_request, response) => {
    requests++;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
  const tls = { ...NO_TLS_FILES, ca: certs.path("ca.crt"), insecure: false };
  const client = await HttpsClient.open("members", tls, silentLog);
  using deadline = within(5000);
  const answer = await httpRemote(null, client.call).post(url, {}, deadline.signal);
  await client.close();
  await new Promise((resolve) => server.close(resolve));

  deepStrictEqual([answer.kind, requests], ["unreachable", 0]);
});
