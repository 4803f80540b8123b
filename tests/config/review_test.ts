import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { Json } from "../../lib/base/json.ts";
import { variableOf } from "../../lib/config/environment.ts";
import { knownKeys } from "../../lib/config/key_table.ts";
import { editDistance, nearest } from "../../lib/base/nearest.ts";
import { review } from "../../lib/config/review.ts";
import { configOf } from "./files.ts";

Deno.test("readConfig() warns of an unknown key with line and nearest known key", () => {
  const { warnings } = configOf(["postgresql.data_dri", "/x"]);

  strictEqual(warnings.length, 1);
  match(warnings[0] ?? "", /^p\.yml:\d+: postgresql\.data_dri: .*data_dir\?/);
});

Deno.test("review() finds a key that belongs into another section", () => {
  const [finding] = review({ data_dir: "/x" });

  match(finding?.message ?? "", /postgresql\.data_dir/);
});

Deno.test("review() accepts tags of one's own, but tells a slip", () => {
  deepStrictEqual(review({ tags: { datacenter: "x" } }), []);
  deepStrictEqual(review({ tags: { nofailovr: true } }).map(({ kind }) => kind), ["unknown"]);
});

Deno.test("review() knows sections that create_replica_methods and method name", () => {
  const findings = review({
    bootstrap: { method: "pitr", pitr: { command: "x" } },
    postgresql: { create_replica_methods: ["wal_g"], wal_g: { command: "x" } },
  });

  deepStrictEqual(findings, []);
});

const HARMLESS: readonly (readonly [string, Json])[] = [
  ["watchdog.mode", "off"],
  ["watchdog.mode", "automatic"],
  ["watchdog.mode", "required"],
  ["restapi.verify_client", "none"],
  ["bootstrap.method", "initdb"],
  ["postgresql.create_replica_methods", ["basebackup"]],
  ["postgresql.callbacks", {}],
  ["postgresql.callbacks", { on_role_change: "/x" }],
  ["postgresql.pre_promote", "/x"],
  ["postgresql.use_pg_rewind", false],
];

for (const [path, value] of HARMLESS) {
  Deno.test(`readConfig() passes over ${path}: ${JSON.stringify(value)}`, () => {
    const { warnings } = configOf([path, value]);

    deepStrictEqual(warnings, []);
  });
}

Deno.test("readConfig() warns of timing at the top of the file, where it has no effect", () => {
  strictEqual(configOf(["ttl", 20], ["loop_wait", 5]).warnings.length, 2);
});

Deno.test("readConfig() warns of first settings under which nobody could lead", () => {
  strictEqual(configOf(["bootstrap.dcs", { synchronous_mode: true }]).warnings.length, 1);
});

Deno.test("review() leaves first settings that bar from leading to the decoder of the settings", () => {
  const first = { synchronous_mode: true, primary_race_backoff: 5 };

  deepStrictEqual(review({ bootstrap: { dcs: first } }), []);
  strictEqual(configOf(["bootstrap.dcs", first]).warnings.length, 2);
});

Deno.test("knownKeys() has a meaning for every key and no variable twice", () => {
  const keys = knownKeys();
  const variables = keys.map(variableOf);

  deepStrictEqual(keys.filter(({ notes }) => notes.meaning === ""), []);
  strictEqual(new Set(variables).size, variables.length);
});

Deno.test("nearest() takes the fewest edits and refuses what is too far", () => {
  strictEqual(nearest("scop", ["name", "scope"]), "scope");
  strictEqual(nearest("zebra", ["name", "scope"]), null);
  strictEqual(editDistance("kitten", "sitting"), 3);
});

Deno.test("nearest() takes no other name for a slip of a name of one letter", () => {
  deepStrictEqual([nearest("z", ["a", "b"]), nearest("A", ["b", "a"])], [null, "a"]);
  deepStrictEqual(nearest("nod1", ["node1", "node2"]), "node1");
});
