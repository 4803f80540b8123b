import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { parse } from "yaml";
import { serverTemplate, type Template } from "../../lib/cli/config_template.ts";
import { generateConfig } from "../../lib/cli/generate_config.ts";
import { valueAt } from "../../lib/config/faults.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { type ServerProfile, targetOfDsn } from "../../lib/postgres/server_profile.ts";
import { world } from "./faces.ts";

const SAMPLE = { file: null, sample: true, dsn: null, env: {} };

Deno.test("generateConfig() writes a sample that is accepted without a remark", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/patroni.yml`;
  const { context, out, err } = world();
  try {
    strictEqual(await generateConfig(context.output, { ...SAMPLE, file }), 0);
    const { warnings, name } = await loadConfig(file, {});
    deepStrictEqual([warnings, out, err], [[], [], []]);
    strictEqual(name, Deno.hostname());
    strictEqual(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);

    strictEqual(await generateConfig(context.output, { ...SAMPLE, file }), 1);
    match(err.join(""), /File exists/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("generateConfig() names what only the operator knows", async () => {
  const { context, out } = world();
  await generateConfig(context.output, SAMPLE);

  const text = out.join("");
  match(text, /^# - etcd3\.hosts$/m);
  for (const [, path = ""] of text.matchAll(/^# - (.*)$/gm)) {
    const value = path.split(".").reduce((at, key) => at?.[key], parse(text));
    ok(value !== undefined, path);
  }
});

Deno.test("generateConfig() tells where no server answers, and what to do", async () => {
  const { context, err } = world();
  const wish = { file: null, sample: false, dsn: "host=127.0.0.1 port=1", env: {} };

  strictEqual(await generateConfig(context.output, wish), 1);
  match(err.join(""), /^agent: Cannot reach the server: .*\n +Name a superuser's connection/);
});

function serverFile(settings: ServerProfile["settings"], hba: readonly string[]): Template {
  const host = { hostname: "h", address: "10.0.0.1", programs: null };
  const server = {
    clusterName: "shop",
    listen: "*:5433",
    dataDir: "/data",
    configFile: "/etc/pg/postgresql.conf",
    binDir: null,
    hba,
    ident: [],
    settings,
  };
  return serverTemplate(host, server, { username: "admin", password: "pw" });
}

Deno.test("serverTemplate() gives a member its own settings, and the others to the cluster", () => {
  const set = (name: string, value: string) => ({ name, value, isSet: true });
  const { values, unknown } = serverFile([
    set("archive_command", "cp %p /a"),
    set("log_directory", "/log"),
    set("work_mem", "8MB"),
    set("port", "5433"),
    set("recovery_target_time", "x"),
    { name: "max_connections", value: "100", isSet: false },
    { name: "jit", value: "on", isSet: false },
  ], []);

  const parameters = ["bootstrap", "dcs", "postgresql", "parameters"];
  deepStrictEqual(valueAt(values, parameters), { work_mem: "8MB", max_connections: "100" });
  deepStrictEqual(valueAt(values, ["postgresql", "parameters"]), {
    archive_command: "cp %p /a",
    log_directory: "/log",
  });
  deepStrictEqual(unknown, [
    "etcd3.hosts",
    "postgresql.authentication.replication.password",
    "postgresql.pg_hba",
  ]);
});

Deno.test("serverTemplate() keeps the server's places and lets the new replication role in", () => {
  const local = "host replication all 127.0.0.1/32 trust";
  const { values } = serverFile([], [local]);

  deepStrictEqual(valueAt(values, ["postgresql"]), {
    listen: "*:5433",
    connect_address: "10.0.0.1:5433",
    data_dir: "/data",
    config_dir: "/etc/pg",
    authentication: {
      superuser: { username: "admin", password: "pw" },
      replication: { username: "replicator", password: "change-me" },
    },
    parameters: {},
    pg_hba: [local, "host replication replicator samenet scram-sha-256"],
  });
  const open = "host replication all 10.0.0.0/8 scram-sha-256";
  deepStrictEqual(valueAt(serverFile([], [open]).values, ["postgresql", "pg_hba"]), [open]);
});

const DSNS: readonly (readonly [string, Readonly<Record<string, string>>, unknown])[] = [
  ["postgres://u:p%40@h:5433/db?sslmode=require", {}, ["h", 5433, "db", "u", "p@"]],
  ["host=/run port=6 user='a b' dbname=d", { PGPASSWORD: "s" }, ["/run", 6, "d", "a b", "s"]],
  ["", { PGHOST: "x", PGUSER: "y", PGPORT: "7" }, ["x", 7, "postgres", "y", null]],
  ["", {}, ["/var/run/postgresql", 5432, "postgres", "postgres", null]],
];

for (const [dsn, env, expected] of DSNS) {
  Deno.test(`targetOfDsn() reads "${dsn}"`, () => {
    const { host, port, database, login } = targetOfDsn(dsn, env);

    deepStrictEqual([host, port, database, login.username, login.password], expected);
  });
}
