import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { parseProgress } from "../../lib/postgres/basebackup.ts";
import { parseFreeBytes } from "../../lib/postgres/clone_checks.ts";
import { renderPassfile } from "../../lib/postgres/pgpass.ts";

const login = { username: "re:pl", password: "a\\b:c d", options: {} };

Deno.test("renderPassfile() escapes colons and backslashes", () => {
  const text = renderPassfile([{ host: "fe80::1", port: 5432, login }]);
  strictEqual(text, "fe80\\:\\:1:5432:*:re\\:pl:a\\\\b\\:c d\n");
});

Deno.test("renderPassfile() adds localhost for a socket directory and skips a missing password", () => {
  const plain = { username: "u", password: "p", options: {} };
  const text = renderPassfile([
    { host: "/run/x", port: 1, login: plain },
    { host: "h", port: 1, login: { ...plain, password: null } },
  ]);
  strictEqual(text, "/run/x:1:*:u:p\nlocalhost:1:*:u:p\n");
});

Deno.test("parseProgress() tells megabytes, and nothing for other lines", () => {
  deepStrictEqual(parseProgress("122880/409600 kB (30%), 0/1 tablespace"), {
    text: "copied 120 of 400 MB",
    bytes: { done: 125_829_120, total: 419_430_400 },
  });
  strictEqual(parseProgress("waiting for checkpoint"), null);
});

Deno.test("parseFreeBytes() reads the fourth column of df", () => {
  const output =
    "Filesystem 1-blocks Used Available Capacity Mounted on\n/dev/x 100 40 60 40% /a b\n";
  strictEqual(parseFreeBytes(output), 60n);
  strictEqual(parseFreeBytes(""), null);
});
