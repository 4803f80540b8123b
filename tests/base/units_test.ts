import { strictEqual } from "node:assert/strict";
import { parseBytes, parseSeconds } from "../../lib/base/units.ts";

Deno.test("parseSeconds() reads PostgreSQL's units and refuses the rest", () => {
  strictEqual(parseSeconds(90), 90);
  strictEqual(parseSeconds("30min"), 1800);
  strictEqual(parseSeconds(" 1.5 h "), 5400);
  strictEqual(parseSeconds("500ms"), 0.5);
  for (const odd of ["", "x", "1week", "constructor", "1 constructor", null, [], NaN]) {
    strictEqual(parseSeconds(odd), null);
  }
});

Deno.test("parseBytes() counts in powers of 1024 with case", () => {
  strictEqual(parseBytes("16MB"), 16 * 1024 ** 2);
  strictEqual(parseBytes("1048576"), 1048576);
  strictEqual(parseBytes("1mb"), null);
});
