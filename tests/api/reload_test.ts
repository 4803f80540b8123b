import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { OPEN_ACCESS } from "../../lib/api/access.ts";
import type { ServerTls } from "../../lib/api/https_listener.ts";
import { startApi } from "../../lib/api/server.ts";
import type { RunningApi } from "../../lib/api/server.ts";
import { Refused } from "../../lib/base/errors.ts";
import { silentLog } from "../../lib/base/log.ts";
import { TlsSource } from "../../lib/net/tls_source.ts";
import { certificates } from "../net/certificates.ts";
import { TestApi } from "./fakes.ts";

interface Where {
  readonly hosts: readonly string[];
  readonly port?: number;
  readonly tls?: ServerTls | null;
}

function plan({ hosts, port = 0, tls = null }: Where): Parameters<RunningApi["reload"]>[0] {
  return { listen: { hosts, port }, tls, backlog: null };
}

async function served(
  hosts: readonly string[],
  body: (api: RunningApi) => Promise<void>,
  given = new TestApi(),
): Promise<void> {
  const api = await startApi({ ...plan({ hosts }), context: given.context });
  try {
    await body(api);
  } finally {
    await api.shutdown();
  }
}

/** Which of these hosts answer on the port, with "http" or "https". */
async function answering(port: number, scheme = "http"): Promise<readonly string[]> {
  const hosts = ["127.0.0.1", "127.0.0.2", "[::1]"];
  const answers = await Promise.all(hosts.map(async (host) => {
    try {
      const signal = AbortSignal.timeout(2000);
      const headers = { connection: "close" };
      const reply = await fetch(`${scheme}://${host}:${port}/primary`, { signal, headers });
      await reply.body?.cancel();
      return [host];
    } catch {
      return [];
    }
  }));
  return answers.flat();
}

Deno.test("reload() adds and drops addresses and leaves the others alone", async () => {
  await served(["127.0.0.1", "[::1]"], async (api) => {
    deepStrictEqual(await answering(api.port), ["127.0.0.1", "[::1]"]);
    await api.reload(plan({ hosts: ["127.0.0.2", "[::1]"] }));
    deepStrictEqual(await answering(api.port), ["127.0.0.2", "[::1]"]);
  });
});

Deno.test("reload() changes to every address and back, though both exclude each other", async () => {
  await served(["127.0.0.1"], async (api) => {
    await api.reload(plan({ hosts: ["*"] }));
    deepStrictEqual(await answering(api.port), ["127.0.0.1", "127.0.0.2", "[::1]"]);
    await api.reload(plan({ hosts: ["[::]"] }));
    deepStrictEqual(await answering(api.port), ["127.0.0.1", "127.0.0.2", "[::1]"]);
    await api.reload(plan({ hosts: ["127.0.0.2"] }));
    deepStrictEqual(await answering(api.port), ["127.0.0.2"]);
  });
});

Deno.test("startApi() listens on every address of a host name", async () => {
  await served(["localhost"], async (api) => {
    strictEqual((await answering(api.port)).includes("127.0.0.1"), true);
  });
  await rejects(served(["no-such-host.invalid"], () => Promise.resolve()), Refused);
});

Deno.test("reload() with a port that is taken is refused and everything stays", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await served(["127.0.0.1"], async (api) => {
    const before = api.port;
    const taken = { hosts: ["127.0.0.2", "127.0.0.1"], port: other.addr.port };
    await rejects(api.reload(plan(taken)), Refused);
    strictEqual(api.port, before);
    deepStrictEqual(await answering(before), ["127.0.0.1"]);
  });
});

Deno.test("reload() moves to another port and lets a request in work end", async () => {
  const given = new TestApi({ handoverLimitS: 0.5 });
  await served(["127.0.0.1"], async (api) => {
    const url = `http://127.0.0.1:${api.port}/switchover`;
    const waiting = fetch(url, { method: "POST", body: '{"leader":"a"}' });
    while (given.wakes.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [old, { port }] = [api.port, freePort()];
    await api.reload(plan({ hosts: ["127.0.0.1"], port }));
    strictEqual(api.port, port);
    deepStrictEqual([await answering(old), await answering(port)], [[], ["127.0.0.1"]]);
    const reply = await waiting;
    strictEqual((await reply.text()).includes("status unknown"), true);
  }, given);
});

Deno.test("reload() turns HTTPS on and off on the same address", async () => {
  await using certs = await certificates();
  const files = { ca: null, cert: certs.path("a.crt"), key: certs.path("a.key") };
  const source = await TlsSource.open("REST", { ...files, keyPassword: null }, silentLog);
  using client = Deno.createHttpClient({ caCerts: [await certs.text("ca.crt")] });
  const status = async (port: number): Promise<number> => {
    const reply = await fetch(`https://127.0.0.1:${port}/primary`, { client });
    await reply.body?.cancel();
    return reply.status;
  };
  await served(["127.0.0.1"], async (api) => {
    await api.reload(plan({ hosts: ["127.0.0.1"], tls: { source, verifyClient: "none" } }));
    deepStrictEqual([await status(api.port), await answering(api.port)], [200, []]);
    await api.reload(plan({ hosts: ["127.0.0.1"] }));
    deepStrictEqual(await answering(api.port), ["127.0.0.1"]);
  });
});

Deno.test("the access rules are those of the moment", async () => {
  let rules = OPEN_ACCESS;
  const given = new TestApi({ access: () => rules, handoverLimitS: 0 });
  const first = await given.post("/switchover", {});
  rules = { ...OPEN_ACCESS, allowlist: ["10.0.0.1"], serverName: "agent", headers: { x: "y" } };
  const second = await given.post("/switchover", {});
  deepStrictEqual([first.status, second.status], [400, 403]);
  deepStrictEqual([second.headers.get("server"), second.headers.get("x")], ["agent", "y"]);
});

function freePort(): Deno.NetAddr {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr;
}
