import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { configOf, faultPaths } from "./files.ts";

Deno.test("readConfig() leaves pg_rewind to the cluster's settings unless the file says", () => {
  strictEqual(configOf().postgresql.usePgRewind, null);
  strictEqual(configOf(["postgresql.use_pg_rewind", false]).postgresql.usePgRewind, false);
  const { postgresql, warnings } = configOf(
    ["postgresql.use_pg_rewind", "on"],
    ["postgresql.rewind", [{ debug: true }, "no-sync"]],
  );
  strictEqual(postgresql.usePgRewind, true);
  deepStrictEqual(postgresql.rewind, ["--debug", "--no-sync"]);
  deepStrictEqual(warnings, []);
});

Deno.test("readConfig() keeps what was half rewound only where both keys say so", () => {
  const diverged = "postgresql.remove_data_directory_on_diverged_timelines";
  const failed = "postgresql.remove_data_directory_on_rewind_failure";
  const keeps = (one: boolean, other: boolean): boolean =>
    configOf([diverged, one], [failed, other]).postgresql.keepsHalfRewound;
  deepStrictEqual([keeps(true, false), keeps(false, true), keeps(false, false)], [
    false,
    false,
    true,
  ]);
  strictEqual(configOf().postgresql.keepsHalfRewound, false);
});

Deno.test("readConfig() refuses options of pg_rewind that are the agent's own", () => {
  for (const name of ["target-pgdata", "source-server", "dry-run", "restore-target-wal"]) {
    deepStrictEqual(faultPaths(["postgresql.rewind", { [name]: "x" }]), ["postgresql.rewind"]);
  }
});
