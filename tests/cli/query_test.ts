import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { parse } from "yaml";
import { dsn } from "../../lib/cli/dsn.ts";
import { query, type QueryOptions } from "../../lib/cli/query.ts";
import type { SqlAnswer } from "../../lib/cli/sql_access.ts";
import { cluster, member } from "../core/builders.ts";
import { world, type WorldOptions } from "./faces.ts";

const ONE: QueryOptions = {
  command: "SELECT 1",
  file: null,
  member: null,
  role: null,
  username: null,
  database: null,
  password: false,
  delimiter: "\t",
  timeout: "60",
  watchS: null,
};

const ROWS: SqlAnswer = {
  kind: "rows",
  isReplica: false,
  result: { columns: ["x", "x2"], rows: [["1", null], ["two\nlines", ""]], tag: "SELECT 2" },
};

Deno.test("dsn() prints host and port of the leader, a member or a role", async () => {
  const printed = async (choice: object, options: WorldOptions = {}): Promise<string> => {
    const { context, out } = world(options);
    strictEqual(await dsn(context, { member: null, role: null, ...choice }), 0);
    return out.join("");
  };
  strictEqual(await printed({}), "host=127.0.0.1 port=5401\n");
  strictEqual(await printed({ member: "c" }), "host=127.0.0.1 port=5403\n");
  strictEqual(await printed({ role: "replica" }), "host=127.0.0.1 port=5402\n");
  deepStrictEqual(JSON.parse(await printed({}, { format: "json" })), {
    member: "a",
    host: "127.0.0.1",
    port: 5401,
  });
});

Deno.test("dsn() ends with 1 when there is no such server", async () => {
  const choices = [{ member: "z", role: null }, { member: "b", role: "leader" }] as const;
  for (const choice of choices) strictEqual(await dsn(world().context, choice), 1);
  const leaderless = world({ views: [cluster({ lock: null })] });
  strictEqual(await dsn(leaderless.context, { member: null, role: null }), 1);
  const nowhere = world({ views: [cluster({ members: [member("a", { connUrl: "http://x" })] })] });
  strictEqual(await dsn(nowhere.context, { member: "a", role: null }), 1);
  match(nowhere.err.join(""), /no address of its server/);
});

Deno.test("query() prints as tsv what no table can hold", async () => {
  const rows = Array.from({ length: 300_000 }, (_, index) => [`${index}`]);
  const sql = { ...ROWS, result: { columns: ["x"], rows, tag: "SELECT 300000" } };
  const { context, out, err } = world({ sql });

  strictEqual(await query(context, ONE), 0);
  strictEqual(out.join("").split("\n").length, 300_002);
  match(err.join(""), /300000 rows/);
});

const FORMS = [
  ["tsv", "x\tx2\n1\t\ntwo lines\t\n"],
  ["json", JSON.stringify([{ x: "1", x2: null }, { x: "two\nlines", x2: "" }], null, 2) + "\n"],
] as const;

for (const [format, text] of FORMS) {
  Deno.test(`query() prints rows as ${format}`, async () => {
    const { context, out } = world({ sql: ROWS, format });
    strictEqual(await query(context, ONE), 0);
    strictEqual(out.join(""), text);
  });
}

Deno.test("query() keeps every column of equal names in every form", async () => {
  const columns = ["id", "id", "id_2", "id", "?column?", "?column?"];
  const rows = [["1", "2", "3", "4", "5", null]];
  const sql: SqlAnswer = { ...ROWS, result: { columns, rows, tag: "SELECT 1" } };
  const wanted = { id: "1", id_3: "2", id_2: "3", id_4: "4", "?column?": "5", "?column?_2": null };
  for (const format of ["json", "yaml"] as const) {
    const { context, out } = world({ sql, format });
    await query(context, ONE);
    deepStrictEqual(parse(out.join("")), [wanted]); // JSON is YAML
  }
  for (const format of ["tsv", "pretty"] as const) {
    const { context, out } = world({ sql, format });
    await query(context, ONE);
    deepStrictEqual(out.join("").match(/\b\w+\b/g), [
      ...["id", "id", "id_2", "id", "column", "column", "1", "2", "3", "4", "5"],
    ]);
  }
});

Deno.test("query() tells what a statement without rows did", async () => {
  const result = { columns: [], rows: [], tag: "INSERT 2" };
  const { context, out } = world({ sql: { kind: "rows", isReplica: false, result } });
  strictEqual(await query(context, ONE), 0);
  deepStrictEqual(out, ["INSERT 2\n"]);
});

Deno.test("query() takes statement, role in the database and place from its options", async () => {
  const { context, queries } = world({ files: { "q.sql": "SELECT 2" }, reply: "secret" });
  const options = { ...ONE, command: null, file: "q.sql", member: "b", password: true };
  strictEqual(await query(context, { ...options, username: "me", database: "db" }), 0);
  deepStrictEqual(queries, [{
    host: "127.0.0.1",
    port: 5402,
    database: "db",
    username: "me",
    password: "secret",
    text: "SELECT 2",
  }]);
});

Deno.test("query() runs nothing on a server that has another role by now", async () => {
  const replica: SqlAnswer = { ...ROWS, isReplica: true };
  const moved = world({ sql: replica });
  strictEqual(await query(moved.context, ONE), 1);
  match(moved.err.join(""), /a does not run as leader now: nothing was run/);
  strictEqual(await query(world({ sql: ROWS }).context, { ...ONE, role: "replica" }), 1);
  strictEqual(await query(world({ sql: replica }).context, { ...ONE, role: "replica" }), 0);
  strictEqual(await query(world({ sql: replica }).context, { ...ONE, member: "a" }), 0);
});

const TROUBLES = [
  ["refused", 1, /b?a: no such table/],
  ["unreachable", 1, /Cannot reach the server of a: no such table/],
  ["lost", 3, /may have run/],
] as const;

for (const [kind, code, said] of TROUBLES) {
  Deno.test(`query() ends with ${code} when the server is ${kind}`, async () => {
    const { context, err } = world({ sql: { kind, why: "no such table" } });
    strictEqual(await query(context, ONE), code);
    match(err.join(""), said);
  });
}

const MISUSED: readonly (readonly [string, Partial<QueryOptions>, WorldOptions])[] = [
  ["there is no statement", { command: null }, {}],
  ["there are two statements", { file: "x" }, {}],
  ["member and role are given", { member: "a", role: "leader" }, {}],
  ["the time is endless", { timeout: "99d" }, {}],
  ["the time is none", { timeout: "-1" }, {}],
  ["the password cannot be asked for", { password: true }, { reply: null }],
];

for (const [when, options, given] of MISUSED) {
  Deno.test(`query() runs nothing and ends with 2 when ${when}`, async () => {
    const { context, queries } = world(given);
    strictEqual(await query(context, { ...ONE, ...options }), 2);
    deepStrictEqual(queries, []);
  });
}

Deno.test("query() repeats past an outage of the store until its reader goes away", async () => {
  const { context, out, err } = world({ views: [cluster(), null, cluster()], patience: 4 });
  strictEqual(await query(context, { ...ONE, watchS: 5 }), 0);
  strictEqual(out.length, 3);
  match(err.join(""), /no answer/);
  strictEqual(context.clock.bootMs(), 15_000);
});
