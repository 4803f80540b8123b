import { deepStrictEqual, doesNotMatch, match, strictEqual } from "node:assert/strict";
import { parseLsn } from "../../lib/core/lsn.ts";
import { conninfoTo } from "../../lib/postgres/basebackup.ts";
import { parseFork } from "../../lib/postgres/rewind.ts";
import { fillIn } from "../../lib/postgres/rewind_archive.ts";
import { segmentName } from "../../lib/postgres/rewind_loss.ts";

const SAID = `pg_rewind: connected to server
pg_rewind: servers diverged at WAL location 0/5000060 on timeline 1
pg_rewind: rewinding from last common checkpoint at 0/4000028 on timeline 1`;

Deno.test("parseFork() finds where the histories part, unless nothing is to be rewound", () => {
  deepStrictEqual(parseFork(SAID), { lsn: "0/5000060", timeline: 1 });
  strictEqual(parseFork(`${SAID}\npg_rewind: no rewind required`), null);
  strictEqual(parseFork("pg_rewind: source and target cluster are on the same timeline"), null);
});

Deno.test("fillIn() puts path and name into an archive_command, and leaves doubled signs", () => {
  strictEqual(
    fillIn("test ! -f /a/%f && cp %p /a/%f # 100%%", "000000010000000000000002"),
    "test ! -f /a/000000010000000000000002 && cp pg_wal/000000010000000000000002 " +
      "/a/000000010000000000000002 # 100%",
  );
});

const SEGMENTS: readonly (readonly [number, string, bigint, string])[] = [
  [1, "0/5000060", 1n << 24n, "000000010000000000000005"],
  [26, "1F/FF000000", 1n << 24n, "0000001A0000001F000000FF"],
  [2, "2/80000000", 1n << 30n, "000000020000000200000002"],
];

for (const [timeline, lsn, bytes, name] of SEGMENTS) {
  Deno.test(`segmentName() of ${lsn} on timeline ${timeline} is ${name}`, () => {
    strictEqual(segmentName(timeline, parseLsn(lsn) ?? 0n, bytes), name);
  });
}

Deno.test("E21 no password is a part of a connection string on a command line", () => {
  const source = { name: "b", connUrl: "postgres://10.0.0.2:5433/postgres" };
  const login = { username: "rewind user", password: "geheim", options: { sslmode: "require" } };
  const own = [["dbname", "app"], ["target_session_attrs", "read-write"]] as const;
  const text = conninfoTo({ name: "a" }, source, { login, own, majorVersion: 15 });
  match(text, /^host=10\.0\.0\.2 port=5433 user=rewind\\ user dbname=app target_session_attrs=/);
  doesNotMatch(text, /geheim|password/);
});
