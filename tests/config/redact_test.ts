import { ok, strictEqual } from "node:assert/strict";
import { redact } from "../../lib/config/redact.ts";
import { configOf } from "./files.ts";

Deno.test("redact() hides every password and command and keeps the rest", () => {
  const login = { username: "u", password: "s3cret" };
  const config = configOf(
    ["restapi.authentication", login],
    ["ctl.authentication", login],
    ["ctl.keyfile_password", "s3cret"],
    ["etcd3.password", "s3cret"],
    ["etcd3.key_password", "s3cret"],
    ["restapi.certfile", "/c"],
    ["restapi.keyfile_password", "s3cret"],
    ["restapi.http_extra_headers", { "x-token": "s3cret" }],
    ["postgresql.authentication.superuser", { ...login, sslpassword: "s3cret" }],
    ["postgresql.authentication.replication", login],
    ["postgresql.authentication.rewind", login],
    ["postgresql.parameters", { archive_command: "push s3cret" }],
    ["postgresql.recovery_conf", { restore_command: "get s3cret" }],
  );

  ok(!JSON.stringify(redact(config)).includes("s3cret"));
  strictEqual(redact(config).postgresql.dataDir, config.postgresql.dataDir);
});
