import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { startApi } from "../../lib/api/server.ts";
import type { RunningApi } from "../../lib/api/server.ts";
import { Refused } from "../../lib/base/errors.ts";
import { TestApi } from "./fakes.ts";

function start(hosts: readonly string[], port = 0, api = new TestApi()): Promise<RunningApi> {
  return startApi({ listen: { hosts, port }, tls: null, backlog: null, context: api.context });
}

/** Sends these bytes and reads until the server closes. */
async function raw(port: number, text: string, hostname = "127.0.0.1"): Promise<string> {
  using connection = await Deno.connect({ hostname, port, signal: AbortSignal.timeout(5000) });
  await connection.write(new TextEncoder().encode(text));
  const chunks: string[] = [];
  const buffer = new Uint8Array(4096);
  for (let size = await connection.read(buffer); size; size = await connection.read(buffer)) {
    chunks.push(new TextDecoder().decode(buffer.subarray(0, size)));
  }
  return chunks.join("");
}

/** null: the port is closed at this moment, or was while the connection waited. */
async function connected(port: number): Promise<Deno.TcpConn | null> {
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch (error) {
    const { ConnectionRefused, ConnectionReset } = Deno.errors;
    if (error instanceof ConnectionRefused || error instanceof ConnectionReset) return null;
    throw error;
  }
}

const REINIT = "POST /reinitialize HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
const PROBES: readonly (readonly [string, string, RegExp])[] = [
  ["OPTIONS without Host", "OPTIONS / HTTP/1.0\r\n\r\n", /^HTTP\/1\.0 200 OK\r\n/],
  ["HEAD without Host", "HEAD /primary HTTP/1.0\r\n\r\n", /^HTTP\/1\.0 200 OK\r\n/],
  [
    "GET of a replica check",
    "GET /replica HTTP/1.0\r\n\r\n",
    /^HTTP\/1\.0 503 [^]*"role":"primary"/,
  ],
  ["bare line feeds", "GET /health HTTP/1.0\n\n", /^HTTP\/1\.0 200 OK\r\n/],
  ["a Host that is none", "GET /primary HTTP/1.0\r\nHost: a b\r\n\r\n", /^HTTP\/1\.0 200 OK\r\n/],
  ["an unknown path", "GET /nothing HTTP/1.0\r\n\r\n", /^HTTP\/1\.0 404 /],
  ["an order without body and length", `${REINIT}\r\n`, /^HTTP\/1\.1 503 [^]*I am the leader/],
  [
    "an order in chunks",
    `${REINIT}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    /^HTTP\/1\.1 411 /,
  ],
];

for (const [title, probe, expected] of PROBES) {
  Deno.test(`startApi() answers a raw probe: ${title}`, async () => {
    const api = await start(["127.0.0.1"]);
    try {
      match(await raw(api.port, probe), expected);
    } finally {
      await api.shutdown();
    }
  });
}

Deno.test("startApi() serves both families on *", async () => {
  const api = await start(["*"]);
  try {
    match(await raw(api.port, "HEAD / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.0 200/);
    match(await raw(api.port, "HEAD / HTTP/1.0\r\n\r\n", "::1"), /^HTTP\/1\.0 200/);
  } finally {
    await api.shutdown();
  }
});

Deno.test("startApi() serves several addresses on one port", async () => {
  const api = await start(["127.0.0.1", "[::1]"]);
  try {
    match(await raw(api.port, "HEAD / HTTP/1.0\r\n\r\n", "::1"), /^HTTP\/1\.0 200/);
  } finally {
    await api.shutdown();
  }
});

Deno.test("startApi() is refused when the port is in use, and leaves nothing behind", async () => {
  const first = await start(["127.0.0.1"]);
  try {
    await rejects(start(["127.0.0.1"], first.port), Refused);
    await rejects(start(["*", "127.0.0.1"], first.port), Refused);
  } finally {
    await first.shutdown();
  }
});

Deno.test("startApi() answers others while five silent clients hang", async () => {
  const api = await start(["127.0.0.1"]);
  const silent = await Promise.all(
    Array.from({ length: 5 }, () => Deno.connect({ hostname: "127.0.0.1", port: api.port })),
  );
  try {
    const reply = await fetch(`http://127.0.0.1:${api.port}/primary`, {
      signal: AbortSignal.timeout(1000),
    });
    await reply.body?.cancel();
    strictEqual(reply.status, 200);
  } finally {
    for (const connection of silent) connection.close();
    await api.shutdown();
  }
});

Deno.test("shutdown() ends a request that waits for a handover", async () => {
  const given = new TestApi({ handoverLimitS: 60 });
  const api = await start(["127.0.0.1"], 0, given);
  const reply = fetch(`http://127.0.0.1:${api.port}/switchover`, {
    method: "POST",
    body: '{"leader":"a"}',
    signal: AbortSignal.timeout(5000),
  });
  while (given.wakes.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await api.shutdown();

  match(await (await reply).text(), /status unknown/);
});

Deno.test("shutdown() does not wait for silent clients", async () => {
  const api = await start(["127.0.0.1"]);
  using _silent = await Deno.connect({ hostname: "127.0.0.1", port: api.port });

  await api.shutdown();
});

Deno.test("startApi() survives clients that break off in the middle", async () => {
  const api = await start(["127.0.0.1"]);
  try {
    for (let round = 0; round < 20; round++) {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port: api.port });
      await connection.write(
        new TextEncoder().encode(
          'POST /switchover HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n{"le',
        ),
      );
    }
    match(await raw(api.port, "HEAD / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.0 200/);
  } finally {
    await api.shutdown();
  }
});

Deno.test("startApi() cuts silent clients off before they take the last file, and nothing in work", async () => {
  const given = new TestApi({ handoverLimitS: 60 });
  const api = await start(["127.0.0.1"], 0, given);
  const order = fetch(`http://127.0.0.1:${api.port}/switchover`, {
    method: "POST",
    body: '{"leader":"a"}',
  });
  while (given.wakes.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const silent: Deno.TcpConn[] = [];
  try {
    let isCut = false;
    const first = await Deno.connect({ hostname: "127.0.0.1", port: api.port });
    void first.read(new Uint8Array(1)).then((end) => isCut = end === null);
    silent.push(first);
    while (!isCut) {
      const one = await connected(api.port);
      if (one !== null) silent.push(one);
    }
    ok(silent.length < 20_000);
    for (const connection of silent) connection.close();
    let probe = await connected(api.port);
    while (probe === null) probe = await connected(api.port);
    probe.close();
    match(await raw(api.port, "HEAD / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.0 200/);
  } finally {
    await api.shutdown();
  }
  match(await (await order).text(), /status unknown/);
});
