import { ok, strictEqual } from "node:assert/strict";
import {
  quoteSetting,
  readSetting,
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

Deno.test("readSetting() reads back what was rendered, and null for what is not there", () => {
  const recovery = { primary_conninfo: "user=a\\ b passfile='x'", restore_command: "a\nb" };
  const text = renderPostgresqlConf({ parameters: { port: "1" }, recovery, remarks: ["x\ny"] });
  for (const [name, value] of Object.entries(recovery)) strictEqual(readSetting(text, name), value);
  const primary = renderPostgresqlConf({ parameters: {}, recovery: null, remarks: [] });
  strictEqual(readSetting(primary, "primary_conninfo"), null);
  strictEqual(readSetting("a = '1'\nb = 'x'\n a='2' ", "a"), "2");
});

Deno.test("quoteSetting() keeps quotes, backslashes and line ends inside the value", () => {
  strictEqual(quoteSetting("it's \\ a\nb"), "'it''s \\\\ a\\nb'");
});

Deno.test("withoutRecoverySettings() drops what ALTER SYSTEM may have redirected and keeps the rest", () => {
  const text = "work_mem = '1MB'\nprimary_conninfo = 'x'\nrecovery_target_time = ''\n# end\n";
  strictEqual(withoutRecoverySettings(text), "work_mem = '1MB'\n# end\n");
});
