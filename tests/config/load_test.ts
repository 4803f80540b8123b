import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import type { Json } from "../../lib/base/json.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { loadConfig, readConfig } from "../../lib/config/load.ts";
import { configOf, errorOf, faultPaths, file } from "./files.ts";

const SAMPLE = new URL("../../patroni.yml", import.meta.url).pathname;

Deno.test("loadConfig() reads the sample patroni.yml without a remark", async () => {
  const config = await loadConfig(SAMPLE, {});

  deepStrictEqual(config.warnings, []);
  strictEqual(config.stateDir, "/var/lib/postgresql/15/.agent-demo-pg-a");
  deepStrictEqual(config.bootstrap?.initdb, ["--encoding=UTF8", "--data-checksums"]);
});

Deno.test("loadConfig() names the path when there is no file", async () => {
  await rejects(loadConfig("/no/such/patroni.yml", {}), (error) => {
    ok(error instanceof ConfigError);
    strictEqual(error.faults[0]?.file, "/no/such/patroni.yml");
    return true;
  });
});

Deno.test("loadConfig() refuses a directory", async () => {
  await rejects(loadConfig(import.meta.dirname ?? "/", {}), ConfigError);
});

Deno.test("readConfig() fills in what the smallest file leaves out", () => {
  const { namespace, restapi, postgresql, etcd, bootstrap, ctl, stateDir } = configOf();

  strictEqual(namespace, "/service/");
  strictEqual(restapi.connectAddress, "10.0.0.1:8008");
  strictEqual(postgresql.connectAddress, "10.0.0.1:5432");
  strictEqual(postgresql.pgpass, "/data/.agent-demo-a/pgpass");
  strictEqual(postgresql.removeDataDirectoryOnDivergedTimelines, true);
  deepStrictEqual(etcd.endpoints, ["http://10.0.0.9:2379"]);
  deepStrictEqual([bootstrap, ctl, stateDir], [null, null, "/data/.agent-demo-a"]);
});

Deno.test("readConfig() puts the state beside the data directory, however its path ends", () => {
  for (const end of ["", "/", "//", "/.", "/./"]) {
    const { postgresql, stateDir } = configOf(["postgresql.data_dir", `/data/a${end}`]);
    deepStrictEqual([postgresql.dataDir, stateDir], ["/data/a", "/data/.agent-demo-a"], end);
  }
});

const REFUSED: readonly (readonly [string, Json])[] = [
  ["scope", "a/b"],
  ["scope", ""],
  ["name", ".."],
  ["name", " a"],
  ["name", "a\nb"],
  ["name", ["a"]],
  ["name", "__patroni_strict_sync_replica_placeholder__"],
  ["restapi", "x"],
  ["restapi.listen", "10.0.0.1:70000"],
  ["restapi.listen", "10.0.0.1:5432"],
  ["restapi.listen", "::::"],
  ["restapi.listen", "10.0.0.1.5:8008"],
  ["restapi.connect_address", "*:8008"],
  ["restapi.connect_address", "10.0.0.1:6000"],
  ["restapi.connect_address", "http://10.0.0.1:8008"],
  ["restapi.authentication", { username: "only" }],
  ["etcd3.host", "a:b:c"],
  ["etcd3.host", "10.0.0.1:6666"],
  ["etcd3.hosts", []],
  ["etcd3.protocol", "grpc"],
  ["etcd", { host: "a:2379" }],
  ["consul", { host: "a" }],
  ["kubernetes", { use_endpoints: true }],
  ["postgresql", []],
  ["postgresql.listen", ":5432"],
  ["postgresql.data_dir", "relative"],
  ["postgresql.authentication.superuser", "postgres"],
  ["postgresql.authentication.superuser.username", { a: 1 }],
  ["postgresql.parameters", { work_mem: [1] }],
  ["postgresql.parameters", "x"],
  ["postgresql.pg_hba", { a: 1 }],
  ["postgresql.pg_hba", ["one\ntwo"]],
  ["postgresql.pg_ctl_timeout", 0],
  ["postgresql.use_unix_socket", "perhaps"],
  ["postgresql.basebackup", [{ pgdata: "/x" }]],
  ["bootstrap.initdb", ["pwfile=/x"]],
  ["bootstrap.initdb", [{ "bad name": 1 }]],
  ["bootstrap.dcs", { ttl: "soon" }],
  ["tags.nofailover", "maybe"],
  ["tags.failover_priority", 1.5],
  ["log.level", "LOUD"],
  ["log.type", "xml"],
];

for (const [path, value] of REFUSED) {
  Deno.test(`readConfig() refuses ${path}: ${JSON.stringify(value)}`, () => {
    const paths = faultPaths([path, value]);

    ok(paths.some((found) => found.startsWith(path)), `faults at ${paths.join(" ")}`);
  });
}

Deno.test("readConfig() tells every fault at once, with line, in the order of the file", () => {
  const text = "name: a/b\nrestapi:\n  listen: x:99999\npostgresql:\n  data_dir: here\n";
  const { faults } = errorOf(text);

  deepStrictEqual(faults.map(({ line, path }) => [path, line]), [
    ["scope", null],
    ["etcd3.hosts", null],
    ["name", 1],
    ["restapi.listen", 3],
    ["postgresql.listen", 4],
    ["postgresql.authentication.superuser.username", 4],
    ["postgresql.authentication.replication.username", 4],
    ["postgresql.data_dir", 5],
  ]);
});

Deno.test("readConfig() says what was expected and what it found", () => {
  match(errorOf(file(["log.type", "xml"])).message, /expected one of plain, json, found "xml"/);
});

Deno.test("readConfig() never repeats a secret", () => {
  const { message } = errorOf(file(["restapi.authentication.password", "two\nlines"]));

  ok(!message.includes('lines"'), message);
});

for (
  const text of [
    "",
    "- a",
    "just text",
    "a: [",
    "a: 1\na: 2",
    "&a [*a]",
    "x: &x {y: *x}",
    "%",
    "\u0000",
  ]
) {
  Deno.test(`readConfig() refuses the file ${JSON.stringify(text)}`, () => {
    ok(errorOf(text).faults.length > 0);
  });
}

Deno.test("readConfig() keeps texts as they are written", () => {
  const text = file().replace("username: postgres", "username: postgres\n      password: 0123");

  strictEqual(readConfig("p.yml", text, {}).postgresql.authentication.superuser.password, "0123");
});

Deno.test("readConfig() reads on and off as Patroni does", () => {
  const text = file() + "bootstrap:\n  dcs: {check_timeline: on}\ntags: {nofailover: yes}\n";
  const { bootstrap, tags } = readConfig("p.yml", text, {});

  deepStrictEqual([bootstrap?.dcs, tags], [{ check_timeline: true }, { nofailover: true }]);
});

Deno.test("readConfig() drops parameters that one member cannot set, with a remark for each", () => {
  const parameters = { Work_Mem: "4MB", max_connections: 10, port: 1, jit: false };
  const { postgresql, warnings } = configOf(["postgresql.parameters", parameters]);

  deepStrictEqual(postgresql.parameters, { work_mem: "4MB", jit: "off" });
  strictEqual(warnings.length, 2);
});

Deno.test("readConfig() takes several listen addresses and IPv6", () => {
  const { postgresql } = configOf(["postgresql.listen", "[::1],127.0.0.1:5433"], [
    "postgresql.connect_address",
    "[fd00::1]:5433",
  ]);

  deepStrictEqual(postgresql.listen, { hosts: ["::1", "127.0.0.1"], port: 5433 });
  strictEqual(postgresql.connectAddress, "[fd00::1]:5433");
});

Deno.test("readConfig() takes etcd as url with name and password", () => {
  const { etcd } = readConfig("p.yml", file(["etcd3", { url: "http://u:p%40@h:2380" }]), {});

  const { endpoints, username, password } = etcd;
  deepStrictEqual([endpoints, username, password], [["http://h:2380"], "u", "p@"]);
});

Deno.test("readConfig() prefers ctl.authentication for calls and falls back to restapi's", () => {
  const rest = { username: "r", password: "1" };
  const ctl = { username: "c", password: "2" };

  deepStrictEqual(configOf(["restapi.authentication", rest]).ctl, rest);
  deepStrictEqual(
    configOf(["restapi.authentication", rest], ["ctl.authentication", ctl]).ctl,
    ctl,
  );
});

Deno.test("readConfig() tells lists that the server never reads, and tags that contradict", () => {
  const { warnings } = configOf(
    ["postgresql.parameters", { hba_file: "/etc/hba" }],
    ["postgresql.pg_hba", ["local all all trust"]],
    ["postgresql.pg_ident", ["m a b"]],
    ["tags", { nofailover: true, failover_priority: 2 }],
  );

  deepStrictEqual(warnings.map((line) => line.replace(/^.*yml:\d+: /, "")), [
    "postgresql.pg_hba: no effect: the parameters name another file",
    "tags: nofailover true contradicts failover_priority 2: nofailover true counts",
  ]);
});

Deno.test("readConfig() asks an etcd proxy instead of all others", () => {
  const { etcd, warnings } = configOf(
    ["etcd3.proxy", "http://u:p%40@10.0.0.7"],
    ["etcd3.use_proxies", true],
  );
  deepStrictEqual([etcd.endpoints, etcd.username, etcd.password], [
    ["http://10.0.0.7:2379"],
    "u",
    "p@",
  ]);
  deepStrictEqual(warnings, []);
  deepStrictEqual(faultPaths(["etcd3.proxy", "10.0.0.7"]), ["etcd3.proxy"]);
});
