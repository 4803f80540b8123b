import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { ConfigError, Refused } from "../../lib/base/errors.ts";
import type { Json } from "../../lib/base/json.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Access, openClients } from "../../lib/cli/access.ts";
import { certificateRemarks } from "../../lib/cli/certificate_faults.ts";
import type { AgentConfig } from "../../lib/config/agent_config.ts";
import { configOf } from "../config/files.ts";
import { type Certificates, certificates } from "../net/certificates.ts";

/** A configuration with HTTPS by the certificate `name`. */
function secured(
  certs: Certificates,
  name: string,
  ...more: readonly (readonly [string, Json])[]
): AgentConfig {
  return configOf(
    ["restapi.certfile", certs.path(`${name}.crt`)],
    ["restapi.keyfile", certs.path(`${name}.key`)],
    ["restapi.cafile", certs.path("ca.crt")],
    ...more,
  );
}

async function faultsOf(work: Promise<unknown>): Promise<readonly string[]> {
  const error = await work.catch((fault: unknown) => fault);
  if (error instanceof ConfigError) return error.faults.map(({ path }) => path);
  throw new TypeError("Cannot find the expected ConfigError: the certificates were accepted");
}

function relisten(): Promise<void> {
  return Promise.resolve();
}

Deno.test("Access.open() tells every file that cannot be used, by its key", async () => {
  await using certs = await certificates();
  await certs.encrypt("b", "geheim");
  const config = secured(
    certs,
    "a",
    ["restapi.keyfile", certs.path("b.key")],
    ["ctl.cacert", "/no/ca"],
    ["etcd3.cert", certs.path("b.crt")],
    ["etcd3.key", certs.path("b.enc.key")],
    ["etcd3.key_password", "falsch"],
    ["postgresql.authentication.superuser.sslrootcert", certs.path("a.key")],
    ["postgresql.authentication.replication.sslrootcert", "system"],
  );
  deepStrictEqual(await faultsOf(Access.open(config, silentLog)), [
    "restapi.keyfile",
    "ctl.cacert",
    "etcd3.key_password",
    "postgresql.authentication.superuser.sslrootcert",
  ]);
});

Deno.test("openClients() does not need the server's own keys", async () => {
  await using certs = await certificates();
  const config = secured(certs, "a", ["restapi.keyfile", "/root/only"]);
  const { members, store } = await openClients(config, silentLog);
  await Promise.all([members.close(), store.close()]);
  const broken = secured(certs, "a", ["ctl.certfile", "/no/cert"]);
  deepStrictEqual(await faultsOf(openClients(broken, silentLog)), ["ctl.certfile"]);
});

Deno.test("Access.reload() changes everything, or nothing when a certificate cannot be used", async () => {
  await using certs = await certificates();
  const login = { username: "u", password: "p" };
  const first = secured(certs, "a", ["restapi.authentication", login]);
  const access = await Access.open(first, silentLog);
  const shown = async (): Promise<boolean> =>
    access.plan().tls?.source.present.cert === await certs.text("a.crt");
  const broken = secured(certs, "b", ["restapi.keyfile", certs.path("a.key")]);
  await rejects(access.reload(broken, relisten), ConfigError);
  deepStrictEqual([access.rules().authentication, access.login(), await shown()], [
    login,
    login,
    true,
  ]);

  const next = secured(certs, "b", ["restapi.allowlist", ["10.0.0.1"]], [
    "restapi.server_tokens",
    "ProductOnly",
  ]);
  await access.reload(next, relisten);
  const { authentication, allowlist, serverName } = access.rules();
  deepStrictEqual([authentication, allowlist, serverName], [null, ["10.0.0.1"], "agent"]);
  deepStrictEqual([access.login(), await shown()], [null, false]);

  await access.reload(configOf(), relisten);
  strictEqual(access.plan().tls, null);
  await access.close();
});

Deno.test("a certificate that does not name connect_address is told", async () => {
  await using certs = await certificates();
  const at = (address: string): Promise<readonly string[]> =>
    certificateRemarks(secured(certs, "a", ["restapi.connect_address", address]));
  deepStrictEqual(
    [(await at("127.0.0.1:8008")).length, (await at("localhost:8008")).length],
    [0, 0],
  );
  deepStrictEqual([(await at("[::1]:8008")).length, (await at("10.0.0.1:8008")).length], [0, 1]);
});

Deno.test("Access.reload() leaves everything as it was when the address cannot be had", async () => {
  await using certs = await certificates();
  const login = { username: "u", password: "p" };
  const access = await Access.open(
    secured(certs, "a", ["restapi.authentication", login]),
    silentLog,
  );
  const source = access.plan().tls?.source;
  const plans: unknown[] = [];
  const refuseFirst = (): Promise<void> => {
    plans.push(access.plan().tls?.source.present.cert ?? null);
    return plans.length === 1 ? Promise.reject(new Refused("in use")) : Promise.resolve();
  };
  const [a, b] = await Promise.all([certs.text("a.crt"), certs.text("b.crt")]);
  const other = { username: "v", password: "q" };
  for (
    const [next, offered] of [
      [secured(certs, "b", ["restapi.authentication", other]), b],
      [configOf(["restapi.authentication", other]), null],
    ] as const
  ) {
    plans.length = 0;
    await rejects(access.reload(next, refuseFirst), Refused);
    deepStrictEqual(plans, [offered, a]);
    deepStrictEqual([access.rules().authentication, access.login()], [login, login]);
    strictEqual(access.plan().tls?.source, source);
  }
  await access.close();
});
