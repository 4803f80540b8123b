import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  parseConninfo,
  parseConnUrl,
  primaryConninfo,
  printConninfo,
} from "../../lib/postgres/conninfo.ts";
import type { StandbyLink } from "../../lib/postgres/conninfo.ts";

function link(overrides: Partial<StandbyLink> = {}): StandbyLink {
  return {
    address: { host: "10.1.0.11", port: 5432, database: "postgres" },
    login: { username: "repl", password: "secret", options: {} },
    defaultDatabase: "app",
    passfile: "/tmp/pass",
    applicationName: "kiel",
    majorVersion: 17,
    ...overrides,
  };
}

Deno.test("primaryConninfo() prints every word of version 17 in order, the password by file", () => {
  strictEqual(
    primaryConninfo(link()),
    "dbname=postgres user=repl passfile=/tmp/pass host=10.1.0.11 port=5432 sslmode=prefer " +
      "application_name=kiel gssencmode=prefer channel_binding=prefer sslnegotiation=postgres",
  );
});

Deno.test("primaryConninfo() leaves out words that the version does not know", () => {
  const login = { username: "repl", password: null, options: { sslmode: "require" } };
  strictEqual(
    primaryConninfo(link({ majorVersion: 12, login })),
    "dbname=postgres user=repl host=10.1.0.11 port=5432 sslmode=require " +
      "application_name=kiel gssencmode=prefer",
  );
});

Deno.test("primaryConninfo() names the Kerberos service in its place", () => {
  const login = { username: "repl", password: null, options: { gssencmode: "prefer" } };
  strictEqual(
    primaryConninfo(link({ majorVersion: 15, login, krbsrvname: "pg" })),
    "dbname=postgres user=repl host=10.1.0.11 port=5432 sslmode=prefer " +
      "application_name=kiel krbsrvname=pg gssencmode=prefer channel_binding=prefer",
  );
});

Deno.test("parseConnUrl() reads host, port and database, IPv6 in brackets", () => {
  deepStrictEqual(parseConnUrl("postgres://db1:5433/app"), {
    host: "db1",
    port: 5433,
    database: "app",
  });
  deepStrictEqual(parseConnUrl("postgres://[fe80::1]:5432"), {
    host: "fe80::1",
    port: 5432,
    database: null,
  });
  strictEqual(parseConnUrl("nonsense"), null);
});

Deno.test("parseConninfo() reads back what printConninfo() printed", () => {
  const values = { user: "o'brien \\ x", dbname: "", host: "a" };
  deepStrictEqual(parseConninfo(printConninfo(Object.entries(values))), values);
});

Deno.test("parseConninfo() reads quoted values as a receiver shows them", () => {
  deepStrictEqual(parseConninfo("user='a b' host=x port = 1"), {
    user: "a b",
    host: "x",
    port: "1",
  });
});
