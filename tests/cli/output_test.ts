import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { parse } from "yaml";
import { plainLine, visible } from "../../lib/cli/output.ts";
import { renderTable, type Table } from "../../lib/cli/table.ts";

const EVIL = "a\x1b[2J\x07\u009b31m\x7f\r\n\tb";

Deno.test("visible() leaves a terminal nothing but text, line breaks and tabs", () => {
  strictEqual(visible(EVIL), "a\ufffd[2J\ufffd\ufffd31m\ufffd\ufffd\n\tb");
  strictEqual(visible("Zürich – 東京\n"), "Zürich – 東京\n");
});

Deno.test("plainLine() makes one line of bounded length", () => {
  strictEqual(plainLine(` ${EVIL} `), "a [2J 31m b");
  strictEqual(plainLine("x".repeat(5000)).length, 501);
});

const TABLE: Table = {
  title: null,
  columns: [{ head: "x", align: "left" }],
  rows: [[EVIL]],
  data: { x: EVIL },
  notes: [],
};

Deno.test("renderTable() gives the same data as JSON and YAML, whatever a terminal would make of it", async () => {
  for (const format of ["json", "yaml"] as const) {
    const text = await renderTable(TABLE, format);
    strictEqual(visible(text), text);
    deepStrictEqual(parse(text), TABLE.data);
  }
  strictEqual(await renderTable(TABLE, "tsv"), "x\na [2J 31m b\n");
});
