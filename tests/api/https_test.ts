import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { connect } from "node:tls";
import { silentLog } from "../../lib/base/log.ts";
import type { ServerTls } from "../../lib/api/https_listener.ts";
import { startApi } from "../../lib/api/server.ts";
import type { RunningApi } from "../../lib/api/server.ts";
import { OPEN_ACCESS } from "../../lib/api/access.ts";
import { TlsSource } from "../../lib/net/tls_source.ts";
import { type Certificates, certificates } from "../net/certificates.ts";
import { TestApi } from "./fakes.ts";

interface World {
  readonly certs: Certificates;
  readonly api: RunningApi;
  readonly tls: ServerTls;
  readonly given: TestApi;
  /** A client with the certificate of this name; null: none. */
  ask(name: string | null, path: string, init?: RequestInit): Promise<Response>;
}

const HERE = { hosts: ["127.0.0.1"], port: 0 };

/** A served API with certificate `a`, in the hands of `body`. */
async function served(
  verifyClient: ServerTls["verifyClient"],
  body: (world: World) => Promise<void>,
  given = new TestApi({ handoverLimitS: 0.2 }),
): Promise<void> {
  await using certs = await certificates();
  const [ca, cert, key] = [certs.path("ca.crt"), certs.path("a.crt"), certs.path("a.key")];
  const source = await TlsSource.open("REST", { ca, cert, key, keyPassword: null }, silentLog);
  const tls = { source, verifyClient };
  const api = await startApi({ listen: HERE, tls, backlog: null, context: given.context });
  try {
    await body({ certs, api, tls, given, ask: (...what) => ask(certs, api.port, ...what) });
  } finally {
    await api.shutdown();
  }
}

async function ask(
  certs: Certificates,
  port: number,
  name: string | null,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const pair = name === null
    ? {}
    : { cert: await certs.text(`${name}.crt`), key: await certs.text(`${name}.key`) };
  using client = Deno.createHttpClient({ caCerts: [await certs.text("ca.crt")], ...pair });
  const url = `https://127.0.0.1:${port}${path}`;
  const reply = await fetch(url, { ...init, client, signal: AbortSignal.timeout(5000) });
  return new Response(await reply.text(), { status: reply.status, headers: reply.headers });
}

const ORDER = { method: "POST", body: '{"leader":"a"}' };

/** What the server shows to a client without a certificate. */
async function shownBy(port: number, words = "", readFor = 0): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { host: "127.0.0.1", port, rejectUnauthorized: false };
  const socket = connect(options, () => socket.write(words));
  const subject = (): string => String(socket.getPeerCertificate().subject?.CN);
  const texts: string[] = [];
  socket.on("data", (bytes) => texts.push(String(bytes)));
  socket.on("error", reject);
  socket.once("secureConnect", () => readFor === 0 && resolve(subject()));
  socket.once("close", () => resolve(texts.join("")));
  const text = await promise;
  socket.destroy();
  return text;
}

Deno.test("startApi() by HTTPS serves health checks and bodies", async () => {
  await served("none", async ({ api, ask }) => {
    strictEqual((await ask(null, "/primary")).status, 200);
    strictEqual((await ask(null, "/replica")).status, 503);
    strictEqual((await ask(null, "/primary", { method: "HEAD" })).status, 200);
    strictEqual((await ask(null, "/switchover", { ...ORDER, body: "{" })).status, 400);
    match(await (await ask(null, "/switchover", ORDER)).text(), /status unknown/);
    const order = "POST /reinitialize HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
    match(await shownBy(api.port, `${order}\r\n`, 1), /I am the leader/);
    const chunks = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    match(await shownBy(api.port, `${order}${chunks}`, 1), /^HTTP\/1\.1 411/);
    const large = JSON.stringify({ leader: "x".repeat(2 * 1024 ** 2) });
    strictEqual((await ask(null, "/switchover", { ...ORDER, body: large })).status, 413);
  });
});

Deno.test("verify_client optional: reads are open, orders need a certificate of the authority", async () => {
  await served("optional", async ({ ask }) => {
    const statuses = await Promise.all(
      [null, "stranger", "b"].map(async (name) => [
        (await ask(name, "/primary")).status,
        (await ask(name, "/switchover", ORDER)).status,
      ]),
    );
    deepStrictEqual(statuses, [[200, 403], [200, 403], [200, 503]]);
    strictEqual(await (await ask(null, "/failover", ORDER)).text(), "client certificate required");
  });
});

Deno.test("verify_client required: nobody else gets a connection", async () => {
  await served("required", async ({ ask }) => {
    await rejects(ask(null, "/primary"), TypeError);
    await rejects(ask("stranger", "/primary"), TypeError);
    strictEqual((await ask("b", "/primary")).status, 200);
  });
});

Deno.test("the client certificate counts in addition to name and password", async () => {
  const authentication = { username: "u", password: "p" };
  const given = new TestApi({ access: () => ({ ...OPEN_ACCESS, authentication }) });
  await served("optional", async ({ ask }) => {
    strictEqual((await ask("b", "/switchover", ORDER)).status, 401);
    const headers = { authorization: `Basic ${btoa("u:p")}` };
    strictEqual((await ask(null, "/switchover", { ...ORDER, headers })).status, 403);
    strictEqual(
      (await ask("b", "/switchover", { method: "POST", body: "{", headers })).status,
      400,
    );
  }, given);
});

Deno.test("headers for HTTPS come in addition to those of every answer", async () => {
  const access = { ...OPEN_ACCESS, headers: { x: "1", y: "1" }, httpsHeaders: { y: "2" } };
  await served("none", async ({ ask }) => {
    const { headers } = await ask(null, "/primary");
    deepStrictEqual([headers.get("x"), headers.get("y")], ["1", "2"]);
  }, new TestApi({ access: () => access }));
});

Deno.test("I14 a certificate replaced under load is served without losing a request", async () => {
  await served("none", async ({ api, tls, certs, ask }) => {
    const statuses: number[] = [];
    let isOver = false;
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) statuses.push((await ask(null, "/primary")).status);
    });
    const before = await shownBy(api.port);
    for (const suffix of ["key", "crt"]) {
      await Deno.copyFile(certs.path(`b.${suffix}`), certs.path(`a.${suffix}`));
      await api.reload({ listen: HERE, tls, backlog: null });
    }
    const after = await shownBy(api.port);
    const count = statuses.length;
    while (statuses.length < count + 20) await new Promise((resolve) => setTimeout(resolve, 5));
    isOver = true;
    await Promise.all(load);
    deepStrictEqual([before, after], ["a", "b"]);
    deepStrictEqual(statuses.filter((status) => status !== 200), []);
  });
});

Deno.test("a new authority of clients counts after a reload", async () => {
  await served("optional", async ({ api, tls, certs, ask }) => {
    strictEqual((await ask("stranger", "/switchover", ORDER)).status, 403);
    const both = await certs.text("ca.crt") + await certs.text("other.crt");
    await Deno.writeTextFile(certs.path("ca.crt"), both);
    await api.reload({ listen: HERE, tls, backlog: null });
    strictEqual((await ask("stranger", "/switchover", ORDER)).status, 503);
  });
});

/** Is a client with this certificate, which takes its sessions up again, let in to change something? */
async function visitor(
  { certs, api }: World,
  name: string,
  connection = "close",
): Promise<Disposable & { isLetIn(): Promise<boolean> }> {
  const pair = { cert: await certs.text(`${name}.crt`), key: await certs.text(`${name}.key`) };
  const client = Deno.createHttpClient({ caCerts: [await certs.text("ca.crt")], ...pair });
  return {
    async isLetIn(): Promise<boolean> {
      const url = `https://127.0.0.1:${api.port}/switchover`;
      const reply = await fetch(url, { ...ORDER, headers: { connection }, client });
      await reply.body?.cancel();
      return reply.status !== 403;
    },
    [Symbol.dispose]: () => client.close(),
  };
}

Deno.test("neither an open connection nor a session taken up again outlives the authority of its certificate", async () => {
  await served("optional", async (world) => {
    const { api, tls, certs } = world;
    using visit = await visitor(world, "b");
    using guest = await visitor(world, "b", "keep-alive");
    deepStrictEqual([await visit.isLetIn(), await guest.isLetIn()], [true, true]);
    await Deno.copyFile(certs.path("other.crt"), certs.path("ca.crt"));
    await api.reload({ listen: HERE, tls, backlog: null });
    deepStrictEqual([await guest.isLetIn(), await visit.isLetIn()], [false, false]);
    strictEqual(await visit.isLetIn(), false);
  });
});

Deno.test("a session taken up again holds under one more authority, with a chain between", async () => {
  await served("optional", async (world) => {
    const { api, tls, certs } = world;
    await certs.intermediate("ca", "middle");
    await certs.issue("middle", "deep");
    const chain = await certs.text("deep.crt") + await certs.text("middle.crt");
    await Deno.writeTextFile(certs.path("deep.crt"), chain);
    using visit = await visitor(world, "deep");
    deepStrictEqual([await visit.isLetIn(), await visit.isLetIn()], [true, true]);
    const both = await certs.text("other.crt") + await certs.text("ca.crt");
    await Deno.writeTextFile(certs.path("ca.crt"), both);
    await api.reload({ listen: HERE, tls, backlog: null });
    deepStrictEqual([await visit.isLetIn(), await visit.isLetIn()], [true, true]);
  });
});

Deno.test("I12 five silent clients and slow ones do not delay a health check by HTTPS", async () => {
  await served("none", async ({ api, ask }) => {
    const silent = await Promise.all(
      Array.from({ length: 5 }, () => Deno.connect({ hostname: "127.0.0.1", port: api.port })),
    );
    const slow = Array.from(
      { length: 5 },
      () => shownBy(api.port, "GET /primary HTTP/1.1\r\nHo", 1),
    );
    const started = performance.now();
    strictEqual((await ask(null, "/primary")).status, 200);
    ok(performance.now() - started < 1000);
    await Promise.allSettled(slow); // the server gives them up by itself
    ok(performance.now() - started < 9000);
    for (const connection of silent) connection.close();
  });
});

Deno.test("startApi() by HTTPS survives clients that break off anywhere", async () => {
  await served("optional", async ({ api, ask }) => {
    const head = "POST /switchover HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n{";
    for (const words of ["", "garbage\r\n\r\n", "GET / HTTP/1.1\r\n", head]) {
      const options = { host: "127.0.0.1", port: api.port, rejectUnauthorized: false };
      const { promise, resolve } = Promise.withResolvers<void>();
      const socket = connect(options, () => {
        socket.write(words);
        setTimeout(() => socket.destroy(), 20);
      });
      socket.on("close", resolve);
      socket.on("error", () => {});
      await promise;
      using raw = await Deno.connect({ hostname: "127.0.0.1", port: api.port });
      await raw.write(new TextEncoder().encode("\x16\x03\x01 no TLS at all"));
    }
    strictEqual((await ask(null, "/primary")).status, 200);
  });
});

Deno.test("shutdown() of HTTPS does not wait for silent clients", async () => {
  await served("none", async ({ api }) => {
    using _silent = await Deno.connect({ hostname: "127.0.0.1", port: api.port });
    const started = performance.now();
    await api.shutdown();
    ok(performance.now() - started < 1500);
  });
});

Deno.test("a flood of silent connections by HTTPS costs the oldest of them, and no health check", async () => {
  await served("none", async ({ api, ask }) => {
    const place = { hostname: "127.0.0.1", port: api.port };
    const silent: Deno.TcpConn[] = [];
    try {
      for (let count = 0; count < 1001; count++) silent.push(await Deno.connect(place));
      strictEqual((await ask(null, "/primary")).status, 200);
      const tooLate = AbortSignal.timeout(3000); // the bound of a handshake would end it after 5 s
      const late = new Promise((resolve) => tooLate.addEventListener("abort", resolve));
      const end = await Promise.race([silent[0]?.read(new Uint8Array(1)), late]);
      strictEqual(end, null);
    } finally {
      for (const connection of silent) connection.close();
    }
  });
});
