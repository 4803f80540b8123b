import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { probeHost } from "../../lib/cli/host_probes.ts";
import { type HostProbes, validate, type ValidateOptions } from "../../lib/cli/validate.ts";
import type { AgentConfig } from "../../lib/config/agent_config.ts";
import { type Change, configOf } from "../config/files.ts";
import { world } from "./faces.ts";

const SAMPLE = new URL("../../patroni.yml", import.meta.url).pathname;
const FINE: HostProbes = () => Promise.resolve({ faults: [], warnings: [] });

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: readonly string[];
}

async function said(overrides: Partial<ValidateOptions>): Promise<Said> {
  const { context, out, err } = world();
  const code = await validate(context.output, {
    path: SAMPLE,
    env: {},
    print: false,
    ignoreListenPort: false,
    format: "pretty",
    probe: FINE,
    ...overrides,
  });
  return { code, out: out.join(""), err };
}

Deno.test("validate() prints what is in force, without secrets", async () => {
  const { code, out, err } = await said({ print: true });

  deepStrictEqual([code, err], [0, []]);
  ok(out.includes("scope: demo"));
  ok(!out.includes("change-me"));
});

Deno.test("validate() tells remarks on stderr and prints nothing unless asked", async () => {
  const env = { PATRONI_CTL_INSECURE: "on", PATRONI_NMAE: "/y" };
  const { code, out, err } = await said({ env });

  deepStrictEqual([code, out, err.length], [0, "", 2]);
});

Deno.test("probeHost() looks the same from a folder that this user cannot enter", async () => {
  const config = configOf(["postgresql.data_dir", "/tmp"], ["postgresql.bin_dir", "/bin"]);
  const wish = { ignoreListenPort: true };
  const usual = await probeHost(config, wish);
  const before = Deno.cwd();
  const folder = await Deno.makeTempDir();
  Deno.chdir(folder);
  try {
    await Deno.remove(folder); // gone is as bad as closed, also for root
    deepStrictEqual(await probeHost(config, wish), usual);
  } finally {
    Deno.chdir(before);
  }
});

Deno.test("validate() tells every fault, the remarks beside them, and ends with 1", async () => {
  const env = { PATRONI_SCOPE: "a/b", PATRONI_POSTGRESQL_DATA_DIR: "here", PATRONI_NMAE: "x" };
  const { code, err } = await said({ env });

  strictEqual(code, 1);
  deepStrictEqual(err.map((line) => line.split(": ")[1]), [
    "scope",
    "postgresql.data_dir",
    "unknown variable, ignored; did you mean PATRONI_NAME?\n",
    `Cannot use ${SAMPLE}`,
  ]);
});

Deno.test("validate() gives faults as JSON with file, line and key", async () => {
  const { code, out, err } = await said({ path: "/no/file", format: "json", print: true });
  const found = JSON.parse(out);

  deepStrictEqual([code, err, found.valid, found.faults.length], [1, [], false, 1]);
  strictEqual(found.faults[0].file, "/no/file");
  const fine = JSON.parse((await said({ format: "json", print: true })).out);
  deepStrictEqual([fine.valid, fine.faults, fine.config.scope], [true, [], "demo"]);
  ok(!JSON.stringify(fine).includes("change-me"));
});

Deno.test("validate() ends with 1 for a fault of the host", async () => {
  const fault = { file: "this host", line: null, path: "restapi.listen", message: "port in use" };
  const probe: HostProbes = () => Promise.resolve({ faults: [fault], warnings: ["w"] });
  const { code, err } = await said({ probe });

  deepStrictEqual([code, err.slice(0, 2)], [1, [
    "this host: restapi.listen: port in use\n",
    "w\n",
  ]]);
});

/** A folder in which a member could live, with PostgreSQL's programs replaced by a script of this version. */
async function onHost(
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/bin`);
    for (const name of ["postgres", "initdb", "pg_ctl", "pg_basebackup", "pg_controldata"]) {
      const script = '#!/bin/sh\necho "postgres (PostgreSQL) 15.4"\n';
      await Deno.writeTextFile(`${folder}/bin/${name}`, script, { mode: 0o755 });
    }
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function hostConfig(folder: string, ...changes: readonly Change[]): AgentConfig {
  return configOf(
    ["restapi.listen", "127.0.0.1:1"],
    ["restapi.connect_address", "127.0.0.1:8008"],
    ["postgresql.listen", "127.0.0.1:2"],
    ["etcd3.host", "127.0.0.1:2379"],
    ["postgresql.data_dir", `${folder}/data`],
    ["postgresql.bin_dir", `${folder}/bin`],
    ...changes,
  );
}

async function keysOf(...[config, wish]: Parameters<HostProbes>): Promise<readonly string[]> {
  const { faults, warnings } = await probeHost(config, wish);
  return [...faults.map(({ path }) => path), ...warnings.map((text) => text.split(":")[0] ?? "")];
}

Deno.test("probeHost() finds nothing on a host where a member could live", async () => {
  await onHost(async (folder) => {
    deepStrictEqual(await keysOf(hostConfig(folder), { ignoreListenPort: true }), []);
  });
});

Deno.test("probeHost() tells a port in use, unless it is to be ignored", async () => {
  using used = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await onHost(async (folder) => {
    const listen = `127.0.0.1:${used.addr.port}`;
    using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const other = `127.0.0.1:${free.addr.port}`;
    free.close();
    const config = hostConfig(folder, ["restapi.listen", listen], ["postgresql.listen", other]);

    deepStrictEqual(await keysOf(config, { ignoreListenPort: false }), ["restapi.listen"]);
    deepStrictEqual(await keysOf(config, { ignoreListenPort: true }), []);
  });
});

Deno.test("probeHost() tells programs that are missing or of another version than the data", async () => {
  await onHost(async (folder) => {
    await Deno.mkdir(`${folder}/data`);
    await Deno.writeTextFile(`${folder}/data/PG_VERSION`, "14\n");
    const { faults } = await probeHost(hostConfig(folder), { ignoreListenPort: true });
    match(faults[0]?.message ?? "", /programs of PostgreSQL 14 .*, found 15/);

    const renamed = hostConfig(folder, ["postgresql.bin_name", { initdb: "initdb.other" }]);
    const missing = await probeHost(renamed, { ignoreListenPort: true });
    match(missing.faults[0]?.message ?? "", /the program initdb, found none at .*initdb\.other/);
  });
});

Deno.test("probeHost() tells unknown hosts, places nobody can write to and missing hooks", async () => {
  await onHost(async (folder) => {
    const config = hostConfig(
      folder,
      ["postgresql.connect_address", "no-such-host.invalid:5432"],
      ["postgresql.custom_conf", `${folder}/none.conf`],
      ["postgresql.data_dir", `${folder}/bin/postgres/x/data`],
      ["postgresql.callbacks.on_start", "/no/hook x"],
    );

    deepStrictEqual((await keysOf(config, { ignoreListenPort: true })).toSorted(), [
      "AGENT_STATE_DIR",
      "postgresql.callbacks.on_start",
      "postgresql.connect_address",
      "postgresql.custom_conf",
      "postgresql.data_dir",
    ]);
  });
});

Deno.test("probeHost() warns of addresses that no other host reaches, where the store is on another one", async () => {
  await onHost(async (folder) => {
    const keys = async (etcd: string): Promise<readonly string[]> => {
      const config = hostConfig(folder, ["etcd3.host", etcd], [
        "postgresql.connect_address",
        "localhost",
      ]);
      return await keysOf(config, { ignoreListenPort: true });
    };
    deepStrictEqual(await keys("10.0.0.1:2379"), [
      "restapi.connect_address",
      "postgresql.connect_address",
    ]);
    deepStrictEqual(await keys("[::1]:2379"), []);
  });
});

Deno.test("probeHost() warns of a required watchdog that cannot be used", async () => {
  await onHost(async (folder) => {
    const keys = async (mode: string, device: string): Promise<readonly string[]> => {
      const config = hostConfig(folder, ["watchdog.mode", mode], ["watchdog.device", device]);
      return await keysOf(config, { ignoreListenPort: true });
    };
    deepStrictEqual(await keys("required", `${folder}/none`), ["watchdog.device"]);
    deepStrictEqual(await keys("automatic", `${folder}/none`), []);
    deepStrictEqual(await keys("required", `${folder}/bin/postgres`), []);
  });
});

Deno.test("probeHost() names bin_dir for programs that are not in PATH", async () => {
  await onHost(async (folder) => {
    const config = hostConfig(folder, ["postgresql.bin_dir", ""], [
      "postgresql.bin_name",
      { initdb: "no-such-initdb" },
    ]);
    const { faults } = await probeHost(config, { ignoreListenPort: true });
    const fault = faults.find(({ message }) => message.includes("no-such-initdb"));
    deepStrictEqual([fault?.path, fault?.message], [
      "postgresql.bin_dir",
      "expected the program initdb, found none of the name no-such-initdb in PATH",
    ]);
  });
});

Deno.test("probeHost() warns of an allowlist without this host", async () => {
  await onHost(async (folder) => {
    const listing = (hosts: readonly string[]): Promise<readonly string[]> => {
      const config = hostConfig(folder, ["restapi.allowlist", hosts]);
      return keysOf(config, { ignoreListenPort: true });
    };
    deepStrictEqual(await listing(["10.0.0.0/8"]), ["restapi.allowlist"]);
    deepStrictEqual(await listing(["10.0.0.0/8", "127.0.0.1"]), []);
  });
});

Deno.test("validate() tells certificates that cannot be used as faults, beside those of the host", async () => {
  const env = { PATRONI_RESTAPI_CERTFILE: "/no/cert", PATRONI_REPLICATION_SSLCERT: "/no/other" };
  const port = { file: "this host", line: null, path: "restapi.listen", message: "port in use" };
  const probe: HostProbes = () => Promise.resolve({ faults: [port], warnings: [] });
  const { code, err } = await said({ env, probe });

  strictEqual(code, 1);
  deepStrictEqual(err.slice(0, 3).map((line) => line.split(": ").slice(0, 2)), [
    ["this host", "restapi.certfile"],
    ["this host", "postgresql.authentication.replication.sslcert"],
    ["this host", "restapi.listen"],
  ]);
});
