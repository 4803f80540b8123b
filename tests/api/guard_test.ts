import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { guard } from "../../lib/api/guard.ts";

const ALLOWED = { username: "admin", password: "ä:b" };

function status(method: string, authorization: string | null): number | null {
  const headers = new Headers(authorization === null ? {} : { authorization });
  return guard(new Request("http://h/", { method, headers }), ALLOWED)?.status ?? null;
}

function basic(text: string): string {
  return `Basic ${new TextEncoder().encode(text).toBase64()}`;
}

Deno.test("guard() lets the safe methods pass without a header", () => {
  deepStrictEqual(["GET", "HEAD", "OPTIONS"].map((method) => status(method, null)), [
    null,
    null,
    null,
  ]);
});

Deno.test("guard() wants the right name and password for every other method", () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "FOO"]) {
    strictEqual(status(method, null), 401);
    strictEqual(status(method, basic("admin:wrong")), 401);
    strictEqual(status(method, basic("admin:ä:b")), null);
  }
});

for (const wrong of ["", "Basic", "Basic !", "Bearer x", basic(""), basic("admin:ä:bb")]) {
  Deno.test(`guard() refuses the header "${wrong}"`, () => {
    strictEqual(status("POST", wrong), 401);
  });
}

Deno.test("guard() asks for Basic authentication and tells a missing header from a wrong one", async () => {
  const missing = guard(new Request("http://h/", { method: "POST" }), ALLOWED);
  const wrong = guard(
    new Request("http://h/", { method: "POST", headers: { authorization: "Basic x" } }),
    ALLOWED,
  );

  strictEqual(missing?.headers.get("www-authenticate"), 'Basic realm="Patroni"');
  deepStrictEqual([await missing?.text(), await wrong?.text()], [
    "no auth header received",
    "not authenticated",
  ]);
});

Deno.test("guard() lets everything pass when no authentication is configured", () => {
  strictEqual(guard(new Request("http://h/", { method: "POST" }), null), null);
});
