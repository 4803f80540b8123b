import { match, rejects, strictEqual } from "node:assert/strict";
import { createServer } from "node:https";
import type { TLSSocket } from "node:tls";
import { silentLog } from "../../lib/base/log.ts";
import { HttpsClient } from "../../lib/net/https_client.ts";
import type { ClientTls } from "../../lib/net/https_client.ts";
import { type Certificates, certificates } from "./certificates.ts";

interface Peer extends AsyncDisposable {
  readonly url: string;
}

/** An HTTPS server with the certificate `name` that answers who called; `/slow` sends its answer in two parts. */
async function peer(
  certs: Certificates,
  name: string,
  isStrict = false,
  host = "127.0.0.1",
): Promise<Peer> {
  const [ca, cert, key] = await Promise.all(
    ["ca.crt", `${name}.crt`, `${name}.key`].map((file) => certs.text(file)),
  );
  const pair = { ca: ca ?? "", cert: cert ?? "", key: key ?? "" };
  const server = createServer(
    { ...pair, requestCert: true, rejectUnauthorized: isStrict },
    (request, response) => {
      const who = String((request.socket as TLSSocket).getPeerCertificate()?.subject?.CN);
      if (request.url !== "/slow") return void response.end(`${who} ${request.method}`);
      response.write(who);
      const timer = setTimeout(() => response.end(" slow"), 300);
      response.on("close", () => clearTimeout(timer));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function tls(certs: Certificates, parts: Partial<ClientTls> = {}): ClientTls {
  const pair = { cert: certs.path("a.crt"), key: certs.path("a.key") };
  return { ca: certs.path("ca.crt"), ...pair, keyPassword: null, insecure: false, ...parts };
}

async function opened(
  given: ClientTls,
  body: (client: HttpsClient) => Promise<void>,
): Promise<void> {
  const client = await HttpsClient.open("the test", given, silentLog);
  try {
    await body(client);
  } finally {
    await client.close();
  }
}

type Road = "fetch" | "call";
const ROADS: readonly Road[] = ["fetch", "call"];

async function get(client: HttpsClient, url: string, road: Road = "call"): Promise<string> {
  return await (await client[road](url, { signal: AbortSignal.timeout(5000) })).text();
}

const UNKNOWN = /UnknownIssuer|unable to (verify|get)|self-signed certificate/;

/** The reason that `fetch` hides in its cause. */
async function whyNot(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
  }
  throw new TypeError("Cannot find the expected failure: there was an answer");
}

Deno.test("HttpsClient shows its certificate and checks the other end", async () => {
  await using certs = await certificates();
  await using good = await peer(certs, "b", true);
  await using foreign = await peer(certs, "stranger");
  await opened(tls(certs), async (client) => {
    // First the stranger: servers of one process share the sessions that a client may take up again.
    for (const road of ROADS) {
      match(await whyNot(get(client, foreign.url, road)), UNKNOWN);
      strictEqual(await get(client, good.url, road), "a GET");
    }
  });
});

Deno.test("HttpsClient refuses a certificate for another address", async () => {
  await using certs = await certificates();
  await using server = await peer(certs, "b", false, "0.0.0.0");
  await opened(tls(certs), async (client) => {
    const elsewhere = server.url.replace("127.0.0.1", "127.0.0.2");
    for (const road of ROADS) {
      match(
        await whyNot(get(client, elsewhere, road)),
        /NotValidForName|not valid for|does not match/,
      );
    }
  });
});

Deno.test("HttpsClient by default trusts nobody that the system does not", async () => {
  await using certs = await certificates();
  await using server = await peer(certs, "b");
  await opened(tls(certs, { ca: null }), async (client) => {
    for (const road of ROADS) match(await whyNot(get(client, server.url, road)), UNKNOWN);
  });
});

Deno.test("call() takes a certificate that is its own authority, and that one only", async () => {
  await using certs = await certificates();
  await Promise.all(["alone", "other_alone"].map((name) => certs.selfSigned(name)));
  await using server = await peer(certs, "alone");
  // The last one must not be let in by a session of the one before.
  for (
    const [ca, expected] of [["other_alone", UNKNOWN], ["alone", null], ["other_alone", UNKNOWN]]
  ) {
    await opened(tls(certs, { ca: certs.path(`${ca}.crt`) }), async (client) => {
      if (expected instanceof RegExp) match(await whyNot(get(client, server.url)), expected);
      else strictEqual(await get(client, server.url), "a GET");
    });
  }
});

Deno.test("HttpsClient takes anybody only when it is told to be insecure", async () => {
  await using certs = await certificates();
  await using foreign = await peer(certs, "stranger");
  await opened(tls(certs, { ca: null, insecure: true }), async (client) => {
    strictEqual(await get(client, foreign.url), "a GET");
    const init = { method: "POST", body: "{}", signal: AbortSignal.timeout(5000) };
    strictEqual(await (await client.call(foreign.url, init)).text(), "a POST");
    const early = AbortSignal.timeout(50);
    await rejects(client.call(`${foreign.url}/slow`, { signal: early }), { name: "TimeoutError" });
    match(await whyNot(get(client, "https://127.0.0.1:1")), /client error \(Connect\): .*refused/i);
  });
});

Deno.test("HttpsClient takes replaced certificates; an answer on its way is not lost", async () => {
  await using certs = await certificates();
  await using server = await peer(certs, "b", true);
  await opened(tls(certs), async (client) => {
    const slow = get(client, `${server.url}/slow`, "fetch");
    strictEqual(await get(client, server.url, "fetch"), "a GET");
    for (const suffix of ["crt", "key"]) {
      await Deno.copyFile(certs.path(`b.${suffix}`), certs.path(`a.${suffix}`));
    }
    await client.reload(tls(certs));
    for (const road of ROADS) strictEqual(await get(client, server.url, road), "b GET");
    strictEqual(await slow, "a slow");
  });
});

Deno.test("HttpsClient speaks plain http as well", async () => {
  await using certs = await certificates();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen(): void {} },
    () => new Response("plain"),
  );
  await opened(tls(certs, { insecure: true }), async (client) => {
    const url = `http://127.0.0.1:${server.addr.port}/`;
    for (const road of ROADS) strictEqual(await get(client, url, road), "plain");
    strictEqual(await (await client.unchecked(url, {})).text(), "plain");
  });
  await server.shutdown();
});
