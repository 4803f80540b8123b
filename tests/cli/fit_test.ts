import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { history } from "../../lib/cli/history.ts";
import { list } from "../../lib/cli/list.ts";
import { query } from "../../lib/cli/query.ts";
import { topology } from "../../lib/cli/topology.ts";
import { fitted, records } from "../../lib/cli/fit.ts";
import type { CommandContext } from "../../lib/cli/command.ts";
import { readTags } from "../../lib/core/tags.ts";
import { cluster, lsn, member } from "../core/builders.ts";
import { world, type WorldOptions } from "./faces.ts";

const MB = 1024 ** 2;
const TAGS = { nofailover: true, noloadbalance: true, zone: "north", rack: "amsterdam-7" };

const VIEW = cluster({
  status: { lsn: lsn(20 * MB), slots: {}, retainSlots: [] },
  history: [{
    timeline: 1,
    lsn: lsn(0x3000148),
    reason: "no recovery target specified",
    at: "2026-01-01T10:00:00.123456+00:00",
    newLeader: "pg-node-2",
  }],
  members: [
    member("a", { timeline: 3, role: "primary" }),
    member("pg-node-2", { timeline: 3, xlogLocation: lsn(20 * MB), replicationState: "streaming" }),
    member("pg-node-3", { timeline: 3, xlogLocation: lsn(4 * MB), tags: readTags(TAGS) }),
  ],
});

const EXTENDED = { clusters: [], extended: true, timestamp: false, watchS: null };

async function shown(
  command: (context: CommandContext) => Promise<number>,
  options: WorldOptions = {},
): Promise<string> {
  const { context, out } = world({ views: [VIEW], ...options });
  strictEqual(await command(context), 0);
  return out.join("");
}

const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

for (const width of [160, 120, 80]) {
  Deno.test(`every table fits a terminal of ${width} columns`, async () => {
    const texts = [
      await shown((context) => list(context), { width }),
      await shown((context) => list(context, EXTENDED), { width }),
      await shown((context) => topology(context, { watchS: null }), { width }),
      await shown((context) => history(context), { width }),
    ];
    deepStrictEqual(texts.map((text) => widest(text) <= width), texts.map(() => true));
    for (const text of texts.slice(0, 2)) match(text, /pg-node-3[^]*noloadbalance/);
  });
}

Deno.test("list() without a terminal has one line for each member, and with -e all columns", async () => {
  const wide = await shown((context) => list(context, EXTENDED));
  const lines = wide.split("\n");
  strictEqual(lines.length, 9); // title, three of the frame, head, three members, the last break
  match(lines[2] ?? "", /Receive LSN .* Pending restart reason \| Scheduled restart \| API/);
  match(lines[6] ?? "", /nofailover: true, noloadbalance: true, zone: north, rack: amsterdam-7/);
});

Deno.test("list() shows no empty column on a terminal, also with -e", async () => {
  const text = await shown((context) => list(context, EXTENDED), { width: 300 });
  ok(!text.includes("Scheduled restart"), text);
  match(text, /Receive LSN/);
});

Deno.test("fitted() breaks between words, pairs last, and keeps each of them whole", () => {
  const cells = [["Name", "Tags"], ["a", "zone: north, rack: 7"]];
  deepStrictEqual(fitted(cells, 40), cells);
  deepStrictEqual(fitted(cells, 24), [["Name", "Tags"], ["a", "zone: north,\nrack: 7"]]);
  deepStrictEqual(fitted(cells, 18), [["Name", "Tags"], ["a", "zone:\nnorth,\nrack: 7"]]);
  strictEqual(fitted(cells, 16), null);
  deepStrictEqual(fitted([["x"], ["  + https://10.0.0.1:8008/patroni"]], 30), [
    ["x"],
    ["  + https://10.0.0.1:8008\n/patroni"],
  ]);
});

Deno.test("fitted() has a large cell in a moment, a long word as well as many blanks", () => {
  const size = 200_000;
  const startMs = performance.now();
  strictEqual(fitted([["x"], ["f".repeat(size)]], 80), null);
  deepStrictEqual(fitted([["x"], [`f${" ".repeat(size)}`]], 80), [["x"], ["f"]]);
  const tookMs = performance.now() - startMs;
  ok(tookMs < 10_000, `${tookMs} ms`); // minutes when each place looks at all that follow
});

Deno.test("records() shows each row as a block, empty cells where they mean something", () => {
  const cells = [["id", "text"], ["1", "two\nlines"], ["", "x: 1, y: 2"]];
  deepStrictEqual(records(cells, 12, false).split("\n"), [
    ...["-[ RECORD 1 ]", "id   | 1", "text | two", "     | lines"],
    ...["-[ RECORD 2 ]", "text | x: 1,", "     | y: 2"],
  ]);
  match(records(cells, 12, true), /RECORD 2 \]\nid {3}\|\ntext \| x: 1, y: 2$/);
});

Deno.test("query() shows what is too wide for the terminal row by row, as psql does", async () => {
  const columns = ["id", "statement"];
  const rows = [["1", "x".repeat(90)]];
  const result = { columns, rows, tag: "SELECT 1" };
  const { context, out } = world({ sql: { kind: "rows", isReplica: false, result }, width: 80 });
  const options = {
    ...{ command: "SELECT 1", file: null, member: null, role: null, username: null },
    ...{ database: null, password: false, delimiter: "\t", timeout: "30", watchS: null },
  };
  strictEqual(await query(context, options), 0);
  match(out.join(""), /^-\[ RECORD 1 \]\nid {8}\| 1\nstatement \| x{90}\n$/);
});
