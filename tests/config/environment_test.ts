import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { readConfig } from "../../lib/config/load.ts";
import type { AgentConfig } from "../../lib/config/agent_config.ts";
import { errorOf, file } from "./files.ts";

function withEnv(env: Readonly<Record<string, string>>): AgentConfig {
  return readConfig("p.yml", file(), env);
}

const OVERRIDES: readonly (readonly [string, string, (config: AgentConfig) => unknown, unknown])[] =
  [
    ["PATRONI_SCOPE", "other", ({ scope }) => scope, "other"],
    ["PATRONI_NAME", "b", ({ name }) => name, "b"],
    ["PATRONI_NAMESPACE", "//x//y/", ({ namespace }) => namespace, "/x/y/"],
    ["PATRONI_LOG_LEVEL", "critical", ({ log }) => log.level, "CRITICAL"],
    ["PATRONI_ETCD3_HOSTS", "a:1234, b", ({ etcd }) => etcd.endpoints, [
      "http://a:1234",
      "http://b:2379",
    ]],
    ["PATRONI_ETCD3_HOSTS", "['a:1234','b']", ({ etcd }) => etcd.endpoints, [
      "http://a:1234",
      "http://b:2379",
    ]],
    ["PATRONI_ETCD3_HOSTS", `'a:1234', "b"`, ({ etcd }) => etcd.endpoints, [
      "http://a:1234",
      "http://b:2379",
    ]],
    ["PATRONI_RESTAPI_ALLOWLIST", "'10.0.0.0/8','a'", ({ restapi }) => restapi.allowlist, [
      "10.0.0.0/8",
      "a",
    ]],
    ["PATRONI_ETCD3_HOSTS", "- a\n- b", ({ etcd }) => etcd.endpoints.length, 2],
    ["PATRONI_RESTAPI_LISTEN", "[::1]:8009", ({ restapi }) => restapi.listen, {
      hosts: ["::1"],
      port: 8009,
    }],
    [
      "PATRONI_SUPERUSER_PASSWORD",
      "007",
      ({ postgresql }) => postgresql.authentication.superuser.password,
      "007",
    ],
    [
      "PATRONI_REPLICATION_SSLMODE",
      "require",
      ({ postgresql }) => postgresql.authentication.replication.options,
      { sslmode: "require" },
    ],
    [
      "PATRONI_REWIND_USERNAME",
      "rw",
      ({ postgresql }) => postgresql.authentication.rewind?.username,
      "rw",
    ],
    ["PATRONI_POSTGRESQL_BIN_PG_CTL", "pg", ({ postgresql }) => postgresql.binName, {
      pg_ctl: "pg",
    }],
    ["AGENT_STATE_DIR", "/run/x", ({ stateDir }) => stateDir, "/run/x"],
    ["PATRONI_SCOPE", "", ({ scope }) => scope, "demo"],
  ];

for (const [name, value, read, expected] of OVERRIDES) {
  Deno.test(`readConfig() lets ${name}=${JSON.stringify(value)} win over the file`, () => {
    deepStrictEqual(read(withEnv({ [name]: value })), expected);
  });
}

Deno.test("readConfig() names the variable of a fault instead of a line", () => {
  const [fault] = errorOf(file(), { PATRONI_POSTGRESQL_DATA_DIR: "here" }).faults;

  deepStrictEqual([fault?.file, fault?.path], [null, "postgresql.data_dir"]);
  match(fault?.message ?? "", /PATRONI_POSTGRESQL_DATA_DIR/);
});

for (
  const [name, value] of [
    ["PATRONI_LOG_STATIC_FIELDS", "{{{"],
    ["PATRONI_RESTAPI_HTTP_EXTRA_HEADERS", "{a: 1"],
    ["PATRONI_POSTGRESQL_PARAMETERS", "work_mem: [1"],
    ["PATRONI_ETCD3_HOSTS", "[a:2379, b:2379, ]]"],
  ] as const
) {
  Deno.test(`readConfig() refuses ${name}=${value}, which is no YAML, and takes no half of it`, () => {
    throws(() => withEnv({ [name]: value }), new RegExp(`from ${name}`));
  });
}

Deno.test("readConfig() refuses variables of other stores like their sections, and names them", () => {
  const [fault] = errorOf(file(), { PATRONI_CONSUL_HOST: "x" }).faults;
  deepStrictEqual([fault?.path, fault?.file], ["consul", null]);
  match(fault?.message ?? "", /from PATRONI_CONSUL_HOST/);
  strictEqual(errorOf(file(), { PATRONI_ETCD_HOSTS: "x" }).faults[0]?.path, "etcd");
});

Deno.test("readConfig() warns of an unknown variable with the nearest one", () => {
  match(withEnv({ PATRONI_NMAE: "x" }).warnings[0] ?? "", /PATRONI_NAME\?/);
});

Deno.test("readConfig() refuses a relative AGENT_STATE_DIR", () => {
  strictEqual(errorOf(file(), { AGENT_STATE_DIR: "x" }).faults.length, 1);
});
