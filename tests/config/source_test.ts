import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { ConfigError, type ConfigFault } from "../../lib/base/errors.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { file } from "./files.ts";

/** A folder with these files, removed afterwards. */
async function inFolder(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function faultsOf(
  path: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly ConfigFault[]> {
  const error = await loadConfig(path, env).then(() => null, (error: unknown) => error);
  ok(error instanceof ConfigError, String(error));
  return error.faults;
}

Deno.test("loadConfig() merges the files of a folder in the order of their names, lists replaced", async () => {
  const files = {
    "20-member.yaml": "name: b\npostgresql:\n  parameters: {work_mem: 8MB}\n  pg_hba: [two]\n",
    "10-common.yml": file(
      ["postgresql.parameters", { work_mem: "4MB", jit: false }],
      ["postgresql.pg_hba", ["one", "one and a half"]],
    ),
    "30-notes.txt": "scope: [",
  };
  await inFolder(files, async (folder) => {
    const { scope, name, postgresql } = await loadConfig(`${folder}/`, {});

    deepStrictEqual([scope, name], ["demo", "b"]);
    deepStrictEqual(postgresql.parameters, { work_mem: "8MB", jit: "off" });
    deepStrictEqual(postgresql.pgHba, ["two"]);
  });
});

Deno.test("loadConfig() names the file of a folder that a fault stands in", async () => {
  const files = { "1.yml": file(), "2.yml": "\npostgresql:\n  data_dir: here\n" };
  await inFolder(files, async (folder) => {
    const faults = await faultsOf(folder);

    deepStrictEqual(faults.map((fault) => [fault.file, fault.line, fault.path]), [
      [`${folder}/2.yml`, 3, "postgresql.data_dir"],
    ]);
  });
});

Deno.test("loadConfig() refuses a folder without configuration and a path that is not there", async () => {
  await inFolder({ "a.txt": "" }, async (folder) => {
    match((await faultsOf(folder))[0]?.message ?? "", /a folder without \*\.yml files/);
  });
  // Patroni would take the variables alone; here that is a fault.
  const env = { PATRONI_SCOPE: "x" };
  match((await faultsOf("/no/such.yml", env))[0]?.message ?? "", /no such file/);
});

Deno.test("loadConfig() takes PATRONI_CONFIGURATION without a file, and no other variable beside it", async () => {
  const env = { PATRONI_CONFIGURATION: file(["scope", "whole"]), PATRONI_SCOPE: "single" };

  strictEqual((await loadConfig("", env)).scope, "whole");
  const [fault] = await faultsOf("", { PATRONI_CONFIGURATION: "scope: a/b" });
  strictEqual(fault?.file, "PATRONI_CONFIGURATION");
});

const ALONE = {
  PATRONI_SCOPE: "demo",
  PATRONI_NAME: "a",
  PATRONI_RESTAPI_LISTEN: "10.0.0.1:8008",
  PATRONI_ETCD3_HOSTS: "10.0.0.9",
  PATRONI_POSTGRESQL_LISTEN: "10.0.0.1:5432",
  PATRONI_POSTGRESQL_DATA_DIR: "/data/a",
  PATRONI_SUPERUSER_USERNAME: "postgres",
  PATRONI_REPLICATION_USERNAME: "repl",
  PATRONI_POSTGRESQL_PARAMETERS: "work_mem: 4MB, jit: off",
  PATRONI_POSTGRESQL_CREATE_REPLICA_METHODS: "wal_g, basebackup",
  PATRONI_POSTGRESQL_CALLBACKS_ON_START: "/etc/hook one",
  PATRONI_WATCHDOG_MODE: "off",
  PATRONI_TAGS_NOFAILOVER: "on",
  PATRONI_BOOTSTRAP_DCS_TTL: "40",
};

Deno.test("loadConfig() can take a whole member from single variables", async () => {
  const { scope, postgresql, watchdog, tags, bootstrap } = await loadConfig("", ALONE);

  deepStrictEqual([scope, watchdog.mode, tags], ["demo", "off", { nofailover: "on" }]);
  deepStrictEqual(postgresql.parameters, { work_mem: "4MB", jit: "off" });
  deepStrictEqual(postgresql.replicaMethods.map((method) => "name" in method ? method.name : ""), [
    "wal_g",
    "",
  ]);
  deepStrictEqual(postgresql.hooks.callbacks.on_start, ["/etc/hook", "one"]);
  deepStrictEqual(bootstrap?.dcs, { ttl: "40" });
});

Deno.test("loadConfig() tells every missing key when the environment has nothing", async () => {
  await rejects(loadConfig("", {}), /Cannot use the environment: \d+ faults/);
});
