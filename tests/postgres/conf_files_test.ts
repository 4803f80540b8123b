import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  quoteSetting,
  readRecoverySettings,
  renderPostgresqlConf,
  withoutRecoverySettings,
} from "../../lib/postgres/conf_files.ts";

Deno.test("renderPostgresqlConf() includes the base file before any setting", () => {
  const text = renderPostgresqlConf({
    parameters: { work_mem: "1MB" },
    recovery: null,
    remarks: [],
  });
  ok(text.indexOf("include 'postgresql.base.conf'") < text.indexOf("work_mem = '1MB'"));
});

Deno.test("readRecoverySettings() reads back what was rendered, and null for a primary", () => {
  const recovery = { primary_conninfo: "user=a\\ b passfile='x'", restore_command: "a\nb" };
  const text = renderPostgresqlConf({ parameters: { port: "1" }, recovery, remarks: ["x\ny"] });
  deepStrictEqual(readRecoverySettings(text), recovery);
  const primary = renderPostgresqlConf({ parameters: {}, recovery: null, remarks: [] });
  strictEqual(readRecoverySettings(primary), null);
});

Deno.test("quoteSetting() keeps quotes, backslashes and line ends inside the value", () => {
  strictEqual(quoteSetting("it's \\ a\nb"), "'it''s \\\\ a\\nb'");
});

Deno.test("withoutRecoverySettings() drops what ALTER SYSTEM may have redirected and keeps the rest", () => {
  const text = "work_mem = '1MB'\nprimary_conninfo = 'x'\nrecovery_target_time = ''\n# end\n";
  strictEqual(withoutRecoverySettings(text), "work_mem = '1MB'\n# end\n");
});
