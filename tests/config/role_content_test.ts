import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { configOf, faultPaths } from "./files.ts";

Deno.test("readConfig() reads content by role and lets such a member lead", () => {
  const { postgresql, warnings } = configOf(
    ["postgresql.parameters_primary", { Work_Mem: "8MB", archive_mode: true }],
    ["postgresql.pg_hba_replica", ["local all all trust"]],
  );
  deepStrictEqual(postgresql.byRole, {
    primary: {
      parameters: { work_mem: "8MB", archive_mode: "on" },
      pgHba: null,
      pgIdent: null,
    },
    replica: { parameters: {}, pgHba: ["local all all trust"], pgIdent: null },
  });
  deepStrictEqual(warnings, []);
});

Deno.test("readConfig() has no content by role unless there is some", () => {
  strictEqual(configOf().postgresql.byRole, null);
  strictEqual(configOf(["postgresql.parameters_replica", {}]).postgresql.byRole, null);
});

Deno.test("readConfig() drops settings of one role that are the same in all, and says so", () => {
  const { postgresql, warnings } = configOf(
    ["postgresql.parameters_replica", { max_connections: 10, port: 1, work_mem: "1MB" }],
  );
  deepStrictEqual(postgresql.byRole?.replica.parameters, { work_mem: "1MB" });
  match(warnings.join("\n"), /parameters_replica\.max_connections: [^]*parameters_replica\.port: /);
});

Deno.test("readConfig() tells lists of a role that PostgreSQL does not read", () => {
  const { warnings } = configOf(
    ["postgresql.parameters", { hba_file: "/etc/hba" }],
    ["postgresql.pg_hba_primary", ["local all all trust"]],
  );
  match(warnings.join("\n"), /pg_hba_primary/);
});

Deno.test("readConfig() takes content of a standby leader as a remark", () => {
  const { warnings } = configOf(
    ["postgresql.pg_hba_standby_leader", ["local all all trust"]],
  );
  deepStrictEqual(warnings.length, 1);
});

Deno.test("readConfig() refuses content by role of another form", () => {
  deepStrictEqual(
    faultPaths(
      ["postgresql.parameters_primary", ["work_mem"]],
      ["postgresql.pg_ident_replica", { a: 1 }],
    ).toSorted(),
    ["postgresql.parameters_primary", "postgresql.pg_ident_replica"],
  );
});
