import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { configOf, errorOf, faultPaths, file } from "./files.ts";

Deno.test("readConfig() reads the section that bootstrap.method names", () => {
  const { bootstrap, warnings } = configOf(["bootstrap", {
    method: "pitr",
    pitr: {
      command: "/usr/bin/restore --stanza 'my db'",
      "process-max": 4,
      recovery_conf: { restore_command: "cp %f %p", recovery_target_inclusive: false },
    },
    post_init: "/etc/seed one",
  }]);

  deepStrictEqual(bootstrap?.custom, {
    name: "pitr",
    words: ["/usr/bin/restore", "--stanza", "my db", "--process-max=4"],
    withParameters: true,
    keepRecovery: false,
    recovery: { restore_command: "cp %f %p", recovery_target_inclusive: "off" },
  });
  deepStrictEqual(bootstrap?.postBootstrap, ["/etc/seed", "one"]);
  deepStrictEqual(warnings, []);
});

Deno.test("readConfig() founds by initdb unless a method is named", () => {
  const { bootstrap } = configOf(["bootstrap", { dcs: {} }]);

  deepStrictEqual([bootstrap?.custom, bootstrap?.postBootstrap], [null, null]);
});

Deno.test("readConfig() refuses a bootstrap method without a command: initdb would found an empty cluster", () => {
  match(
    errorOf(file(["bootstrap", { method: "pitr" }])).message,
    /bootstrap\.method: expected a section bootstrap\.pitr with a command, found "pitr"/,
  );
  deepStrictEqual(faultPaths(["bootstrap", { method: "pitr", pitr: { no_params: true } }]), [
    "bootstrap.method",
  ]);
});

Deno.test("readConfig() refuses a recovery target that would leave the new cluster read-only", () => {
  const pitr = { command: "/x", recovery_conf: { recovery_target_action: "pause" } };

  deepStrictEqual(faultPaths(["bootstrap", { method: "pitr", pitr }]), [
    "bootstrap.pitr.recovery_conf",
  ]);
});

Deno.test("readConfig() reads copy methods in their order, a name without a section as the program", () => {
  const { postgresql, warnings } = configOf(
    ["postgresql.create_replica_methods", ["wal_g", "plain", "basebackup"]],
    ["postgresql.wal_g", { command: "/x a", keep_data: true, no_params: 1, no_leader: 1, k: "v" }],
  );

  deepStrictEqual(postgresql.replicaMethods, [
    {
      kind: "custom",
      name: "wal_g",
      words: ["/x", "a", "--k=v"],
      withParameters: false,
      keepData: true,
    },
    { kind: "custom", name: "plain", words: ["plain"], withParameters: true, keepData: false },
    { kind: "basebackup" },
  ]);
  strictEqual(warnings.length, 1);
  match(warnings[0] ?? "", /postgresql\.wal_g\.no_leader: no effect/);
});

Deno.test("readConfig() understands the older name of create_replica_methods", () => {
  const { postgresql } = configOf(["postgresql.create_replica_method", "x"]);

  deepStrictEqual(postgresql.replicaMethods.length, 1);
});

Deno.test("readConfig() tells the place of a fault in a copy method", () => {
  const methods = ["postgresql.create_replica_methods", ["m"]] as const;

  deepStrictEqual(faultPaths(methods, ["postgresql.m", { command: "'open" }]), [
    "postgresql.m.command",
  ]);
  deepStrictEqual(faultPaths(methods, ["postgresql.m", { keep_data: "maybe" }]), [
    "postgresql.m.keep_data",
  ]);
  deepStrictEqual(faultPaths(methods, ["postgresql.m", "text"]), ["postgresql.m"]);
  deepStrictEqual(faultPaths(["postgresql.create_replica_methods", ["m", "m"]]), [
    "postgresql.create_replica_methods",
  ]);
});

Deno.test("readConfig() lets only the source compress a base backup", () => {
  deepStrictEqual(faultPaths(["postgresql.basebackup", [{ compress: "gzip" }]]), [
    "postgresql.basebackup",
  ]);
  const { basebackup } = configOf(["postgresql.basebackup", {
    "max-rate": "100M",
    compress: "server-lz4",
    verbose: true,
  }]).postgresql;
  deepStrictEqual(basebackup, ["--max-rate=100M", "--compress=server-lz4", "--verbose"]);
});

Deno.test("readConfig() reads where the server's own files are", () => {
  const { postgresql } = configOf(
    ["postgresql.config_dir", "/etc/postgresql/15/main/"],
    ["postgresql.config_base_name", "pg"],
    ["postgresql.custom_conf", "/etc/custom.conf"],
  );

  deepStrictEqual(
    [postgresql.configDir, postgresql.configBaseName, postgresql.customConf],
    ["/etc/postgresql/15/main", "pg", "/etc/custom.conf"],
  );
  deepStrictEqual(faultPaths(["postgresql.config_base_name", "a/b"]), [
    "postgresql.config_base_name",
  ]);
});
